/** Where the tour writes: where nothing is yet, or where an earlier tour has been. It never clears a directory of yours. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from 'lode';

/** Left by the tour in each directory it wrote to. */
const marker = 'tour-of-lode.txt';

/** What the tour makes, and clears. */
const folders = ['datasets/', 'volumes/', 'journal/'];

const note = 'Made by the tour of Lode, which clears it when run again.\n';

export async function freshPlace(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  if (names.length > 0 && !names.includes(marker)) {
    console.error(
      `${directory} is not empty, and no tour has been there before. Name an empty directory.`,
    );
    process.exit(1);
  }
  // The marker goes first: a tour that is interrupted can be run again in the same place.
  await writeFile(join(directory, marker), note);
  for (const folder of folders) await rm(join(directory, folder), { recursive: true, force: true });
}

/** The same of a bucket, or of a prefix in one. */
export async function freshBucket(store: Store): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  if (keys.length > 0 && !keys.includes(marker)) {
    console.error(
      'There are objects here, and no tour has been here before. Name an empty prefix: s3://bucket/prefix',
    );
    process.exit(1);
  }
  await store.put(marker, note, { mode: 'overwrite' });
  await store.delete(keys.filter((key) => folders.some((folder) => key.startsWith(folder))));
}
