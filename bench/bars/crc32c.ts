/** CRC: our CRC-32C against hash-wasm's, the fastest that needs no native code; with incremental calls, as logs and readers make them. */
import { createCRC32 } from 'hash-wasm';
import { crc32c } from '../../src/journal.ts';
import type { Bar } from '../harness.ts';
import { compare, heldTo } from '../harness.ts';

const barRatio = 0.9;
const sizes = [128, 4096, 1024 * 1024];

export const bar: Bar = {
  id: 'CRC',
  title: 'CRC-32C against hash-wasm',
  async run({ log }) {
    const theirs = await createCRC32(0x82f6_3b78);
    const each = new Map<number, number>();
    const measure = async (): Promise<number> => {
      for (const size of sizes) {
        const bytes = new Uint8Array(size).map((_, i) => i * 31 + (i >> 8));
        const times = (32 * 1024 * 1024) / size;
        const { ratio } = await compare(
          () => {
            for (let i = 0; i < times; i++) crc32c(bytes);
          },
          () => {
            for (let i = 0; i < times; i++) theirs.init().update(bytes).digest('binary');
          },
          { name: `${size} bytes`, rounds: 11, log },
        );
        each.set(size, ratio);
      }
      return Math.min(...each.values());
    };
    const { value, pass } = await heldTo(barRatio, measure);
    const shown = [...each].map(([size, ratio]) => `${ratio.toFixed(2)} at ${size} bytes`);
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `ratio ${value.toFixed(2)}, the worst of ${shown.join(', ')} (bar ${barRatio})`,
    };
  },
};
