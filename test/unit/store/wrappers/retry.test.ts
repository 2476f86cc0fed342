/** At risk: a write reported lost that landed, one reported ours that was another's, and reads that give up too early. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createMeter,
  isLodeError,
  memoryStore,
  withMeter,
  withRetry,
  type Env,
  type LodeError,
  type RetryOptions,
  type Store,
} from '../../../../src/index.ts';
import { systemEnv } from '../../../../src/env.ts';
import { backoffMs } from '../../../../src/store/backoff.ts';
import {
  faultyStore,
  type StoreFault,
  type StoreFaultKind,
} from '../../../../src/testing/index.ts';

/** Time that passes at once and remembers how much. */
function instantEnv(): Env & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    ...systemEnv,
    slept,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
  };
}

function retrying(
  storage: Store,
  plan: StoreFault | readonly StoreFault[],
  options: RetryOptions = {},
): { store: Store; faulty: ReturnType<typeof faultyStore> } {
  const faulty = faultyStore(storage, plan);
  return { store: withRetry(faulty.store, { env: instantEnv(), ...options }), faulty };
}

async function uncertainty(call: Promise<unknown>): Promise<LodeError<'LODE_WRITE_UNCERTAIN'>> {
  const error: unknown = await call.then(
    () => assert.fail('expected an error'),
    (reason: unknown) => reason,
  );
  assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'), String(error));
  return error;
}

const text = async (store: Store, key: string): Promise<string> =>
  new TextDecoder().decode(await (await store.get(key))?.bytes());

const lost: readonly StoreFaultKind[] = ['effect-then-fail', 'effect-then-lie', 'late-effect'];

