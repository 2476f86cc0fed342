/** C5: a commit of one block, from a hundred blocks to a hundred thousand: bytes, requests and time stay where they are. */
import { curve } from '../curve.ts';
import type { Bar } from '../harness.ts';
import { heldTo } from '../harness.ts';
import { commitPrice, filledVolume } from '../volumes.ts';

const [first, last] = [100, 100_000];
const sizes = [first, 1_000, 10_000, last];
const commits = 64;
const rounds = 6;
const slowdownMax = 1.3;
const growthMax = 1.5;

export const bar: Bar = {
  id: 'C5',
  title: 'volume commits as the volume grows',
  async run({ log }) {
    // Commits get twice as fast while the code warms up, which would pass for a volume that grows.
    for (let i = 0; i < 8; i++)
      await commitPrice(await filledVolume(first, 'compact'), first, commits, 0);
    const grown = await filledVolume(last, 'compact');
    const bytes = new Map<number, number[]>(sizes.map((size) => [size, []]));
    let turn = 0;
    const measure = async (size: number): Promise<number> => {
      const isGrown = size === last;
      const volume = isGrown ? grown : await filledVolume(size, 'compact');
      const price = await commitPrice(volume, size, commits, isGrown ? turn++ : 0);
      bytes.get(size)?.push(price.bytesUp);
      return price.cpuMs * 1000;
    };
    const speed = await heldTo(1 / slowdownMax, async () => {
      const name = 'us of processor time a commit, by blocks';
      return 1 / (await curve({ name, sizes, rounds, log }, measure)).lastToFirst;
    });
    const meanOf = (size: number): number => {
      const all = bytes.get(size) ?? [];
      return all.reduce((x, y) => x + y, 0) / all.length;
    };
    log(`bytes a commit: ${sizes.map((size) => meanOf(size).toFixed(0)).join(', ')}`);
    const growth = meanOf(last) / meanOf(first);
    return {
      outcome: speed.pass && growth <= growthMax ? 'pass' : 'fail',
      figure: `time x ${(1 / speed.value).toFixed(2)} (bar ${slowdownMax}), bytes x ${growth.toFixed(2)} (bar ${growthMax})`,
    };
  },
};
