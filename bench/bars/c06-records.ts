/**
 * C6: streamed writes and reads of R records take time in proportion to R, and memory that does not grow at all: a process
 * of its own streams gzip JSONL into a directory and out of it again while its resident memory is watched.
 *
 * Time is processor time in memory, where making a file does not weigh on the small ones; all sizes in turn.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { Dataset } from '../../src/index.ts';
import type { Bar, BarContext } from '../harness.ts';
import { median } from '../harness.ts';
import { collectGarbage, cpuMs, curve } from '../curve.ts';
import type { Row } from '../rows.ts';
import { sampleRows } from '../rows.ts';

/** Below 1 is what a write costs that has few records: no fault. Above is time that grows faster than the data. */
const exponentMax = 1.05;
const growthMax = 64 * 1024 * 1024;

const child = fileURLToPath(new URL('../streaming-child.js', import.meta.url));
const run = promisify(execFile);

/** Bytes of resident memory above the base at the highest moment. */
async function growth(mode: 'write' | 'read', root: string, bytes: number): Promise<number> {
  const { stdout } = await run(process.execPath, [child, mode, root, String(bytes)]);
  const { base, peak } = JSON.parse(stdout) as { base: number; peak: number };
  return peak - base;
}

interface Exponents {
  readonly write: number;
  readonly read: number;
}

async function exponents({ release, seed, log }: BarContext): Promise<Exponents> {
  const sizes = [1_000, 10_000, 100_000, ...(release ? [1_000_000] : [])];
  const sample = sampleRows(1000, seed);
  function* rows(count: number): Generator<Row> {
    for (let id = 0; id < count; id++) yield { ...(sample[id % 1000] as Row), id };
  }
  const open = (): Promise<Dataset<Row>> =>
    openDataset('bench', { store: memoryStore(), codec: jsonl<Row>() });
  /** Small ones many times over, so that each measurement takes about as long. */
  const each = async (size: number, work: () => Promise<void>): Promise<number> => {
    const times = Math.max(1, Math.round(100_000 / size));
    collectGarbage();
    const ms = await cpuMs(async () => {
      for (let i = 0; i < times; i++) await work();
    });
    return ms / times;
  };
  const options = { sizes, rounds: 5, log };
  const written = await curve(
    { ...options, name: 'write, ms of processor time by records' },
    async (size) => {
      const dataset = await open();
      return each(size, async () => void (await dataset.streamWriteRecords(rows(size))));
    },
  );
  const filled = new Map<number, Dataset<Row>>();
  for (const size of sizes) {
    const dataset = await open();
    await dataset.streamWriteRecords(rows(size));
    filled.set(size, dataset);
  }
  const read = await curve({ ...options, name: 'read, ms of processor time by records' }, (size) =>
    each(size, async () => {
      const dataset = filled.get(size) as Dataset<Row>;
      let count = 0;
      for await (const row of dataset.records((await dataset.latest()).id))
        if (row.id >= 0) count++;
      if (count !== size) throw new Error(`${count} records came back of ${size}`);
    }),
  );
  return { write: written.exponent, read: read.exponent };
}

export const bar: Bar = {
  id: 'C6',
  title: 'streamed writes and reads over the number of records: time and memory',
  async run(context) {
    const { release, log } = context;
    const root = await mkdtemp(join(tmpdir(), 'lode-c06-'));
    try {
      const bytes = (release ? 1024 : 96) * 1024 * 1024;
      const grown = {
        write: await growth('write', root, bytes),
        read: await growth('read', root, bytes),
      };
      const mib = (some: number): string => (some / 2 ** 20).toFixed(0);
      log(
        `${mib(bytes)} MiB: resident memory +${mib(grown.write)} MiB written, +${mib(grown.read)} MiB read`,
      );
      const tries: Exponents[] = [await exponents(context)];
      if (tries.some((one) => Math.max(one.write, one.read) > exponentMax))
        tries.push(await exponents(context), await exponents(context));
      const write = median(tries.map((one) => one.write));
      const read = median(tries.map((one) => one.read));
      const most = Math.max(grown.write, grown.read);
      const pass = most <= growthMax && Math.max(write, read) <= exponentMax;
      return {
        outcome: pass ? 'pass' : 'fail',
        figure:
          `exponent of write ${write.toFixed(3)}, of read ${read.toFixed(3)} (bar 1.00 + 0.05), ` +
          `memory +${mib(most)} MiB at ${mib(bytes)} MiB (bar +${mib(growthMax)})`,
      };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};
