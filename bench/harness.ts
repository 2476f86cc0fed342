/** How bars are measured: in turn, in one process, as the median of pairwise ratios. */
import { loadavg } from 'node:os';

export interface BarContext {
  /** Large counts. */
  readonly release: boolean;
  readonly seed: number;
  readonly log: (line: string) => void;
}

export interface BarResult {
  readonly outcome: 'pass' | 'fail' | 'skip';
  /** The figure and the bar it is held to, such as `ratio 0.91 (bar 0.80)`. */
  readonly figure: string;
}

export interface Bar {
  readonly id: string;
  readonly title: string;
  run(context: BarContext): Promise<BarResult>;
}

/** One side of a comparison: does a fixed amount of work. */
export type Contestant = () => void | Promise<void>;

export interface Comparison {
  /** Median of (theirs / ours), round by round: above 1, ours is faster. */
  readonly ratio: number;
  readonly oursMs: number;
  readonly theirsMs: number;
}

export interface CompareOptions {
  readonly name: string;
  readonly rounds?: number;
  readonly log: (line: string) => void;
}

/** Runs both in turn (A B A B …) after one warm-up of each and prints medians, ratio, rounds and load. */
export async function compare(
  ours: Contestant,
  theirs: Contestant,
  { name, rounds = 7, log }: CompareOptions,
): Promise<Comparison> {
  await ours();
  await theirs();
  const a: number[] = [];
  const b: number[] = [];
  for (let round = 0; round < rounds; round++) {
    a.push(await timed(ours));
    b.push(await timed(theirs));
  }
  const ratio = median(b.map((theirsMs, i) => theirsMs / (a[i] ?? Number.NaN)));
  const result = { ratio, oursMs: median(a), theirsMs: median(b) };
  log(
    `${name}: ratio ${ratio.toFixed(2)}, ours ${result.oursMs.toFixed(2)} ms, theirs ${result.theirsMs.toFixed(2)} ms, ` +
      `${rounds} rounds, load ${loadavg()[0]?.toFixed(1)}`,
  );
  return result;
}

/** Runs `measure` up to three times; the median of three decides once the first misses the bar. */
export async function heldTo(
  bar: number,
  measure: () => Promise<number>,
): Promise<{ value: number; pass: boolean }> {
  const values = [await measure()];
  if ((values[0] ?? 0) < bar) values.push(await measure(), await measure());
  const value = median(values);
  return { value, pass: value >= bar };
}

export async function timed(work: Contestant): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
