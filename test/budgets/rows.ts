/**
 * What each dataset operation asks of a store: a row is an operation and the exact requests, depth and width it may take
 * with S snapshots in place (docs/cost.md). Shared by the short test and the bar `budgets`.
 */
import type { Dataset, Layout, Store } from '../../src/index.ts';
import {
  createMeter,
  defaultLayout,
  hive,
  jsonl,
  openDataset,
  withMeter,
} from '../../src/index.ts';
import { traceStore } from '../../src/testing/index.ts';
import type { VirtualEnv } from '../../src/testing/index.ts';

export interface Budget {
  readonly puts?: number;
  readonly gets?: number;
  readonly heads?: number;
  readonly lists?: number;
  readonly deletes?: number;
  /** Data files among the puts: a lost race sends none again. */
  readonly dataPuts?: number;
  readonly depth: number;
  /** Requests that have to be in flight together at the widest moment; at most the store's concurrency. */
  readonly parallel: number;
}

export interface Measured extends Required<Budget> {
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Who counts what is asked through its store. */
export interface Watch {
  readonly store: Store;
  reset(): void;
  seen(): Measured;
}

/** Where a dataset is, and the clock that its ids come from. */
export interface History {
  readonly store: Store;
  readonly layout: Layout;
  readonly env: VirtualEnv;
  /** The meter and a trace of the store's calls, unless told. */
  readonly watch?: Watch;
}

interface Row {
  readonly name: string;
  readonly layout: Layout;
  run(at: Measuring): Promise<unknown>;
  budget(facts: Facts): Budget;
  /** Only where there are no guarded puts. */
  readonly unguarded?: true;
}

interface Facts {
  readonly snapshots: number;
  readonly concurrency: number;
}

interface Reading {
  readonly id: number;
  readonly part: string;
}

/** Partitions written and files read in the rows that have several; no more than any store takes at once. */
const partitions = 8;
const id = 'events';
export const layouts: Readonly<Record<'plain' | 'parts', Layout>> = {
  plain: defaultLayout(),
  parts: hive('part'),
};
const codec = jsonl<Reading>();

/** What the meter says, and a trace on a clock on which every request takes the same time. */
function tracing(store: Store, env: VirtualEnv): Watch {
  const meter = createMeter();
  const traced = traceStore(withMeter(store, meter), { latencyMs: 1, env });
  let before = meter.snapshot();
  return {
    store: traced.store,
    reset() {
      traced.reset();
      before = meter.snapshot();
    },
    seen() {
      const { puts, gets, heads, lists, deletes, bytesUp, bytesDown } = meter.snapshot(before);
      const { depth, parallel, requests } = traced.trace();
      const dataPuts = requests.filter(({ call, key }) => call === 'put' && isData(key)).length;
      const counts = { puts, dataPuts, gets, heads, lists, deletes, bytesUp, bytesDown };
      return { ...counts, depth, parallel };
    },
  };
}

export function isData(key: string): boolean {
  return key.includes('/data/');
}

/** Counts what one row asks. */
class Measuring {
  readonly env: VirtualEnv;
  readonly #layout: Layout;
  readonly #base: Store;
  readonly #watch: Watch;
  #measured: Measured | undefined;

  constructor({ store, layout, env, watch = tracing(store, env) }: History) {
    this.env = env;
    this.#base = store;
    this.#layout = layout;
    this.#watch = watch;
  }

