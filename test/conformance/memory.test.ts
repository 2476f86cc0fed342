/** At risk: the contract of the Store seam, on the store in memory and through every wrapper over it. */
import { test } from 'node:test';
import { memoryStore } from '../../src/index.ts';
import { storeConformance } from '../../src/testing/index.ts';
import { wrappers } from '../wrappers.ts';

for (const [name, wrap] of Object.entries(wrappers)) {
  storeConformance({
    name: `memory, ${name}`,
    test,
    open() {
      const store = memoryStore();
      return { store: wrap(store), another: async () => wrap(store) };
    },
  });
}
