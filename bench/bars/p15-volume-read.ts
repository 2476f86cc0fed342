/**
 * P15: random reads of 4 KiB from a volume in a directory, 16 at a time, against the same reads of the same files, held open,
 * by `node:fs/promises`. Ours finds the block, opens its object and knows that it is as long as it was committed. And holes, which
 * are never read as zeros: whether there is one, and how fast a read of one is refused, both beside reads of data. A refusal
 * is an error with its stack, and that is most of what it takes.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, openVolume } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { compare, heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';

const ratioMin = 0.6;
/** Of the speed of reads that find their bytes. */
const holesMin = 2;
const blocks = 64;
const blockBytes = 1024 * 1024;
const readBytes = 4096;
const width = 16;

const isGap = (error: unknown): boolean => isLodeError(error, 'LODE_RANGE_MISSING');

export const bar: Bar = {
  id: 'P15',
  title: 'random 4 KiB reads of a volume in a directory against pread',
  async run({ release, seed, log }) {
    const root = await mkdtemp(join(tmpdir(), 'lode-p15-'));
    const files: FileHandle[] = [];
    try {
      const store = fsStore(root, { durability: 'none' });
      const length = blocks * blockBytes;
      const volume = await openVolume('bench', { store, length: 2 * length, blockBytes });
      const { id } = await volume.commit([await volume.stageWriteAt(0, new Uint8Array(length))]);
      for (let i = 0; i < blocks; i++) {
        const name = `volumes/bench/data/${i * blockBytes}-${blockBytes}.bin`;
        files.push(await open(join(root, name)));
      }
      const random = seededRandom(seed);
      const offsets = Array.from(
        { length: release ? 40_000 : 8_000 },
        () => Math.floor((random() * length) / readBytes) * readBytes,
      );
      const lanes = async (read: (offset: number) => Promise<unknown>): Promise<void> => {
        let next = 0;
        const lane = async (): Promise<void> => {
          for (let at = offsets[next++]; at !== undefined; at = offsets[next++]) await read(at);
        };
        await Promise.all(Array.from({ length: width }, lane));
      };
      const rounds = release ? 21 : 9;
      const ours = (): Promise<void> => lanes((offset) => volume.readAt(id, offset, readBytes));
      const speed = await heldTo(ratioMin, async () => {
        const { ratio } = await compare(
          ours,
          () =>
            lanes(async (offset) => {
              const into = new Uint8Array(readBytes);
              const file = files[Math.floor(offset / blockBytes)];
              await file?.read(into, 0, readBytes, offset % blockBytes);
            }),
          { name: `${offsets.length} reads`, rounds, log },
        );
        return ratio;
      });
      const snapshot = await volume.snapshot(id);
      const holes = await heldTo(holesMin, async () => {
        const find = async (offset: number): Promise<void> => {
          const range = { offset: length + offset, length: readBytes };
          if (volume.missing(snapshot, range).length !== 1) throw new Error('a hole was not seen');
        };
        const name = `${offsets.length} looks for holes`;
        return (await compare(() => lanes(find), ours, { name, rounds, log })).ratio;
      });
      const refuse = async (offset: number): Promise<void> => {
        const refused = await volume.readAt(id, length + offset, readBytes).catch(isGap);
        if (refused !== true) throw new Error('a hole was read as data');
      };
      const name = `${offsets.length} reads of holes`;
      const refusals = await compare(() => lanes(refuse), ours, { name, rounds, log });
      return {
        outcome: speed.pass && holes.pass ? 'pass' : 'fail',
        figure:
          `ratio ${speed.value.toFixed(2)} (bar ${ratioMin}), ` +
          `holes found ${holes.value.toFixed(1)} of reads of data (bar ${holesMin}), refused ${refusals.ratio.toFixed(1)}`,
      };
    } finally {
      for (const file of files) await file.close();
      await rm(root, { recursive: true });
    }
  },
};
