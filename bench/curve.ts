/** Scale curves: how a cost grows with a size, measured where other processes of the machine disturb least. */
import { loadavg } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from './harness.ts';

export interface Point {
  readonly size: number;
  readonly cost: number;
}

/** Slope of cost over size in logarithms: 0 for constant, 1 for linear. */
export function exponentOf(points: readonly Point[]): number {
  const logs = points.map(({ size, cost }) => [Math.log(size), Math.log(cost)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, log) => sum + log[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [lx, ly]) => sum + (lx - x) * (ly - y), 0);
  return over / logs.reduce((sum, [lx]) => sum + (lx - x) ** 2, 0);
}

/** Processor milliseconds of this process: a loaded machine makes it wait, which this does not count. */
export async function cpuMs(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const gc = exposedGc();

/**
 * Collects garbage, so that what is measured next is what is held. Twice: V8 gives the memory of dead buffers back on another
 * thread, and a collection first waits for that of the one before it.
 */
export function collectGarbage(): void {
  gc();
  gc();
}

function exposedGc(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Bytes held by this process's objects and buffers after a collection. */
export function heldBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

interface CurveOptions {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly log: (line: string) => void;
}

export interface Curve {
  readonly points: readonly Point[];
  readonly exponent: number;
  /** Median over the rounds of (cost at the largest size / cost at the smallest). */
  readonly lastToFirst: number;
}

/** Measures every size in turn, round after round, so that what disturbs one disturbs all. */
export async function curve(
  { name, sizes, rounds, log }: CurveOptions,
  measure: (size: number) => Promise<number>,
): Promise<Curve> {
  for (const size of sizes) await measure(size);
  const costs = sizes.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, size] of sizes.entries()) costs[i]?.push(await measure(size));
  }
  const points = sizes.map((size, i) => ({ size, cost: median(costs[i] ?? []) }));
  const [first = [], last = []] = [costs[0], costs.at(-1)];
  const lastToFirst = median(last.map((cost, i) => cost / (first[i] ?? Number.NaN)));
  const exponent = exponentOf(points);
  log(
    `${name}: ${points.map(({ size, cost }) => `${size}: ${cost.toPrecision(3)}`).join(', ')}; ` +
      `exponent ${exponent.toFixed(3)}, last to first ${lastToFirst.toFixed(2)}, ` +
      `${rounds} rounds, load ${loadavg()[0]?.toFixed(1)}`,
  );
  return { points, exponent, lastToFirst };
}
