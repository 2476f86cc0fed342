/** R14: one suite, every store, every wrapper; 64 racing swaps have exactly one winner, round after round. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bar, BarContext } from '../../bench/harness.ts';
import { nodeDisk } from '../../src/disk/node/index.ts';
import { memoryDisk } from '../../src/disk/memory.ts';
import { fsStore } from '../../src/fs.ts';
import { memoryStore, type Store } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double, storeConformance, type Opened } from '../../src/testing/index.ts';
import { wrappers } from '../wrappers.ts';

async function inMemory(): Promise<Opened> {
  const disk = memoryDisk();
  await disk.makeDirectory('/root');
  return { store: fsStore('/root', { disk }), another: async () => fsStore('/root', { disk }) };
}

const storages: Readonly<Record<string, () => Promise<Opened>>> = {
  async memory() {
    const store = memoryStore();
    return { store, another: async () => store };
  },
  async fs() {
    const root = await mkdtemp(join(tmpdir(), 'lode-r14-'));
    return {
      store: fsStore(root, { durability: 'none' }),
      another: async () => fsStore(root, { durability: 'none', disk: nodeDisk() }),
      close: () => rm(root, { recursive: true }),
    };
  },
  async s3() {
    const double = await s3Double();
    const { bucket, endpoint, credentials } = double;
    const one = (): ReturnType<typeof s3Store> =>
      s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
    const [store, other] = [one(), one()];
    return {
      store,
      another: async () => other,
      async close() {
        await Promise.all([store.close(), other.close()]);
        await double.close();
      },
    };
  },
};

/** In short, the bucket is met bare and behind what the documentation recommends: `npm test` has it behind more. */
const shortOfS3 = ['bare', 'documented stack'];

const short: Readonly<Record<string, () => Promise<Opened>>> = { fs: inMemory };

interface Count {
  readonly cases: number;
  readonly failed: readonly string[];
}

async function runSuite(name: string, rounds: number, open: () => Promise<Opened>): Promise<Count> {
  const runs: [string, () => Promise<void>][] = [];
  const cases = storeConformance({
    name,
    rounds,
    open,
    test: (title, run) => runs.push([title, run]),
  });
  const failed: string[] = [];
  for (const [title, run] of runs) {
    await run().catch((error: unknown) => failed.push(`${title}: ${String(error)}`));
  }
  return { cases, failed };
}

/** The same storage behind a wrapper, for both handles. */
function wrapped(open: () => Promise<Opened>, wrap: (store: Store) => Store) {
  return async (): Promise<Opened> => {
    const { store, another, close } = await open();
    return {
      store: wrap(store),
      ...(another && { another: async () => wrap(await another()) }),
      ...(close && { close }),
    };
  };
}

async function runAll({ release, log }: BarContext): Promise<Count & { fewest: number }> {
  const failed: string[] = [];
  let cases = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [name, open] of Object.entries(storages)) {
    for (const [wrapper, wrap] of Object.entries(wrappers)) {
      if (name === 's3' && !release && !shortOfS3.includes(wrapper)) continue;
      // The races are the store's own affair: all rounds on the bare one, some behind each wrapper.
      const bare = wrapper === 'bare';
      const rounds = release ? (bare ? 2000 : 200) : bare ? 200 : 5;
      // In short, wrappers meet the fs store on a disk in memory.
      const storage = bare || release ? open : (short[name] ?? open);
      const start = performance.now();
      const count = await runSuite(`${name}, ${wrapper}`, rounds, wrapped(storage, wrap));
      log(
        `${name}, ${wrapper}: ${count.cases} cases, ${count.failed.length} failures, ` +
          `${rounds} rounds of 64 racers, ${((performance.now() - start) / 1000).toFixed(1)} s`,
      );
      cases += count.cases;
      fewest = Math.min(fewest, count.cases);
      failed.push(...count.failed);
    }
  }
  return { cases, failed, fewest };
}

export const bar: Bar = {
  id: 'R14',
  title: 'the store suite over every store and wrapper',
  async run(context) {
    const { cases, failed, fewest } = await runAll(context);
    for (const line of failed) context.log(line);
    return {
      outcome: failed.length === 0 && fewest >= 80 ? 'pass' : 'fail',
      figure: `${cases} cases, ${fewest} per store and wrapper (bar 80), ${failed.length} failures`,
    };
  },
};