describe('retry of puts', () => {
  for (const kind of lost) {
    it(`${kind}: an own write is not taken for a conflict`, async () => {
      for (const mode of ['create', 'ifMatch', 'overwrite'] as const) {
        const storage = memoryStore();
        const old = mode === 'create' ? undefined : await storage.put('k', 'old');
        const { store, faulty } = retrying(storage, { kind, on: 'put', laterBy: 1 });
        const etag = old?.outcome === 'stored' ? old.etag : '';
        const result = await store.put('k', 'mine', {
          mode: mode === 'ifMatch' ? { ifMatch: etag } : mode,
        });
        await faulty.settle();
        assert.equal(result.outcome, 'stored', mode);
        assert.equal((await storage.head('k'))?.etag, result.etag, mode);
        assert.equal(await text(storage, 'k'), 'mine');
      }
    });
  }

  it('a genuine conflict is not masked, and costs no read', async () => {
    const storage = memoryStore();
    await storage.put('k', 'mine');
    const { store, faulty } = retrying(storage, []);
    assert.equal((await store.put('k', 'mine')).outcome, 'conflict');
    assert.equal(faulty.calls, 1);
  });

  it('a genuine conflict after a failure that had no effect is a conflict', async () => {
    const storage = memoryStore();
    await storage.put('k', 'theirs');
    const { store } = retrying(storage, { kind: 'fail', on: 'put' });
    assert.equal((await store.put('k', 'mine')).outcome, 'conflict');
  });

  it('other bytes after an unanswered attempt stay uncertain: ours may be below them', async () => {
    for (const content of ['theirs', 'longer than mine']) {
      const storage = memoryStore();
      const { store, faulty } = retrying(storage, { kind: 'effect-then-fail', on: 'put' });
      const put = store.put('k', 'mine', { mode: 'create' });
      const moved = faultyMove(storage, content);
      const error = await uncertainty(Promise.all([put, moved]).then(([result]) => result));
      assert.ok(faulty.fired > 0);
      await assert.rejects(error.details.resolve(), (reason) =>
        isLodeError(reason, 'LODE_WRITE_UNCERTAIN'),
      );
    }
  });

  it('attempts used up without an answer: uncertain, and resolve() settles it', async () => {
    const storage = memoryStore();
    const { store } = retrying(storage, { kind: 'time-out', on: 'put', times: 3 }, { attempts: 3 });
    const error = await uncertainty(store.put('k', 'mine'));
    assert.equal(await error.details.resolve(), 'landed');
    assert.equal(await text(storage, 'k'), 'mine');
    assert.equal(await error.details.resolve(), 'landed');
  });

  it('are counted by a meter above, whatever the method, and by one only', async () => {
    const storage = memoryStore();
    await storage.put('k', 'x');
    const calls: readonly [StoreFault, (store: Store) => Promise<unknown>][] = [
      [{ kind: 'fail', on: 'put' }, (store) => store.put('new', 'y')],
      [{ kind: 'effect-then-fail', on: 'put' }, (store) => store.put('newer', 'y')],
      [{ kind: 'fail', on: 'get' }, (store) => store.get('k')],
      [{ kind: 'dropped-body', on: 'get' }, async (store) => (await store.get('k'))?.bytes()],
      [{ kind: 'fail', on: 'head' }, (store) => store.head('k')],
      [{ kind: 'fail', on: 'list' }, (store) => store.list('')[Symbol.asyncIterator]().next()],
      [{ kind: 'fail', on: 'delete' }, (store) => store.delete('new')],
    ];
    for (const [fault, call] of calls) {
      const [above, below] = [createMeter(), createMeter()];
      const { store, faulty } = retrying(withMeter(storage, below), fault);
      await call(withMeter(store, above));
      assert.equal(faulty.fired, 1, JSON.stringify(fault));
      assert.deepEqual([above.retries, below.retries], [1, 0], JSON.stringify(fault));
    }
  });

  it('attempts used up with definite failures: unavailable, nothing stored', async () => {
    const storage = memoryStore();
    const meter = createMeter();
    const env = instantEnv();
    const { store, faulty } = retrying(
      storage,
      { kind: 'fail', on: 'put', times: Number.POSITIVE_INFINITY },
      { attempts: 4, baseDelayMs: 10, jitter: 0, env },
    );
    await assert.rejects(withMeter(store, meter).put('k', 'x'), (error) =>
      isLodeError(error, 'LODE_UNAVAILABLE'),
    );
    assert.deepEqual(env.slept, [10, 20, 40]);
    assert.equal(meter.snapshot().retries, 3);
    assert.equal(faulty.calls, 4);
  });

  it('a denial after an unanswered attempt does not pretend that nothing landed', async () => {
    const storage = memoryStore();
    const { store } = retrying(storage, [
      { kind: 'effect-then-fail', on: 'put' },
      { kind: 'deny', on: 'put', at: 0 },
    ]);
    const error = await uncertainty(store.put('k', 'mine'));
    assert.equal(await error.details.resolve(), 'landed');
  });

  it('a body that cannot be replayed is spooled, and beyond the limit sent once', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 4; i++) yield new Uint8Array(10).fill(97 + i);
    }
    const storage = memoryStore();
    const { store } = retrying(storage, { kind: 'fail', on: 'put' });
    assert.equal((await store.put('short', body())).outcome, 'stored');
    assert.equal(
      await text(storage, 'short'),
      'abcd'.replace(/./g, (c) => c.repeat(10)),
    );

    const small = retrying(storage, { kind: 'fail', on: 'put', at: 1 }, { spoolBytesMax: 15 });
    assert.equal((await small.store.put('long', body())).outcome, 'stored');
    assert.equal((await text(storage, 'long')).length, 40);
    await assert.rejects(small.store.put('other', body()), (error) =>
      isLodeError(error, 'LODE_UNAVAILABLE'),
    );
    assert.equal(small.faulty.calls, 2);
  });

  it('an own write is known by the bytes its guard put in place of the body', async () => {
    const storage = memoryStore();
    const { store } = retrying(storage, { kind: 'effect-then-fail', on: 'put' });
    const beforePublish = async (): Promise<Uint8Array> => new TextEncoder().encode('other');
    assert.equal((await store.put('k', 'mine!', { beforePublish })).outcome, 'stored');
    assert.equal(await text(storage, 'k'), 'other');
  });

  it('a guard does not run for a race that is lost, and its own failure is not retried', async () => {
    const storage = memoryStore();
    const { store } = retrying(storage, { kind: 'effect-then-lie', on: 'put' });
    let runs = 0;
    const beforePublish = async (): Promise<void> => void runs++;
    assert.equal((await store.put('k', 'x', { beforePublish })).outcome, 'stored');
    assert.equal(runs, 1);

    const unavailable = faultyStore(storage, { kind: 'fail' });
    const failing = (): Promise<void> => unavailable.store.head('x').then(() => {});
    let calls = 0;
    await assert.rejects(
      store.put('l', 'x', {
        beforePublish: () => {
          calls++;
          return failing();
        },
      }),
      (error) => isLodeError(error, 'LODE_UNAVAILABLE'),
    );
    assert.equal(calls, 1);
  });

  it('an abort while waiting rejects with its reason', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const env = { ...instantEnv(), sleep: async () => stop.abort(reason) };
    const { store } = retrying(memoryStore(), { kind: 'fail', times: 9 }, { env });
    await assert.rejects(store.put('k', 'x', { signal: stop.signal }), reason);
  });
});

