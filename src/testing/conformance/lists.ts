/** Listings: what a prefix means, order, pages, folding, and what must never show. */
import { check, fails, inOrder, names, onStore, same, stored, type Case } from './case.ts';
import type { ListOptions, Store } from '../../store/store.ts';

async function fill(store: Store, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => stored(store, key, 'x')));
}

/** A case that stores keys and expects names from one listing. */
function listing(
  name: string,
  keys: readonly string[],
  prefix: string,
  expected: readonly string[],
  options: ListOptions = {},
): Case {
  return onStore(name, async (store) => {
    await fill(store, keys);
    same(await names(store, prefix, options), inOrder(store, [...expected]), 'names');
  });
}

const tree = ['a/1', 'a/2', 'a/b/1', 'a/b/2', 'a.b', 'a0', 'b'];
const foo = ['foo/x', 'foobar/x', 'foo2', 'fo'];

const shapeCases: readonly Case[] = [
  listing('an empty store that lists something', [], '', []),
  listing('a listing of everything that misses some', tree, '', [
    'a.b',
    'a/1',
    'a/2',
    'a/b/1',
    'a/b/2',
    'a0',
    'b',
  ]),
  listing('"." that is not everything', ['a', 'b/c'], '.', ['a', 'b/c']),
  listing('foo/ that lists foobar/', foo, 'foo/', ['foo/x']),
  listing('a prefix that cannot end inside a part', foo, 'foo', ['foo/x', 'foo2', 'foobar/x']),
  listing('a prefix inside a folder that cannot end inside a part', tree, 'a/b', [
    'a/b/1',
    'a/b/2',
  ]),
  listing('a prefix that is a whole key and is missed', tree, 'a/b/1', ['a/b/1']),
  listing('an object listed as a folder', tree, 'b/', []),
  listing('a missing prefix that is an error', tree, 'nothing/here/', []),
  listing('a missing prefix below an object that is an error', tree, 'b/below/', []),
  listing('a prefix that is not cleaned', tree, './a//b/', ['a/b/1', 'a/b/2']),
  listing('hidden names that are lost', ['.hidden', 'a/.b', 'a/c'], '', ['.hidden', 'a/.b', 'a/c']),
  listing('order by UTF-16 instead of bytes', ['\u{1f600}', '\uffee', 'é', 'z'], '', [
    'z',
    'é',
    '\uffee',
    '\u{1f600}',
  ]),
  listing('order by folder instead of bytes', ['a/b', 'a.b', 'a0', 'a b', 'a!'], '', [
    'a b',
    'a!',
    'a.b',
    'a/b',
    'a0',
  ]),
];

const afterCases: readonly Case[] = [
  ...(
    [
      ['includes itself', 'a/2', ['a/b/1', 'a/b/2', 'a0', 'b']],
      ['needs to exist', 'a/22', ['a/b/1', 'a/b/2', 'a0', 'b']],
      ['is the last and yields more', 'b', []],
      ['is before all and hides some', '!', ['a.b', 'a/1', 'a/2', 'a/b/1', 'a/b/2', 'a0', 'b']],
      ['skips what is below it', 'a/b', ['a/b/1', 'a/b/2', 'a0', 'b']],
    ] as const
  ).map(([fault, startAfter, expected]) =>
    listing(`startAfter that ${fault}`, tree, '', expected, { startAfter }),
  ),
  listing('startAfter outside the prefix that lists the rest', tree, 'a/', [], { startAfter: 'b' }),
  listing(
    'startAfter before the prefix that lists what is between',
    tree,
    'a/b/',
    ['a/b/1', 'a/b/2'],
    { startAfter: 'a/1' },
  ),
];

