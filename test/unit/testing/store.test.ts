/** At risk: the tools that break things. A fault that does not fire, or more than it says, makes every test above it lie. */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { isLodeError, memoryStore, type Store } from '../../../src/index.ts';
import {
  faultyStore,
  limitedStore,
  misbehavingStores,
  storeConformance,
  storeFaults,
  traceStore,
  virtualEnv,
  type StoreCall,
} from '../../../src/testing/index.ts';

const text = async (store: Store, key: string): Promise<string | undefined> => {
  const object = await store.get(key);
  return object && new TextDecoder().decode(await object.bytes());
};

describe('faulty store', () => {
  it('every fault of every call fires once and leaves the next call alone', async () => {
    const calls: Record<StoreCall, (store: Store, signal: AbortSignal) => Promise<unknown>> = {
      put: (store, signal) => store.put('new', 'x', { signal }),
      get: async (store, signal) => (await store.get('k', { signal }))?.bytes(),
      head: (store, signal) => store.head('k', { signal }),
      list: async (store, signal) => {
        for await (const _ of store.list('', { signal }));
      },
      delete: (store, signal) => store.delete('k', { signal }),
    };
    for (const [call, kinds] of Object.entries(storeFaults) as [
      StoreCall,
      typeof storeFaults.put,
    ][]) {
      for (const kind of kinds) {
        const storage = memoryStore();
        for (const key of ['k', 'l', 'm', 'n']) await storage.put(key, 'content');
        const faulty = faultyStore(storage, { kind, on: call });
        const stop = new AbortController();
        const run = calls[call](faulty.store, stop.signal).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (kind.endsWith('hang')) queueMicrotask(() => stop.abort('stop'));
        const error = await run;
        assert.ok(error === undefined || error === 'stop' || isLodeError(error), `${call} ${kind}`);
        assert.equal(faulty.fired, 1, `${call} ${kind}`);
        await calls[call](faulty.store, new AbortController().signal);
        assert.equal(faulty.fired, 1, `${call} ${kind} again`);
      }
    }
  });

  it('at, times and key choose the call', async () => {
    const faulty = faultyStore(memoryStore(), {
      kind: 'missing',
      on: 'get',
      key: (key) => key.startsWith('a'),
      at: 1,
      times: 2,
    });
    await faulty.store.put('a', 'x');
    await faulty.store.put('b', 'x');
    const seen: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      seen.push((await faulty.store.get('a')) !== undefined);
      assert.ok(await faulty.store.get('b'));
    }
    assert.deepEqual(seen, [true, false, false, true]);
  });

  it('a late effect lands when its time has come, and resolve() tells the truth', async () => {
    const storage = memoryStore();
    const faulty = faultyStore(storage, { kind: 'late-effect', laterBy: 2, times: 2 });
    await assert.rejects(faulty.store.put('a', 'x'), (error) =>
      isLodeError(error, 'LODE_WRITE_UNCERTAIN'),
    );
    assert.equal(await storage.head('a'), undefined);
    await faulty.store.head('z');
    assert.equal(await storage.head('a'), undefined);
    await faulty.store.head('z');
    assert.ok(await storage.head('a'));
    try {
      await faulty.store.put('a', 'y');
    } catch (error) {
      assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'));
      assert.equal(await error.details.resolve(), 'not-landed');
    }
    assert.equal(await text(storage, 'a'), 'x');
  });
});

describe('trace', () => {
  it('depth counts what waited, parallel what did not', async () => {
    const traced = traceStore(memoryStore());
    const { store } = traced;
    await Promise.all([store.put('a', 'x'), store.put('b', 'x'), store.put('c', 'x')]);
    await store.head('a');
    assert.deepEqual(
      [traced.trace().depth, traced.trace().parallel, traced.trace().requests.length],
      [2, 3, 4],
    );
    traced.reset();
    await Promise.all([
      (async () => {
        await store.head('a');
        await store.head('b');
      })(),
      store.head('c'),
    ]);
    assert.deepEqual([traced.trace().depth, traced.trace().parallel], [2, 2]);
  });

  it('a guarded put comes after what its guard asks', async () => {
    const traced = traceStore(memoryStore(), { env: virtualEnv() });
    const { store } = traced;
    await store.put('data', 'x');
    await store.put('pointer', 'x', {
      beforePublish: async () => {
        await store.put('manifest', 'x');
        await Promise.all([store.put('copy 1', 'x'), store.put('copy 2', 'x')]);
      },
    });
    assert.deepEqual(
      [traced.trace().requests.length, traced.trace().depth, traced.trace().parallel],
      [5, 4, 2],
    );
  });

  it('a listing is a request a page', async () => {
    const storage = memoryStore();
    for (let i = 0; i < 1500; i++) await storage.put(`k/${i}`, '');
    const traced = traceStore(storage, { latencyMs: 0 });
    let count = 0;
    for await (const _ of traced.store.list('')) count++;
    assert.deepEqual([count, traced.trace().depth], [1500, 2]);
  });
});

/** The first case of the suite that a store fails. */
async function firstFailure(open: () => Store): Promise<string | undefined> {
  const runs: [string, () => Promise<void>][] = [];
  storeConformance({
    name: 'suite',
    open: () => ({ store: open() }),
    test: (name, run) => runs.push([name, run]),
    rounds: 1,
  });
  for (const [name, run] of runs) {
    try {
      await run();
    } catch {
      return name;
    }
  }
  return undefined;
}

describe('suite', () => {
  it('no misbehaving store passes it', async () => {
    for (const { name, wrap } of misbehavingStores) {
      if (name === 'declares no conditions') continue;
      assert.ok(await firstFailure(() => wrap(memoryStore())), name);
    }
  });
});

// What a store declares is what the suite expects: short names, no guard, no order.
storeConformance({
  name: 'limited',
  test,
  open: () => ({
    store: limitedStore(memoryStore(), {
      guardedPut: false,
      orderedList: false,
      componentBytesMax: 255,
      keyBytesMax: 900,
    }),
  }),
});
