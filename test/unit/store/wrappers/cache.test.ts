/** At risk: stale bytes, absence remembered, and one caller's abort felt by others. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createMeter,
  isLodeError,
  memoryStore,
  withCache,
  withMeter,
  type GetOptions,
  type Store,
} from '../../../../src/index.ts';
import { faultyStore, traceStore } from '../../../../src/testing/index.ts';

const text = async (store: Store, key: string): Promise<string | undefined> => {
  const object = await store.get(key);
  return object && new TextDecoder().decode(await object.bytes());
};

function cached(bytesMax = 100_000): { storage: Store; store: Store; gets: () => number } {
  const storage = memoryStore();
  const meter = createMeter();
  const store = withCache(withMeter(storage, meter), { bytesMax });
  return { storage, store, gets: () => meter.snapshot().gets };
}

describe('cache', () => {
  it('a second read, a range and a conditional read of a held object cost nothing', async () => {
    const { store, gets } = cached();
    await store.put('a', 'hello world');
    assert.equal(await text(store, 'a'), 'hello world');
    const range = await store.get('a', { range: { offset: 6 } });
    assert.equal(new TextDecoder().decode(await range?.bytes()), 'world');
    const etag = range?.etag ?? '';
    assert.equal((await store.get('a', { ifNoneMatch: etag }))?.notModified, true);
    assert.equal((await store.get('a', { ifMatch: etag }))?.size, 11);
    assert.equal(gets(), 1);
  });

  it('a pointer is never held, nor is absence', async () => {
    const { storage, store, gets } = cached();
    await storage.put('d/latest', '1');
    assert.equal(await text(store, 'd/latest'), '1');
    await storage.put('d/latest', '2', { mode: 'overwrite' });
    assert.equal(await text(store, 'd/latest'), '2');
    assert.equal(await text(store, 'm'), undefined);
    await storage.put('m', 'now');
    assert.equal(await text(store, 'm'), 'now');
    assert.equal(gets(), 4);
  });

  it('a head always asks', async () => {
    const { storage, store } = cached();
    await store.put('a', 'x');
    await text(store, 'a');
    await storage.delete('a');
    assert.equal(await store.head('a'), undefined);
  });

  it('a caller who changes what it got changes nobody else’s', async () => {
    const { store } = cached();
    await store.put('a', 'hello');
    for (let i = 0; i < 2; i++) (await (await store.get('a'))?.bytes())?.fill(0);
    assert.equal(await text(store, 'a'), 'hello');
  });

  it('puts and deletes through it forget, even while a read is under way', async () => {
    const { store } = cached();
    await store.put('a', 'old');
    const read = text(store, 'a');
    await store.put('a', 'new', { mode: 'overwrite' });
    await read;
    assert.equal(await text(store, 'a'), 'new');
    await store.delete('a');
    assert.equal(await text(store, 'a'), undefined);
  });

  it('is bounded, and drops what was used least recently', async () => {
    const { store, gets } = cached(10_000);
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
      await store.put(key, 'x'.repeat(1000));
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await text(store, key);
    await text(store, 'a');
    assert.equal(gets(), 7);
    await text(store, 'h');
    await text(store, 'i');
    await text(store, 'a');
    assert.equal(gets(), 9, 'the one used last was kept');
    await text(store, 'b');
    assert.equal(gets(), 10, 'the one not used was dropped');
  });

  it('objects over the limit stream past and are not held', async () => {
    const { store, gets } = cached(8000);
    await store.put('large', 'x'.repeat(1001));
    const all = await Promise.all([
      text(store, 'large'),
      text(store, 'large'),
      text(store, 'large'),
    ]);
    assert.deepEqual(new Set(all), new Set(['x'.repeat(1001)]));
    assert.equal(gets(), 3);
  });

  it('readers of one key share a request, and an abort stops one reader only', async () => {
    const storage = memoryStore();
    await storage.put('a', 'hello');
    const traced = traceStore(storage);
    const store = withCache(traced.store, { bytesMax: 10_000 });
    const stop = new AbortController();
    const reason = new Error('stop');
    const first = store.get('a', { signal: stop.signal });
    const others = [text(store, 'a'), text(store, 'a')];
    stop.abort(reason);
    await assert.rejects(first, reason);
    assert.deepEqual(await Promise.all(others), ['hello', 'hello']);
    assert.equal(traced.trace().requests.length, 1);
  });

  it('a request that feels aborts goes on for those who stay, and stops when all have left', async () => {
    const storage = memoryStore();
    await storage.put('a', 'hello');
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const signals: (AbortSignal | undefined)[] = [];
    const slow = Object.create(storage, {
      get: {
        value: async (key: string, { signal }: GetOptions) => {
          signals.push(signal);
          await gate;
          signal?.throwIfAborted();
          return storage.get(key);
        },
      },
    }) as Store;
    const store = withCache(slow, { bytesMax: 10_000 });
    const stops = [new AbortController(), new AbortController()];
    const gone = stops.map(({ signal }) => store.get('a', { signal }));
    const stays = text(store, 'a');
    for (const stop of stops) stop.abort(new Error('stop'));
    for (const one of gone) await assert.rejects(one, /stop/);
    assert.deepEqual(
      signals.map((signal) => signal?.aborted),
      [false],
    );
    open();
    assert.equal(await stays, 'hello');

    const last = new AbortController();
    const alone = store.get('b', { signal: last.signal });
    last.abort(new Error('stop'));
    await assert.rejects(alone, /stop/);
    assert.equal(signals[1]?.aborted, true);
  });

  it('a reader that comes after all others have left is not told of their abort', async () => {
    const storage = memoryStore();
    await storage.put('a', 'hello');
    const { store: hanging } = faultyStore(storage, { kind: 'hang', on: 'get' });
    const store = withCache(hanging, { bytesMax: 10_000 });
    const stop = new AbortController();
    const first = store.get('a', { signal: stop.signal });
    stop.abort(new Error('stop'));
    await assert.rejects(first, /stop/);
    assert.equal(await text(store, 'a'), 'hello');
  });

  it('absence that was asked for before a write is not told after it', async () => {
    const storage = memoryStore();
    const traced = traceStore(storage, { latencyMs: 5 });
    const store = withCache(traced.store, { bytesMax: 10_000 });
    const early = text(store, 'a');
    await Promise.resolve();
    await storage.put('a', 'there');
    const late = text(store, 'a');
    assert.equal(await late, 'there');
    await early;
  });

  it('a body of another length than announced is refused, not held', async () => {
    const storage = memoryStore();
    await storage.put('a', 'hello');
    for (const kind of ['short-body', 'long-body', 'wrong-size'] as const) {
      const store = withCache(faultyStore(storage, { kind }).store, { bytesMax: 10_000 });
      await assert.rejects(store.get('a'), (error) => isLodeError(error, 'LODE_TRUNCATED'));
      assert.equal(await text(store, 'a'), 'hello');
    }
  });
});
