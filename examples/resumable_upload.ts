/**
 * An upload that is killed half way, and finished by another process. The image is 4 GiB with 16 MiB of data in it: only
 * the data is uploaded, and what was a hole in the file is a gap in the volume.
 *
 * With a name and an argument this file is the uploader: `node dist/examples/resumable_upload.js upload DIRECTORY`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openVolume } from 'lode';
import type { Volume, VolumeRange } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

const imageBytes = 4 * 2 ** 30;
/** Where the image has data. Other images: from its allocation table, or the whole of it as one range. */
const extents: VolumeRange[] = Array.from({ length: 64 }, (_, i) => ({
  offset: i * (imageBytes / 64),
  length: 256 * 1024,
}));
/** How much is lost at most by a kill: what was staged since the last commit. */
const extentsPerCommit = 8;

const [role, place] = process.argv.slice(2);
if (role === 'upload' && place !== undefined) await upload(place);
else await story();

function openImage(directory: string): Promise<Volume> {
  return openVolume('image', { store: fsStore(join(directory, 'store')), length: imageBytes });
}

/** All it needs to know is in the store: what is missing. Run at any time, by anybody, it does what is left. */
async function upload(directory: string): Promise<void> {
  const volume = await openImage(directory);
  const image = join(directory, 'disk.img');
  let head = await volume.head();
  for (let at = 0; at < extents.length; at += extentsPerCommit) {
    const wanted = extents.slice(at, at + extentsPerCommit);
    const gaps = wanted.flatMap((extent) => volume.missing(head, extent));
    if (gaps.length === 0) continue;
    const staged = gaps.map(({ offset, length }) => {
      const source = createReadStream(image, { start: offset, end: offset + length - 1 });
      // With its length known, a file that ends early never becomes a block.
      return volume.stageWriteAt(offset, source, { length });
    });
    head = await volume.commit(await Promise.all(staged));
    console.log(head.coveredBytes);
  }
}

async function story(): Promise<void> {
  await using directory = await temporaryDirectory();
  await makeImage(directory.path);

  const first = await uploader(directory.path, 3);
  assert.equal(first.signal, 'SIGKILL');
  const volume = await openImage(directory.path);
  const half = await volume.latest();
  const left = extents.flatMap((extent) => volume.missing(half, extent));
  console.log(`killed: ${half.coveredBytes} bytes are there, ${left.length} extents are left`);
  assert.ok(left.length > 0 && left.length < extents.length);

  const second = await uploader(directory.path);
  assert.deepEqual([second.code, second.commits], [0, Math.ceil(left.length / extentsPerCommit)]);
  const whole = await volume.latest();
  assert.deepEqual(volume.coverage(whole), extents);
  for (const [i, { offset, length }] of extents.entries())
    assert.ok((await volume.readAt(whole, offset, length)).every((byte) => byte === i + 1));
  const { coveredBytes } = whole;
  console.log(
    `finished by another process: ${coveredBytes} of ${imageBytes} bytes; the rest are holes`,
  );
}

async function makeImage(directory: string): Promise<void> {
  await mkdir(join(directory, 'store'));
  await using file = await open(join(directory, 'disk.img'), 'w');
  await file.truncate(imageBytes);
  for (const [i, { offset, length }] of extents.entries())
    await file.write(new Uint8Array(length).fill(i + 1), 0, length, offset);
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly commits: number;
}

/** Runs the uploader as a process of its own, and kills it after so many commits. */
async function uploader(directory: string, commitsMax = Number.POSITIVE_INFINITY): Promise<Ended> {
  const args = [fileURLToPath(import.meta.url), 'upload', directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<Omit<Ended, 'commits'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  let commits = 0;
  for await (const _ of createInterface({ input: child.stdout }))
    if (++commits === commitsMax) child.kill('SIGKILL');
  return { ...(await ended), commits };
}
