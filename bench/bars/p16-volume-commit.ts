/**
 * P16: a commit of one block costs the same in a volume of a hundred blocks and of a hundred thousand, with compact
 * manifests: time (of the processor) and bytes, runs included. Compatible manifests are printed beside them.
 */
import type { Bar } from '../harness.ts';
import { heldTo, median } from '../harness.ts';
import { commitPrice, filledVolume } from '../volumes.ts';

const [small, large] = [100, 100_000];
const commits = 64;
const rounds = 9;
const slowdownMax = 1.3;
const growthMax = 1.5;
const bytesMax = 8192;

export const bar: Bar = {
  id: 'P16',
  title: 'a volume commit at 100,000 blocks against one at 100',
  async run({ log }) {
    const volume = await filledVolume(large, 'compact');
    let turn = 0;
    const prices = { small: [] as number[], large: [] as number[] };
    const speed = await heldTo(1 / slowdownMax, async () => {
      const ratios: number[] = [];
      for (let round = 0; round <= rounds && turn < 15; round++) {
        const a = await commitPrice(await filledVolume(small, 'compact'), small, commits, 0);
        const b = await commitPrice(volume, large, commits, turn++);
        if (round > 0) ratios.push(a.cpuMs / b.cpuMs);
        prices.small.push(a.bytesUp);
        prices.large.push(b.bytesUp);
      }
      return median(ratios);
    });
    const mean = (all: readonly number[]): number => all.reduce((x, y) => x + y, 0) / all.length;
    const [before, after] = [mean(prices.small), mean(prices.large)];
    const plain = await commitPrice(await filledVolume(small, 'compatible'), small, 8, 0);
    log(`bytes a commit: ${before.toFixed(0)} at ${small} blocks, ${after.toFixed(0)} at ${large}`);
    log(`compatible manifests: ${plain.bytesUp.toFixed(0)} at ${small} blocks`);
    const growth = after / before;
    const pass = speed.pass && growth <= growthMax && after <= bytesMax;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure:
        `time x ${(1 / speed.value).toFixed(2)} (bar ${slowdownMax}), bytes x ${growth.toFixed(2)} (bar ${growthMax}), ` +
        `${after.toFixed(0)} bytes (bar ${bytesMax})`,
    };
  },
};
