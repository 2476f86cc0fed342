/** Where the tour writes: where nothing is yet, or where an earlier tour has been. It never clears a directory of yours. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Left by the tour in each directory it wrote to. */
const marker = 'tour-of-lode.txt';

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
  await writeFile(
    join(directory, marker),
    'Made by the tour of Lode, which clears it when run again.\n',
  );
  await rm(join(directory, 'datasets'), { recursive: true, force: true });
}
