/**
 * C10: durable appends as the log grows: they go on as fast as at the beginning. The slowest in a hundred appends across a change of
 * segment, against the slowest in a hundred without one.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWal, type Wal } from '../../src/journal.ts';
import { compare, heldTo, median, type Bar } from '../harness.ts';
import { record } from '../wal-rows.ts';

const rateMin = 0.95;
const switchMax = 3;
const appends = 200;
const first = 10_000;

export const bar: Bar = {
  id: 'C10',
  title: 'appends as the log grows, and across a change of segment',
  async run({ release, log }) {
    const last = release ? 1e7 : 1e6;
    const root = await mkdtemp(join(tmpdir(), 'lode-append-'));
    try {
      await using short = await logOf(join(root, 'short'), first);
      await using long = await logOf(join(root, 'long'), last);
      const rate = await heldTo(rateMin, async () => {
        const ours = (): void => appendMany(long);
        const theirs = (): void => appendMany(short);
        const name = `appends to a log of ${last}, against one of ${first}`;
        return (await compare(ours, theirs, { name, rounds: 41, log })).ratio;
      });
      await using steady = await logOf(join(root, 'steady'), 0);
      // A group in a hundred or so begins a segment: what is slowest in a hundred is that one.
      await using switching = await logOf(join(root, 'switching'), 0, 90 * (record.length + 16));
      const change = await heldTo(1 / switchMax, async () => {
        const ratios: number[] = [];
        const [slow, usual]: [number[], number[]] = [[], []];
        for (let round = -1; round < 15; round++) {
          const a = await p99(switching);
          const b = await p99(steady);
          if (round < 0) continue;
          slow.push(a);
          usual.push(b);
          ratios.push(b / a);
        }
        const value = median(ratios);
        log(
          `p99 across a change of segment ${median(slow).toFixed(2)} ms, without ${median(usual).toFixed(2)} ms; ` +
            `x ${(1 / value).toFixed(2)}, ${ratios.length} rounds; ${switching.segments().length} segments`,
        );
        return value;
      });
      return {
        outcome: rate.pass && change.pass ? 'pass' : 'fail',
        figure:
          `rate at ${last} records x ${rate.value.toFixed(2)} (bar ${rateMin}), ` +
          `p99 across a change of segment x ${(1 / change.value).toFixed(2)} (bar ${switchMax})`,
      };
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

function appendMany(wal: Wal): void {
  for (let i = 0; i < appends; i++) wal.appendSync(record);
}

async function logOf(dir: string, count: number, segmentBytes = 64 * 1024 * 1024): Promise<Wal> {
  await mkdir(dir);
  const wal = await openWal(dir, { reserveBytes: 0, segmentBytes });
  for (let i = 1; i <= count; i++) {
    const { durable } = wal.append(record);
    if (i % 1000 === 0) await durable;
  }
  await wal.ready();
  return wal;
}

/** The slowest append in a hundred, each waited for. */
async function p99(wal: Wal): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 4 * appends; i++) {
    const start = performance.now();
    await wal.append(record).durable;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}
