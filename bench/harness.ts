/** How bars are measured: in turn, in one process, as the median of pairwise ratios. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

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
  /** Called before each turn and not timed: nobody has to clean up after another. */
  readonly before?: () => void;
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

/** One other side, and what our ratio to it has to be: 0 when it is only shown. */
export interface Row {
  readonly name: string;
  readonly min: number;
  readonly theirs: Contestant;
}

export interface HeldRow {
  readonly name: string;
  readonly min: number;
  readonly value: number;
}

export interface HeldRows {
  readonly rows: readonly HeldRow[];
  readonly pass: boolean;
  /** The fastest round: what is left when other processes take no turn. */
  readonly oursBestMs: number;
}

/**
 * Ours against several others, all in turn (A B C A B C …). Once a row misses its bar all are measured twice more, and the
 * medians of three decide.
 */
export async function heldRows(
  ours: Contestant,
  rows: readonly Row[],
  options: CompareOptions,
): Promise<HeldRows> {
  if (rows.length === 0) return { rows: [], pass: true, oursBestMs: Number.NaN };
  const measured = [await ratiosTo(ours, rows, options)];
  const isMissed = rows.some(({ min }, i) => !((measured[0]?.ratios[i] ?? 0) >= min));
  while (isMissed && measured.length < 3) measured.push(await ratiosTo(ours, rows, options));
  const held = rows.map((row, i) => ({
    name: row.name,
    min: row.min,
    value: median(measured.map(({ ratios }) => ratios[i] ?? Number.NaN)),
  }));
  const pass = held.every(({ value, min }) => value >= min);
  return { rows: held, pass, oursBestMs: Math.min(...measured.map(({ bestMs }) => bestMs)) };
}

/** Rows as the end of a figure shows them: `, 1.93 lmdb (bar 1.5)`. */
export function shownRows(rows: readonly HeldRow[]): string {
  return rows
    .map(
      ({ name, min, value }) => `, ${value.toFixed(2)} ${name}${min === 0 ? '' : ` (bar ${min})`}`,
    )
    .join('');
}

async function ratiosTo(
  ours: Contestant,
  rows: readonly Row[],
  { name, rounds = 7, before, log }: CompareOptions,
): Promise<{ readonly ratios: readonly number[]; readonly bestMs: number }> {
  const sides = [ours, ...rows.map(({ theirs }) => theirs)];
  const times = sides.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, side] of sides.entries()) {
      before?.();
      const ms = await timed(side);
      if (round >= 0) times[i]?.push(ms); // the first round warms up
    }
  }
  const [mine = [], ...others] = times;
  const ratios = others.map((all) => median(all.map((ms, i) => ms / (mine[i] ?? Number.NaN))));
  log(
    `${name}: ours ${median(mine).toFixed(2)} ms; ` +
      rows
        .map(
          (row, i) =>
            `${row.name} ${median(others[i] ?? []).toFixed(2)} ms, ratio ${(ratios[i] ?? Number.NaN).toFixed(2)}`,
        )
        .join('; ') +
      `; ${rounds} rounds, load ${loadavg()[0]?.toFixed(1)}`,
  );
  return { ratios, bestMs: Math.min(...mine) };
}

/**
 * Runs `work` on a directory in memory, to have code compiled before it is measured: the first thousands of small calls take
 * several times as long as those after them. On the disk so many would change what is measured: a file system may look for
 * inodes past all that were freed lately.
 */
export async function warmedUp(work: (root: string) => Promise<void>): Promise<void> {
  const memory = '/dev/shm';
  const root = await mkdtemp(join(existsSync(memory) ? memory : tmpdir(), 'lode-warm-'));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
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
