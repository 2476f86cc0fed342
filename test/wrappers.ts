/** Each wrapper, and the stack that the documentation recommends: what the suite runs through over every store. */
import {
  createMeter,
  withCache,
  withEvents,
  withMeter,
  withPrefix,
  withProbe,
  withRetry,
  type Store,
} from '../src/index.ts';

export const wrappers: Readonly<Record<string, (store: Store) => Store>> = {
  bare: (store) => store,
  prefix: (store) => withPrefix(store, 'some/prefix'),
  retry: (store) => withRetry(store),
  cache: (store) => withCache(store, { bytesMax: 1 << 20 }),
  events: (store) => withEvents(store),
  meter: (store) => withMeter(store, createMeter()),
  probe: (store) => withProbe(store),
  'documented stack': (store) => {
    const proven = withProbe(withPrefix(store, 'team'));
    const retried = withRetry(withMeter(proven, createMeter()));
    return withMeter(withCache(retried, { bytesMax: 1 << 20 }), createMeter());
  },
};