const foldCases: readonly Case[] = [
  listing('a fold at the root that shows what is below', tree, '', ['a.b', 'a/', 'a0', 'b'], {
    delimiter: '/',
  }),
  listing('a fold below a prefix that shows what is below', tree, 'a/', ['a/1', 'a/2', 'a/b/'], {
    delimiter: '/',
  }),
  listing('a fold of a partial name that folds too much', foo, 'foo', ['foo/', 'foo2', 'foobar/'], {
    delimiter: '/',
  }),
  listing('a folded prefix that comes again after itself', tree, '', ['a0', 'b'], {
    delimiter: '/',
    startAfter: 'a/',
  }),
  onStore('a large folder that folds to more than one entry', async (store) => {
    const keys = Array.from({ length: 1200 }, (_, i) => `large/${i}`);
    await fill(store, [...keys, 'large.', 'm/x']);
    same(
      await names(store, '', { delimiter: '/' }),
      inOrder(store, ['large.', 'large/', 'm/']),
      'names',
    );
  }),
];

const otherCases: readonly Case[] = [
  onStore('a page border that loses, repeats or reorders keys', async (store) => {
    const keys = Array.from({ length: 2345 }, (_, i) => `pages/${String(i).padStart(5, '0')}`);
    await fill(store, [...keys].reverse());
    same(await names(store, 'pages/'), keys, 'all pages');
    const startAfter = keys[1233] ?? '';
    if (store.capabilities.orderedList) {
      same(await names(store, 'pages/', { startAfter }), keys.slice(1234), 'from the middle');
    }
  }),

  onStore('prefixes outside the root', async (store) => {
    await stored(store, 'abs/x', 'x');
    for (const prefix of ['..', '../x', 'a/../..', '/', '/abs', 'a\\', 'a\0', '\ud800']) {
      await fails(() => names(store, prefix), JSON.stringify(prefix), 'LODE_INVALID_KEY');
    }
  }),

  onStore("an adapter's own files that show", async (store) => {
    const etag = await stored(store, 'p/latest', '1');
    await stored(store, 'p/latest', '2', { ifMatch: etag });
    if (store.capabilities.guardedPut) {
      await store.put('p/other', '1', { beforePublish: async () => {} });
    }
    await store.put('p/latest', 'lost', { mode: { ifMatch: etag } });
    await stored(store, 'p/latest', '3', 'overwrite');
    const expected = store.capabilities.guardedPut ? ['p/latest', 'p/other'] : ['p/latest'];
    same(await names(store, ''), expected, 'everything');
    same(await names(store, 'p/'), expected, 'the folder');
  }),

  onStore('deleted objects that show, and overwritten ones that show twice', async (store) => {
    await fill(store, ['d/1', 'd/2', 'd/3']);
    await stored(store, 'd/2', 'y', 'overwrite');
    await store.delete(['d/1']);
    same(await names(store, 'd/'), inOrder(store, ['d/2', 'd/3']), 'names');
  }),

  onStore('a reader that stops early and leaves the store stuck', async (store) => {
    await fill(store, ['e/1', 'e/2', 'e/3']);
    for (let i = 0; i < 20; i++) for await (const _ of store.list('e/')) break;
    same((await names(store, 'e/')).length, 3, 'names');
  }),

  onStore('a listing that is disturbed by deletes of what it listed', async (store) => {
    const keys = Array.from({ length: 1100 }, (_, i) => `f/${String(i).padStart(4, '0')}`);
    await fill(store, keys);
    const found: string[] = [];
    for await (const { key } of store.list('f/')) {
      found.push(key);
      await store.delete(key);
    }
    same(found.sort(), keys, 'listed');
    same(await names(store, ''), [], 'left');
  }),

  onStore('a listing that loses what was there all the time while others write', async (store) => {
    const fixed = Array.from({ length: 300 }, (_, i) => `g/${String(i).padStart(3, '0')}-fixed`);
    await fill(store, fixed);
    const seen = new Set<string>();
    let added = 0;
    for await (const { key } of store.list('g/')) {
      check(!seen.has(key), `${key} was listed twice`);
      seen.add(key);
      if (added < 100) await stored(store, `g/${String(added++).padStart(3, '0')}-added`, 'x');
    }
    for (const key of fixed) check(seen.has(key), `${key} was not listed`);
  }),
];

export const listCases: readonly Case[] = [
  ...shapeCases,
  ...afterCases,
  ...foldCases,
  ...otherCases,
];