  /** A handle whose requests are counted; another writer's are not. */
  open(retries = 0, peers?: 'go'): Promise<Dataset<Reading>> {
    return open(this.#watch.store, this.#layout, { env: this.env, retries, peers });
  }

  other(): Promise<Dataset<Reading>> {
    return open(this.#base, this.#layout, { env: this.env });
  }

  async count(work: () => Promise<unknown>): Promise<void> {
    this.#watch.reset();
    await work();
    this.#measured = this.#watch.seen();
  }

  get measured(): Measured {
    if (this.#measured === undefined) throw new Error('the row counted nothing');
    return this.#measured;
  }
}

function open(
  store: Store,
  layout: Layout,
  { env, retries = 0, peers }: { env: VirtualEnv; retries?: number; peers?: 'go' | undefined },
): Promise<Dataset<Reading>> {
  // A disk in memory keeps only the writers of one process apart.
  const who = peers === undefined ? ({ writers: 'process' } as const) : { peers };
  return openDataset(id, { store, layout, codec, env, ...who, retry: { attempts: retries } });
}

function readings(parts: number): Reading[] {
  return Array.from({ length: parts }, (_, part) => ({ id: part, part: `p${part}` }));
}

const one = readings(1);
const several = readings(partitions);

/** A pointer conflict costs the lost put, the pointer and its manifest read, and the manifest and pointer put again. */
const lostRace = { puts: 3 + 1, dataPuts: 1, gets: 2 };

const rows: readonly Row[] = [
  {
    name: 'openDataset',
    layout: layouts.plain,
    run: (at) => at.count(() => at.open()),
    budget: () => ({ gets: 1, depth: 1, parallel: 1 }),
  },
  {
    name: 'snapshots()',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open();
      await at.count(async () => {
        for await (const snapshot of dataset.snapshots()) void snapshot;
      });
    },
    // Pointer and head, pages of keys, then every manifest. When the last page is full, one more is asked for to see so.
    budget({ snapshots, concurrency }) {
      const pages = Math.ceil(snapshots / 1000);
      const width = Math.min(snapshots, concurrency);
      const depth = 2 + Math.floor(snapshots / 1000) + 1 + Math.ceil(snapshots / concurrency);
      return { gets: snapshots + 2, lists: pages, depth, parallel: width };
    },
  },
  {
    name: 'write, first of a handle',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open();
      await at.count(() => dataset.write(one));
    },
    // Never a listing.
    budget: () => ({ puts: 3, dataPuts: 1, gets: 1, depth: 4, parallel: 1 }),
  },
  {
    name: 'write, warm',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open();
      await dataset.write(one);
      await at.count(() => dataset.write(one));
    },
    budget: () => ({ puts: 3, dataPuts: 1, depth: 3, parallel: 1 }),
  },
  {
    name: 'streamWriteRecords, warm',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open();
      await dataset.write(one);
      await at.count(() => dataset.streamWriteRecords(one));
    },
    budget: () => ({ puts: 3, dataPuts: 1, depth: 3, parallel: 1 }),
  },
  {
    name: 'write, warm, peers: go',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open(0, 'go');
      await dataset.write(one);
      await at.count(() => dataset.write(one));
    },
    // The pointer is held first.
    budget: () => ({ puts: 4, dataPuts: 1, depth: 4, parallel: 1 }),
    unguarded: true,
  },
  {
    name: 'write, warm, peers: go, one race lost',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open(1, 'go');
      await dataset.latest().catch(() => undefined);
      const other = await at.other();
      await other.write(one);
      await at.count(() => dataset.write(one));
    },
    budget: () => ({ ...lostRace, puts: 5, depth: 7, parallel: 1 }),
    unguarded: true,
  },
  {
    name: `write into ${partitions} partitions, warm`,
    layout: layouts.parts,
    async run(at) {
      const dataset = await at.open();
      await dataset.write(one);
      await at.count(() => dataset.write(several));
    },
    budget: () => ({
      puts: 2 * partitions + 2,
      dataPuts: partitions,
      depth: 4,
      parallel: partitions,
    }),
  },
  {
    name: 'write, warm, one race lost',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open(1);
      await dataset.latest().catch(() => undefined);
      const other = await at.other();
      await other.write(one);
      await at.count(() => dataset.write(one));
    },
    budget: () => ({ ...lostRace, depth: 6, parallel: 1 }),
  },
  {
    name: `write into ${partitions} partitions, warm, one race lost`,
    layout: layouts.parts,
    async run(at) {
      const dataset = await at.open(1);
      await dataset.latest().catch(() => undefined);
      const other = await at.other();
      await other.write(one);
      await at.count(() => dataset.write(several));
    },
    budget: () => ({
      puts: 2 * partitions + 2 + 1,
      dataPuts: partitions,
      gets: 2,
      depth: 7,
      parallel: partitions,
    }),
  },
  {
    name: 'latest, cold',
    layout: layouts.plain,
    async run(at) {
      await (await at.other()).write(one);
      const dataset = await at.open();
      await at.count(() => dataset.latest());
    },
    budget: () => ({ gets: 2, depth: 2, parallel: 1 }),
  },
  {
    name: 'latest, warm',
    layout: layouts.plain,
    async run(at) {
      await (await at.other()).write(one);
      const dataset = await at.open();
      await dataset.latest();
      await at.count(() => dataset.latest());
    },
    budget: () => ({ gets: 1, depth: 1, parallel: 1 }),
  },
  {
    name: 'snapshot(id)',
    layout: layouts.plain,
    async run(at) {
      const written = await (await at.other()).write(one);
      const dataset = await at.open();
      await at.count(() => dataset.snapshot(written.id));
    },
    budget: () => ({ gets: 1, depth: 1, parallel: 1 }),
  },
  {
    name: `read(id), ${partitions} files`,
    layout: layouts.parts,
    async run(at) {
      const written = await (await at.other()).write(several);
      const dataset = await at.open();
      await at.count(() => dataset.read(written.id));
    },
    budget: () => ({ gets: 1 + partitions, depth: 2, parallel: partitions }),
  },
  {
    name: `read(id), 1 of ${partitions} files by partition`,
    layout: layouts.parts,
    async run(at) {
      const written = await (await at.other()).write(several);
      const dataset = await at.open();
      await at.count(() => dataset.read(written.id, { partition: { part: 'p3' } }));
    },
    budget: () => ({ gets: 2, depth: 2, parallel: 1 }),
  },
  {
    name: 'idle for ten minutes',
    layout: layouts.plain,
    async run(at) {
      const dataset = await at.open();
      await dataset.write(one);
      await at.count(() => at.env.sleep(600_000));
    },
    budget: () => ({ depth: 0, parallel: 0 }),
  },
];

/** Writes the history that rows of one layout are measured on: S snapshots of one record each. */
export async function fill(history: History, snapshots: number): Promise<void> {
  const dataset = await open(history.store, history.layout, history);
  for (let i = 0; i < snapshots; i++) await dataset.write(one);
}

/** Runs every row of the history's layout, in order, on top of its `snapshots` snapshots. */
export async function* measure(
  history: History,
  snapshots: number,
): AsyncGenerator<{ readonly name: string; readonly measured: Measured; readonly budget: Budget }> {
  const { concurrency, guardedPut } = history.store.capabilities;
  for (const row of rows) {
    if (row.layout !== history.layout || (guardedPut && row.unguarded)) continue;
    const measuring = new Measuring(history);
    await row.run(measuring);
    const { measured } = measuring;
    yield { name: row.name, measured, budget: row.budget({ snapshots, concurrency }) };
  }
}
