/**
 * R23: bombs. Each stops with a typed error within its limit and one chunk (1 MiB), no more than 100 ms after the last
 * piece that was still within, and without the process growing by 32 MiB.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Bar, BarContext } from '../../bench/harness.ts';
import { isLodeError } from '../../src/errors.ts';
import type { Bomb } from '../hostile/bombs.ts';
import { bombs } from '../hostile/bombs.ts';

const limitBytes = 4_194_304;
const chunkBytesMax = 1_048_576;
const stopMsMax = 100;
const growthBytesMax = 33_554_432;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Blast {
  readonly bytes: number;
  readonly stopMs: number;
  readonly growth: number;
  readonly failure: string | undefined;
}

async function blast(bomb: Bomb): Promise<Blast> {
  collectGarbage();
  const before = process.memoryUsage.rss();
  let [bytes, peak, last, failure] = [0, before, performance.now(), 'it never stopped'];
  try {
    await bomb.detonate(limitBytes, (size) => {
      bytes += size;
      last = performance.now();
      peak = Math.max(peak, process.memoryUsage.rss());
      if (bytes > limitBytes * 16) throw new Error('it went on past all limits');
    });
  } catch (error) {
    failure = isLodeError(error, 'LODE_LIMIT_EXCEEDED') ? '' : String(error);
  }
  const stopMs = performance.now() - last;
  const growth = Math.max(peak, process.memoryUsage.rss()) - before;
  if (failure === '' && bytes > limitBytes + chunkBytesMax) failure = `${bytes} bytes came out`;
  if (failure === '' && stopMs > stopMsMax) failure = `it took ${stopMs.toFixed(0)} ms to stop`;
  if (failure === '' && growth > growthBytesMax) failure = `the process grew by ${growth} bytes`;
  return { bytes, stopMs, growth, failure: failure === '' ? undefined : failure };
}

async function run(
  context: BarContext,
): Promise<{ count: number; failures: number; worst: Blast }> {
  const all = await bombs(context.release ? 1_073_741_824 : 67_108_864);
  // Engines load and compile on the first of each kind: that is not what is measured.
  for (const bomb of all) if (!bomb.name.includes('4096')) await blast(bomb);
  let worst: Blast = { bytes: 0, stopMs: 0, growth: 0, failure: undefined };
  let failures = 0;
  for (const bomb of all) {
    let result = await blast(bomb);
    // A pause of the machine is not the bomb's doing: what is slow has to be slow twice.
    if (result.failure !== undefined) result = await blast(bomb);
    if (result.failure !== undefined) {
      failures++;
      context.log(`${bomb.name}: ${result.failure}`);
    }
    worst = {
      bytes: Math.max(worst.bytes, result.bytes),
      stopMs: Math.max(worst.stopMs, result.stopMs),
      growth: Math.max(worst.growth, result.growth),
      failure: undefined,
    };
  }
  return { count: all.length, failures, worst };
}

export const bar: Bar = {
  id: 'R23',
  title: 'bombs stop within their limits',
  async run(context) {
    const { count, failures, worst } = await run(context);
    const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
    context.log(
      `limit ${mib(limitBytes)}; at worst ${mib(worst.bytes)} came out, ${worst.stopMs.toFixed(1)} ms to stop, ` +
        `${mib(worst.growth)} grown`,
    );
    return {
      outcome: failures === 0 && count >= 40 ? 'pass' : 'fail',
      figure: `${count} bombs ${failures} failures (bar 40, 0)`,
    };
  },
};
