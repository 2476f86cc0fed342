/** Deletes: one, many, missing, invalid, and never more than was named. */
import { fails, names, onStore, same, stored, text, type Case } from './case.ts';

export const deleteCases: readonly Case[] = [
  onStore('a deleted object that can still be read', async (store) => {
    await stored(store, 'a/b', 'x');
    same(await store.delete('a/b'), [{ key: 'a/b', outcome: 'deleted' }], 'results');
    same(await store.get('a/b'), undefined, 'get');
    same(await store.head('a/b'), undefined, 'head');
    same(await names(store, ''), [], 'names');
  }),

  onStore('a delete of nothing that fails', async (store) => {
    same(await store.delete('never/was'), [{ key: 'never/was', outcome: 'deleted' }], 'results');
    await stored(store, 'file', 'x');
    same(await store.delete('file/below'), [{ key: 'file/below', outcome: 'deleted' }], 'below');
    same(await text(store, 'file'), 'x', 'content');
  }),

  onStore('a delete of no keys that fails', async (store) => {
    same(await store.delete([]), [], 'results');
  }),

  onStore('results of many deletes out of order', async (store) => {
    const keys = ['z', 'missing', 'a/b', 'm//n/', 'z'];
    for (const key of ['z', 'a/b', 'm/n', 'stays']) await stored(store, key, 'x');
    const results = await store.delete(keys);
    same(
      results,
      keys.map((key) => ({ key, outcome: 'deleted' })),
      'results',
    );
    same(await names(store, ''), ['stays'], 'left');
  }),

  onStore('more keys than one request takes', async (store) => {
    const keys = Array.from({ length: 1205 }, (_, i) => `many/${i}`);
    await Promise.all(keys.map((key) => stored(store, key, '')));
    same((await store.delete(keys)).length, keys.length, 'results');
    same(await names(store, ''), [], 'left');
  }),

  onStore('an invalid key among many that lets the others go', async (store) => {
    await stored(store, 'a', 'x');
    await fails(() => store.delete(['a', '../b']), 'delete', 'LODE_INVALID_KEY');
    same(await text(store, 'a'), 'x', 'content');
  }),

  onStore('a delete that takes what lies below', async (store) => {
    await stored(store, 'a/b/c', 'x');
    for (const key of ['a', 'a/b', 'a/b/']) await store.delete(key);
    same(await text(store, 'a/b/c'), 'x', 'content');
  }),

  onStore('a folder that is left and stands in the way', async (store) => {
    await stored(store, 'a/b/c', 'x');
    await store.delete('a/b/c');
    same(await store.head('a/b'), undefined, 'head of what was a parent');
    same(await names(store, '', { delimiter: '/' }), [], 'names');
  }),
];
