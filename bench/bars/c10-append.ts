/**
 * C10: durable appends as the log grows: they go on as fast as at the beginning. The 99th percentile of 400 appends with a change of
 * segment among them, against 400 without. What the append that makes the segment takes is shown: a file and four more syncs.
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
const perSegment = 390;

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
      const segment = perSegment * (record.length + 16);
      await using switching = await logOf(join(root, 'switching'), 0, segment);
      const change = await heldTo(1 / switchMax, async () => {
        const ratios: number[] = [];
        const [slow, usual, slowest]: [number[], number[], number[]] = [[], [], []];
        for (let round = -1; round < 15; round++) {
          const a = await latencies(switching);
          const b = await latencies(steady);
          if (round < 0) continue;
          slow.push(a.p99);
          usual.push(b.p99);
          slowest.push(a.slowest);
          ratios.push(b.p99 / a.p99);
        }
        const value = median(ratios);
        log(
          `p99 across a change of segment ${median(slow).toFixed(2)} ms, without ${median(usual).toFixed(2)} ms; ` +
            `x ${(1 / value).toFixed(2)}, ${ratios.length} rounds; ${switching.segments().length} segments; ` +
            `the one that makes a segment ${median(slowest).toFixed(2)} ms`,
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

/** Of appends that are each waited for. */
async function latencies(wal: Wal): Promise<{ readonly p99: number; readonly slowest: number }> {
  const times: number[] = [];
  for (let i = 0; i < 2 * appends; i++) {
    const start = performance.now();
    await wal.append(record).durable;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { p99: times[times.length * 0.99] ?? Number.NaN, slowest: times.at(-1) ?? Number.NaN };
}
