/**
 * P15: random reads of 4 KiB from a volume in a directory, 16 at a time, against the same reads of the same files, held open,
 * by `node:fs/promises`. Ours finds the block, opens its object and knows that it is as long as it was committed.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsStore } from '../../src/fs.ts';
import { openVolume } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { compare, heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';

const ratioMin = 0.6;
const blocks = 64;
const blockBytes = 1024 * 1024;
const readBytes = 4096;
const width = 16;

export const bar: Bar = {
  id: 'P15',
  title: 'random 4 KiB reads of a volume in a directory against pread',
  async run({ release, seed, log }) {
    const root = await mkdtemp(join(tmpdir(), 'lode-p15-'));
    const files: FileHandle[] = [];
    try {
      const store = fsStore(root, { durability: 'none' });
      const length = blocks * blockBytes;
      const volume = await openVolume('bench', { store, length, blockBytes });
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
      const { value, pass } = await heldTo(ratioMin, async () => {
        const { ratio } = await compare(
          () => lanes((offset) => volume.readAt(id, offset, readBytes)),
          () =>
            lanes(async (offset) => {
              const into = new Uint8Array(readBytes);
              const file = files[Math.floor(offset / blockBytes)];
              await file?.read(into, 0, readBytes, offset % blockBytes);
            }),
          { name: `${offsets.length} reads`, rounds: release ? 21 : 9, log },
        );
        return ratio;
      });
      return {
        outcome: pass ? 'pass' : 'fail',
        figure: `ratio ${value.toFixed(2)} (bar ${ratioMin})`,
      };
    } finally {
      for (const file of files) await file.close();
      await rm(root, { recursive: true });
    }
  },
};
