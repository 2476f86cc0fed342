/** At risk: the contract of the Store seam, on the store in memory and through every wrapper over it. */
import { test } from 'node:test';
import {
  createMeter,
  memoryStore,
  withCache,
  withMeter,
  withPrefix,
  withProbe,
  withRetry,
  type Store,
} from '../../src/index.ts';
import { storeConformance } from '../../src/testing/index.ts';

const wrappers: Readonly<Record<string, (store: Store) => Store>> = {
  memory: (store) => store,
  prefix: (store) => withPrefix(store, 'some/prefix'),
  retry: (store) => withRetry(store),
  cache: (store) => withCache(store, { bytesMax: 1 << 20 }),
  meter: (store) => withMeter(store, createMeter()),
  probe: (store) => withProbe(store),
  'documented stack': (store) => {
    const proven = withProbe(withPrefix(store, 'team'));
    const retried = withRetry(withMeter(proven, createMeter()));
    return withMeter(withCache(retried, { bytesMax: 1 << 20 }), createMeter());
  },
};

for (const [name, wrap] of Object.entries(wrappers)) {
  storeConformance({
    name,
    test,
    open() {
      const store = memoryStore();
      return { store: wrap(store), another: async () => wrap(store) };
    },
  });
}
