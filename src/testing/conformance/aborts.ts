/** Aborts: felt at once, told with the very reason, and nothing half-done. */
import { names, onStore, rejectsWith, same, stored, text, type Case } from './case.ts';
import type { CallOptions, Store } from '../../store/store.ts';

const key = 'abort/object';

const calls: Readonly<Record<string, (store: Store, options: CallOptions) => Promise<unknown>>> = {
  put: (store, options) => store.put('abort/new', 'x', options),
  overwrite: (store, options) => store.put(key, 'x', { ...options, mode: 'overwrite' }),
  get: (store, options) => store.get(key, options),
  head: (store, options) => store.head(key, options),
  list: (store, options) => names(store, '', options),
  delete: (store, options) => store.delete(key, options),
};

const before = Object.entries(calls).map(([name, call]) =>
  onStore(`${name} that begins after its signal was aborted`, async (store) => {
    await stored(store, key, 'stays');
    for (const reason of [new Error('stop'), 'a string', { any: 'thing' }]) {
      const signal = AbortSignal.abort(reason);
      await rejectsWith(() => call(store, { signal }), reason, name);
    }
    same(await names(store, ''), [key], 'names');
    same(await text(store, key), 'stays', 'content');
  }),
);

export const abortCases: readonly Case[] = [
  ...before,

  onStore('a body that is read though the signal was aborted before', async (store) => {
    let read = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      read = true;
      yield new Uint8Array(1);
    }
    const reason = new Error('stop');
    const put = (): Promise<unknown> =>
      store.put(key, body(), { signal: AbortSignal.abort(reason) });
    await rejectsWith(put, reason, 'put');
    same(read, false, 'body was read');
  }),

  onStore('an abort that waits for a body which hangs', async (store) => {
    const stop = new AbortController();
    const reason = new Error('stop');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      queueMicrotask(() => stop.abort(reason));
      await new Promise(() => {});
    }
    await rejectsWith(() => store.put(key, body(), { signal: stop.signal }), reason, 'put');
    same(await store.head(key), undefined, 'object');
    same(await names(store, ''), [], 'names');
    await stored(store, key, 'later');
  }),

  onStore('an abort of an overwrite that damages the former content', async (store) => {
    const etag = await stored(store, key, 'former');
    const stop = new AbortController();
    const reason = new Error('stop');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(100_000);
      stop.abort(reason);
      yield new Uint8Array(100_000);
    }
    const put = (): Promise<unknown> =>
      store.put(key, body(), { mode: 'overwrite', signal: stop.signal });
    await rejectsWith(put, reason, 'put');
    same([await text(store, key), (await store.head(key))?.etag], ['former', etag], 'object');
  }),

  onStore('an abort that other callers feel', async (store) => {
    await stored(store, key, 'content');
    const stop = new AbortController();
    const reason = new Error('stop');
    const gone = store.get(key, { signal: stop.signal }).then((object) => object?.bytes());
    gone.catch(() => {});
    const other = text(store, key);
    stop.abort(reason);
    same(await other, 'content', 'the other read');
  }),

  onStore('a listing that goes on after an abort', async (store) => {
    const keys = Array.from({ length: 2100 }, (_, i) => `abort/${i}`);
    await Promise.all(keys.map((one) => stored(store, one, '')));
    const stop = new AbortController();
    const reason = new Error('stop');
    let seen = 0;
    const list = async (): Promise<void> => {
      for await (const _ of store.list('', { signal: stop.signal })) {
        if (++seen === 1) stop.abort(reason);
      }
    };
    await rejectsWith(list, reason, 'list');
  }),

  onStore('a signal that is held after the call', async (store) => {
    const stop = new AbortController();
    const { signal } = stop;
    await store.put(key, 'content', { signal });
    await store.head(key, { signal });
    await names(store, '', { signal });
    stop.abort(new Error('too late'));
    same(await text(store, key), 'content', 'content');
  }),
];
