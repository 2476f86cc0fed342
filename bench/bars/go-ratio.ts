/**
 * GO: against Go Lode, the original, on the same machine, in turn: small writes one after the other on a directory and in
 * memory, bulk writes and reads of gzip JSONL, and volumes. Go times itself inside its process, ours in this one; the pipe between
 * them is not counted. Go never syncs, so ours is compared without durability, and the durable figure stands beside it.
 *
 * The goal is 1.0. The bar is a floor under what there is, lower where the two do different things: Go writes data and
 * manifest in place, where a reader may see the first half of them, ours stages each file, links it and takes the other name
 * away again (0.4 in a directory); in memory no storage hides what a virtual machine costs (0.33); bulk work is mostly
 * zlib, JSON and digests on both sides (0.5).
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzip, jsonl, md5, memoryStore, none, openDataset } from '../../src/index.ts';
import type { Dataset, Store } from '../../src/index.ts';
import { fsStore } from '../../src/fs.ts';
import { goPeer } from '../../test/interop/go-peer.ts';
import type { GoSession } from '../../test/interop/go-peer.ts';
import { volumeLoads } from '../go-volume.ts';
import type { Side } from '../go-volume.ts';
import { heldTo, median, warmedUp } from '../harness.ts';
import type { Bar, BarContext, BarResult } from '../harness.ts';

interface Row {
  readonly id: number;
  readonly name: string;
  readonly score: number;
  readonly active: boolean;
  readonly message: string;
}

/** The rows that the Go program makes. */
function rowsOf(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i,
    name: `user-${i % 1000}`,
    score: (i % 997) / 8,
    active: i % 3 === 0,
    message: 'the quick brown fox jumps over the lazy dog',
  }));
}

interface Workload {
  readonly name: string;
  readonly work: 'write-small' | 'write-bulk' | 'read-bulk';
  readonly store: 'fs' | 'memory';
  readonly durability?: 'full';
  readonly records: number;
  readonly iterations: number;
  /** The ratio it may not fall below; without one it is printed only. */
  readonly floor?: number;
}

function workloads(release: boolean): Workload[] {
  const small = release ? 1_000 : 100;
  const bulk = { records: release ? 200_000 : 30_000, iterations: 1, store: 'fs' } as const;
  const write = { work: 'write-small', records: 1 } as const;
  return [
    { name: 'small writes, directory', ...write, store: 'fs', iterations: small, floor: 0.4 },
    {
      name: 'small writes, directory, ours durable',
      ...write,
      store: 'fs',
      durability: 'full',
      iterations: small / 5,
    },
    {
      name: 'small writes, memory',
      ...write,
      store: 'memory',
      iterations: small * 10,
      floor: 0.33,
    },
    { name: 'bulk write, gzip JSONL', ...bulk, work: 'write-bulk', floor: 0.5 },
    { name: 'bulk read, gzip JSONL', ...bulk, work: 'read-bulk', floor: 0.5 },
  ];
}

async function ourSide(root: string, load: Workload): Promise<Side> {
  if (load.work === 'write-small')
    await warmedUp(async (warm) => {
      const once = await ourWork(warm, { ...load, iterations: 3_000 });
      await once();
    });
  return ourWork(root, load);
}

async function ourWork(root: string, load: Workload): Promise<Side> {
  const { work, store, durability = 'none', records, iterations } = load;
  const at: Store = store === 'memory' ? memoryStore() : fsStore(root, { durability });
  const compressor = work === 'write-small' ? none() : gzip();
  const dataset: Dataset<Row> = await openDataset('bench', {
    store: at,
    codec: jsonl<Row>(),
    compressor,
    checksum: md5(),
  });
  const rows = rowsOf(records);
  const { id } = await dataset.write(rows);
  return async () => {
    const start = performance.now();
    for (let i = 0; i < iterations; i++) {
      if (work === 'read-bulk') await dataset.read(id);
      else await dataset.write(rows, {});
    }
    return performance.now() - start;
  };
}

async function goSide(root: string, load: Workload, go: GoSession): Promise<Side> {
  const { work, store, records, iterations, name } = load;
  const request = {
    handle: `${name} ${root}`,
    root,
    dataset: 'bench',
    codec: 'jsonl',
    compressor: work === 'write-small' ? 'noop' : 'gzip',
    checksum: 'md5',
    store,
    count: records,
  };
  const run = (what: string, times: number): Promise<{ nanoseconds: number }> =>
    go.request('bench', { ...request, work: what, iterations: times });
  await run('write-bulk', 1);
  return async () => (await run(work, iterations)).nanoseconds / 1e6;
}

/** What is compared: a dataset's load or a volume's. */
interface Load {
  readonly name: string;
  readonly iterations: number;
  readonly floor?: number;
  sides(root: string, go: GoSession): Promise<{ readonly ours: Side; readonly theirs: Side }>;
}

async function ratioOf(
  load: Load,
  go: GoSession,
  { log }: Pick<BarContext, 'log'>,
): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'lode-go-'));
  const rounds = 7;
  try {
    await Promise.all(['ours', 'go'].map((side) => mkdir(join(root, side))));
    const { ours, theirs } = await load.sides(root, go);
    // What is left to be compiled is while it runs.
    for (let i = 0; i < 3; i++) await ours();
    await theirs();
    const a: number[] = [];
    const b: number[] = [];
    for (let round = 0; round < rounds; round++) {
      a.push(await ours());
      b.push(await theirs());
    }
    const ratio = median(b.map((ms, i) => ms / (a[i] ?? Number.NaN)));
    const { iterations } = load;
    log(
      `${load.name}: ratio ${ratio.toFixed(2)}, ours ${(median(a) / iterations).toFixed(3)} ms, ` +
        `Go ${(median(b) / iterations).toFixed(3)} ms, ${rounds} rounds, load ${loadavg()[0]?.toFixed(1)}`,
    );
    return ratio;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function run(context: BarContext, go: GoSession): Promise<BarResult> {
  const figures: string[] = [];
  let outcome: 'pass' | 'fail' = 'pass';
  const datasets = workloads(context.release).map((load): Load => ({
    ...load,
    sides: async (root) => ({
      ours: await ourSide(join(root, 'ours'), load),
      theirs: await goSide(join(root, 'go'), load, go),
    }),
  }));
  for (const load of [...datasets, ...volumeLoads(context.release)]) {
    const { name, floor } = load;
    const { value, pass } = await heldTo(floor ?? 0, () => ratioOf(load, go, context));
    if (!pass) outcome = 'fail';
    figures.push(`${name} ${value.toFixed(2)}${floor === undefined ? '' : ` (floor ${floor})`}`);
  }
  return { outcome, figure: `ratios to Go, goal 1.0: ${figures.join('; ')}` };
}

export const bar: Bar = {
  id: 'GO',
  title: 'small writes, bulk write and read, and volumes against Go Lode',
  async run(context) {
    const peer = await goPeer();
    if ('missing' in peer) return { outcome: 'skip', figure: `skipped: ${peer.missing}` };
    await using go = peer.serve();
    // Awaited here: the peer ends with this block.
    return await run(context, go);
  },
};
