/** Modes of `put`: what is stored, what loses, and what an etag is worth. */
import { check, fails, onStore, same, stored, text, type Case } from './case.ts';

const key = 'dir/object';

export const putCases: readonly Case[] = [
  onStore('a stored object that cannot be read back', async (store) => {
    const etag = await stored(store, key, 'hello');
    const object = await store.get(key);
    check(object !== undefined, 'stored object is missing');
    same([object.key, object.size, object.etag], [key, 5, etag], 'facts of get');
    same(await text(store, key), 'hello', 'content');
  }),

  onStore('overwriting by default', async (store) => {
    await stored(store, key, 'first');
    const result = await store.put(key, 'second');
    same(result.outcome, 'conflict', 'put without a mode where something is');
    same(await text(store, key), 'first', 'content');
  }),

  onStore('a create that replaces', async (store) => {
    const etag = await stored(store, key, 'first');
    const result = await store.put(key, 'second', { mode: 'create' });
    check(result.outcome === 'conflict', 'create where something is was stored');
    same(await text(store, key), 'first', 'content');
    check((result.etag ?? etag) === etag, 'conflict names another etag than the present one');
  }),

  onStore('an overwrite that keeps the former content', async (store) => {
    await stored(store, key, 'first');
    await stored(store, key, 'second', 'overwrite');
    same(await text(store, key), 'second', 'content');
  }),

  onStore('an overwrite that needs something to be there', async (store) => {
    await stored(store, key, 'first', 'overwrite');
    same(await text(store, key), 'first', 'content');
  }),

  onStore('a tail of the longer former content', async (store) => {
    await stored(store, key, 'a long content that was here before');
    await stored(store, key, 'short', 'overwrite');
    same(await text(store, key), 'short', 'content');
    same((await store.head(key))?.size, 5, 'size');
  }),

  onStore('an ifMatch that does not replace', async (store) => {
    const first = await stored(store, key, 'first');
    const second = await stored(store, key, 'second', { ifMatch: first });
    check(second !== first, 'the etag did not change with the content');
    same(await text(store, key), 'second', 'content');
    same((await store.head(key))?.etag, second, 'etag');
  }),

  onStore('an ifMatch that ignores its etag', async (store) => {
    const first = await stored(store, key, 'first');
    const second = await stored(store, key, 'second', { ifMatch: first });
    const result = await store.put(key, 'third', { mode: { ifMatch: first } });
    check(result.outcome === 'conflict', 'stale etag was accepted');
    check((result.etag ?? second) === second, 'conflict names another etag than the present one');
    same(await text(store, key), 'second', 'content');
  }),

  onStore('an ifMatch that creates', async (store) => {
    const etag = await stored(store, 'elsewhere', 'x');
    const result = await store.put(key, 'ghost', { mode: { ifMatch: etag } });
    same(result.outcome, 'conflict', 'ifMatch where nothing is');
    same(await store.head(key), undefined, 'object');
  }),

  onStore('an ifMatch that outlives a delete', async (store) => {
    const etag = await stored(store, key, 'first');
    await store.delete(key);
    const result = await store.put(key, 'second', { mode: { ifMatch: etag } });
    same(result.outcome, 'conflict', 'ifMatch after delete');
    same(await store.head(key), undefined, 'object');
  }),

  onStore('an old etag that matches a new object', async (store) => {
    const etag = await stored(store, key, 'first');
    await store.delete(key);
    await stored(store, key, 'other');
    const result = await store.put(key, 'third', { mode: { ifMatch: etag } });
    same(result.outcome, 'conflict', 'etag of a deleted object');
    same(await text(store, key), 'other', 'content');
  }),

  onStore('an empty etag that matches', async (store) => {
    await stored(store, key, 'first');
    const result = await store.put(key, 'second', { mode: { ifMatch: '' } });
    same(result.outcome, 'conflict', 'ifMatch with an empty etag');
  }),

  onStore('one etag for two contents of equal size written in one tick', async (store) => {
    const seen = new Set<string>([await stored(store, key, 'content 00')]);
    for (let i = 10; i < 50; i++) seen.add(await stored(store, key, `content ${i}`, 'overwrite'));
    same(seen.size, 41, 'different etags');
  }),

  onStore('etags that put, get, head and list do not agree on', async (store) => {
    for (const size of [0, 5, 70_000]) {
      const etag = await stored(store, `${key}-${size}`, 'x'.repeat(size));
      same((await store.head(`${key}-${size}`))?.etag, etag, 'etag of head');
      const object = await store.get(`${key}-${size}`);
      same(object?.etag, etag, 'etag of get');
      await object?.cancel();
      for await (const info of store.list(`${key}-${size}`)) same(info.etag, etag, 'etag of list');
    }
  }),

  onStore('facts that get, head and list do not agree on', async (store) => {
    await stored(store, key, 'hello');
    const head = await store.head(key);
    check(head !== undefined, 'head of a stored object is missing');
    check(
      Number.isInteger(head.lastModifiedMs) && head.lastModifiedMs >= 0,
      `lastModifiedMs is ${head.lastModifiedMs}`,
    );
    const object = await store.get(key);
    await object?.cancel();
    for await (const info of store.list('')) {
      for (const other of [info, object]) {
        same(
          [other?.key, other?.size, other?.etag, other?.lastModifiedMs],
          [head.key, head.size, head.etag, head.lastModifiedMs],
          'facts',
        );
      }
    }
  }),

  onStore('a mode nobody knows that is taken for another', async (store) => {
    for (const mode of ['append', '', null, {}, { ifMatch: 1 }]) {
      const put = (): Promise<unknown> => store.put(key, 'x', { mode: mode as 'create' });
      await fails(put, `mode ${JSON.stringify(mode)}`, 'LODE_INVALID_ARGUMENT');
    }
    same(await store.head(key), undefined, 'object');
  }),

  onStore('an empty object that is taken for none', async (store) => {
    const etag = await stored(store, key, '');
    same(await text(store, key), '', 'content');
    same((await store.head(key))?.size, 0, 'size');
    same((await store.put(key, 'x')).outcome, 'conflict', 'create over an empty object');
    await stored(store, key, 'x', { ifMatch: etag });
  }),

  onStore('a delete that leaves something for create to find', async (store) => {
    await stored(store, key, 'first');
    await store.delete(key);
    await stored(store, key, 'second');
    same(await text(store, key), 'second', 'content');
  }),

  onStore('neighbours that change each other', async (store) => {
    const keys = ['n/a', 'n/ab', 'n/a b', 'n/a.b', 'm/a'];
    for (const one of keys) await stored(store, one, one);
    await stored(store, 'n/ab', 'changed', 'overwrite');
    for (const one of keys) {
      same(await text(store, one), one === 'n/ab' ? 'changed' : one, `content of ${one}`);
    }
  }),

  {
    name: 'writes that another handle does not see',
    async run({ store, another }) {
      if (another === undefined) return;
      const other = await another();
      const etag = await stored(store, key, 'first');
      same(await text(other, key), 'first', 'content through the other handle');
      const next = await stored(other, key, 'second', { ifMatch: etag });
      same((await store.head(key))?.etag, next, 'etag through the first handle');
      same((await store.put(key, 'x')).outcome, 'conflict', 'create through the first handle');
    },
  },
];