/** Another writer replaces whatever comes, as soon as it is there. */
async function faultyMove(storage: Store, content: string): Promise<void> {
  while ((await storage.head('k')) === undefined) await Promise.resolve();
  await storage.put('k', content, { mode: 'overwrite' });
}

describe('retry of reads', () => {
  const content = 'x'.repeat(1000) + 'y'.repeat(1000);

  for (const kind of ['cut-body', 'dropped-body'] as const) {
    it(`${kind}: resumed where it broke off, in every shape of read`, async () => {
      const storage = memoryStore();
      await storage.put('k', content);
      for (const range of [
        undefined,
        { offset: 500 },
        { suffix: 1200 },
        { offset: 900, length: 200 },
      ]) {
        const { store } = retrying(storage, { kind, times: 2 });
        const whole = await (await storage.get('k', { range }))?.bytes();
        assert.deepEqual(await (await store.get('k', { range }))?.bytes(), whole);
        const again = retrying(storage, { kind, times: 3 });
        const chunks: Uint8Array[] = [];
        for await (const chunk of (await again.store.get('k', { range }))?.stream() ?? []) {
          chunks.push(chunk);
        }
        assert.deepEqual(Buffer.concat(chunks), Buffer.from(whole ?? []));
      }
    });
  }

  it('a body resumed after an overwrite fails instead of mixing versions', async () => {
    const storage = memoryStore();
    await storage.put('k', content);
    const { store } = retrying(storage, { kind: 'dropped-body' });
    const object = await store.get('k');
    await storage.put('k', 'z'.repeat(2000), { mode: 'overwrite' });
    const read = async (): Promise<void> => {
      for await (const _ of object?.stream() ?? []);
    };
    await assert.rejects(read(), (error) => isLodeError(error, 'LODE_OBJECT_CHANGED'));
  });

  it('a listing goes on after the last key it gave', async () => {
    const storage = memoryStore();
    const keys = Array.from({ length: 50 }, (_, i) => `k/${String(i).padStart(2, '0')}`);
    for (const key of keys) await storage.put(key, '');
    const { store, faulty } = retrying(storage, { kind: 'cut-list', times: 4 });
    const found: string[] = [];
    for await (const { key } of store.list('k/')) found.push(key);
    assert.deepEqual(found, keys);
    assert.equal(faulty.fired, 4);
  });

  it('deletes, heads and gets are repeated; denials are not', async () => {
    const storage = memoryStore();
    await storage.put('k', 'x');
    for (const kind of ['fail', 'time-out'] as const) {
      const { store } = retrying(storage, { kind, times: 4 });
      assert.equal((await store.head('k'))?.size, 1);
      assert.equal(await text(retrying(storage, { kind, times: 4 }).store, 'k'), 'x');
    }
    const denied = retrying(storage, { kind: 'deny' });
    await assert.rejects(denied.store.head('k'), (error) =>
      isLodeError(error, 'LODE_PERMISSION_DENIED'),
    );
    assert.equal(denied.faulty.calls, 1);
    const { store } = retrying(storage, { kind: 'effect-then-fail', on: 'delete' });
    assert.deepEqual(await store.delete(['k', 'none']), [
      { key: 'k', outcome: 'deleted' },
      { key: 'none', outcome: 'deleted' },
    ]);
  });
});

describe('backoff', () => {
  it('doubles to its maximum, less what is left to chance', () => {
    const env = instantEnv();
    const plain = { baseDelayMs: 100, maxDelayMs: 500, jitter: 0 };
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => backoffMs(n, plain, env)),
      [100, 200, 400, 500],
    );
    assert.equal(backoffMs(1, { ...plain, jitter: 1 }, env), 50);
  });

  it('options out of range are refused', () => {
    for (const options of [
      { attempts: 0 },
      { jitter: 1.5 },
      { baseDelayMs: -1 },
      { maxDelayMs: Number.NaN },
    ]) {
      assert.throws(() => withRetry(memoryStore(), options), JSON.stringify(options));
    }
  });
});
