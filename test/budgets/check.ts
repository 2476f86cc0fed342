/** The budgets of every kind of store: measured rows against what docs/cost.md allows, exactly. */
import { memoryStore, type Store } from '../../src/index.ts';
import { fsStore } from '../../src/fs.ts';
import { limitedStore, memoryDisk, virtualEnv } from '../../src/testing/index.ts';
import { fill, layouts, measure } from './rows.ts';
import type { Budget, Measured } from './rows.ts';

export interface Finding {
  readonly name: string;
  readonly measured: Measured;
  /** What differs from the budget; empty when it holds. */
  readonly differs: readonly string[];
}

/** The history of a store in memory on each kind of store: guarded puts, compare-and-swap alone, a directory. */
const places: Readonly<Record<string, (filled: Store) => Store | Promise<Store>>> = {
  memory: (filled) => filled,
  'compare-and-swap': (filled) => limitedStore(filled, { guardedPut: false }),
  async fs(filled) {
    // On a disk in memory: what is asked of a store does not depend on the disk, and this one holds 10,000 directories fast.
    const disk = memoryDisk();
    await disk.makeDirectory('/root');
    const store = fsStore('/root', { disk, durability: 'none' });
    await copyManifests(filled, store);
    return store;
  },
};

/** All rows on all stores, on top of S snapshots. */
export async function* budgets(
  snapshots: number,
): AsyncGenerator<Finding & { readonly place: string }> {
  for (const [place, make] of Object.entries(places)) {
    for (const layout of Object.values(layouts)) {
      const env = virtualEnv();
      const filled = memoryStore();
      await fill({ store: filled, layout, env }, snapshots);
      const store = await make(filled);
      for await (const { name, measured, budget } of measure({ store, layout, env }, snapshots))
        yield { place, name, measured, differs: differences(measured, budget) };
    }
  }
}

export function differences(measured: Measured, budget: Budget): string[] {
  const {
    depth,
    parallel,
    puts = 0,
    gets = 0,
    heads = 0,
    lists = 0,
    deletes = 0,
    dataPuts = 0,
  } = budget;
  const expected = { puts, dataPuts, gets, heads, lists, deletes, depth, parallel };
  return Object.entries(expected).flatMap(([what, count]) => {
    const actual = measured[what as keyof Measured];
    return actual === count ? [] : [`${what} ${actual}, not ${count}`];
  });
}

/** What the rows need of a history: its data files, which are most of it, are never read again. */
async function copyManifests(from: Store, to: Store): Promise<void> {
  for await (const { key } of from.list('')) {
    const object = key.includes('/data/') ? undefined : await from.get(key);
    if (object !== undefined) await to.put(key, await object.bytes());
  }
}
