/** At risk: keys that leave their prefix, counts that lie, and a probe that asks too much. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createMeter,
  isLodeError,
  memoryStore,
  withMeter,
  withPrefix,
  withProbe,
} from '../../../../src/index.ts';
import { faultyStore, misbehavingStores } from '../../../../src/testing/index.ts';

describe('prefix', () => {
  it('keeps to its part of the store', async () => {
    const storage = memoryStore();
    const store = withPrefix(storage, 'team//a/');
    await store.put('x/../key', '1');
    assert.ok(await storage.head('team/a/key'));
    await storage.put('team/ab', 'outside');
    const escapes = [
      () => store.put('../ab', 'x', { mode: 'overwrite' }),
      () => store.get('../ab'),
      () => store.head('../ab'),
      () => store.delete('../ab'),
      async () => {
        for await (const _ of store.list('../ab'));
      },
    ];
    for (const escape of escapes) {
      await assert.rejects(escape, (error) => isLodeError(error, 'LODE_INVALID_KEY'));
    }
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    assert.deepEqual(keys, ['key']);
    assert.equal(store.capabilities.keyBytesMax, 1024 - 'team/a/'.length);
  });

  it('an empty prefix is the store itself, one outside is refused', () => {
    const storage = memoryStore();
    assert.equal(withPrefix(storage, ''), storage);
    for (const prefix of ['/', '../x', 'a\\b']) assert.throws(() => withPrefix(storage, prefix));
  });
});

describe('meter', () => {
  it('counts requests, bytes and conflicts, and the difference since a snapshot', async () => {
    const meter = createMeter();
    const store = withMeter(memoryStore(), meter);
    await store.put('a', 'hello');
    await store.put('a', 'hello');
    await store.put('b', new Blob(['world!']));
    await (await store.get('a'))?.bytes();
    for await (const _ of (await store.get('b', { range: { offset: 4 } }))?.stream() ?? []);
    await (await store.get('b'))?.cancel();
    await store.head('a');
    for await (const _ of store.list(''));
    const before = meter.snapshot();
    assert.deepEqual(before, {
      requests: 8,
      puts: 3,
      gets: 3,
      heads: 1,
      lists: 1,
      deletes: 0,
      bytesUp: 16,
      bytesDown: 7,
      conflicts: 1,
      retries: 0,
    });
    await store.delete(Array.from({ length: 1001 }, (_, i) => `k${i}`));
    const since = meter.snapshot(before);
    assert.deepEqual([since.requests, since.deletes, since.bytesUp], [2, 2, 0]);
  });

  it('counts a listing by pages', async () => {
    const meter = createMeter();
    const storage = memoryStore();
    for (let i = 0; i < 2001; i++) await storage.put(`k/${i}`, '');
    for await (const _ of withMeter(storage, meter).list(''));
    assert.equal(meter.lists, 3);
  });
});

describe('probe', () => {
  it('is asked once, by conditional puts only, and leaves nothing', async () => {
    const storage = memoryStore();
    const meter = createMeter();
    const store = withProbe(withMeter(storage, meter));
    await store.put('a', 'x', { mode: 'overwrite' });
    await store.get('a');
    await store.head('a');
    assert.equal(meter.snapshot().requests, 3);
    await Promise.all([store.put('b', 'x'), store.put('c', 'x')]);
    const once = meter.snapshot();
    assert.ok(once.requests < 50, `${once.requests} requests`);
    await store.put('d', 'x');
    assert.equal(meter.snapshot(once).requests, 1);
    const keys: string[] = [];
    for await (const { key } of storage.list('')) keys.push(key);
    assert.deepEqual(keys, ['a', 'b', 'c', 'd']);
  });

  it('no answer is no verdict: the next put asks again', async () => {
    for (const [kind, code] of [
      ['fail', 'LODE_UNAVAILABLE'],
      ['deny', 'LODE_PERMISSION_DENIED'],
    ] as const) {
      for (let at = 0; at < 12; at++) {
        const storage = memoryStore();
        const store = withProbe(faultyStore(storage, { kind, on: 'put', at }).store);
        await assert.rejects(store.put('a', 'x'), (error) => isLodeError(error, code));
        assert.equal((await store.put('a', 'x')).outcome, 'stored');
      }
    }
  });

  it('a refusal is kept, and reads go on', async () => {
    const { wrap } = misbehavingStores[0] ?? assert.fail();
    const storage = memoryStore();
    await storage.put('a', 'x');
    const meter = createMeter();
    const store = withProbe(withMeter(wrap(storage), meter));
    for (let i = 0; i < 2; i++) {
      await assert.rejects(store.put('b', 'x'), (error) =>
        isLodeError(error, 'LODE_CONDITIONS_UNSUPPORTED'),
      );
      if (i === 0) meter.puts = 0;
    }
    assert.equal(meter.puts, 0);
    assert.equal((await store.head('a'))?.size, 1);
  });

  it('one caller’s abort does not stop the proof for others', async () => {
    const store = withProbe(memoryStore());
    const stop = new AbortController();
    const reason = new Error('stop');
    const first = store.put('a', 'x', { signal: stop.signal });
    const second = store.put('b', 'x');
    stop.abort(reason);
    await assert.rejects(first, reason);
    assert.equal((await second).outcome, 'stored');
  });
});
