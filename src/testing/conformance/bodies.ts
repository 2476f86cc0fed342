/** Bodies of every kind, and bodies that fail, lie or change under the store's hands. */
import { utf8Encode, type ByteInput } from '../../bytes/index.ts';
import { check, fails, onStore, rejectsWith, same, stored, text, type Case } from './case.ts';

const key = 'bodies/object';

const bytes = utf8Encode('hello world');

const kinds: Readonly<Record<string, () => ByteInput>> = {
  'a string with characters outside ASCII': () => 'grüße, 世界 𝄞',
  'a Uint8Array': () => bytes,
  'a view into a larger buffer': () => utf8Encode('>>hello world<<').subarray(2, 13),
  'an ArrayBuffer': () => bytes.slice().buffer,
  'a Blob': () => new Blob(['hello ', 'world']),
  'a web stream': () => new Blob(['hello ', 'world']).stream(),
  'an iterable of chunks': () => [utf8Encode('hello '), utf8Encode('world')],
  'an async iterable of chunks': () => chunks('hello ', 'world'),
  'an async iterable with empty chunks': () => chunks('', 'hello ', '', 'world', ''),
  'an async iterable that ends at once': () => chunks(),
  'an async iterable of strings': () => strings('grüße, ', '世界'),
  'a byte source of known size': () => ({ ...sourceOf('hello', ' world'), size: 11 }),
  'a byte source of unknown size': () => sourceOf('hello', ' world'),
};

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield utf8Encode(part);
}

async function* strings(...parts: string[]): AsyncGenerator<string> {
  yield* parts;
}

function sourceOf(...parts: string[]): {
  size: undefined;
  replayable: boolean;
  stream: () => AsyncGenerator<Uint8Array>;
} {
  return { size: undefined, replayable: true, stream: () => chunks(...parts) };
}

function expected(kind: string): string {
  if (kind.includes('outside ASCII')) return 'grüße, 世界 𝄞';
  if (kind.includes('of strings')) return 'grüße, 世界';
  return kind.includes('ends at once') ? '' : 'hello world';
}

const kindCases = Object.entries(kinds).map(([kind, make]) =>
  onStore(`${kind} that arrives changed`, async (store) => {
    const result = await store.put(key, make());
    same(result.outcome, 'stored', 'put');
    same(await text(store, key), expected(kind), 'content');
  }),
);

/** Yields one chunk, then fails. */
async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield utf8Encode('a beginning');
  throw error;
}

const oddCases: readonly Case[] = [
  onStore('a large body that arrives changed', async (store) => {
    const large = new Uint8Array(3 * 1024 * 1024 + 17);
    for (let i = 0; i < large.length; i++) large[i] = (i * 31 + (i >> 8)) & 0xff;
    await stored(store, key, large);
    const object = await store.get(key);
    const back = await object?.bytes();
    check(back !== undefined && back.length === large.length, 'length differs');
    check(
      large.every((byte, i) => byte === back[i]),
      'bytes differ',
    );
  }),

  onStore('a large body that streams back changed', async (store) => {
    const large = new Uint8Array(1024 * 1024 + 1).map((_, i) => i % 251);
    await stored(store, key, large);
    let at = 0;
    for await (const chunk of (await store.get(key))?.stream() ?? []) {
      check(
        chunk.every((byte, i) => byte === (at + i) % 251),
        `bytes from ${at} differ`,
      );
      at += chunk.length;
    }
    same(at, large.length, 'length');
  }),

  onStore('chunks of one byte that get lost', async (store) => {
    const parts = Array.from({ length: 3000 }, (_, i) => String(i % 10));
    await store.put(key, chunks(...parts));
    same(await text(store, key), parts.join(''), 'content');
  }),

  onStore('a producer that reuses its buffer', async (store) => {
    const buffer = new Uint8Array(4);
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (const letter of ['a', 'b', 'c']) {
        buffer.fill(letter.charCodeAt(0));
        yield buffer;
      }
    }
    await store.put(key, reusing());
    same(await text(store, key), 'aaaabbbbcccc', 'content');
  }),

  onStore('a caller who changes its bytes after a put', async (store) => {
    const mine = utf8Encode('before');
    await stored(store, key, mine);
    mine.fill(0x21);
    same(await text(store, key), 'before', 'content');
  }),

  onStore('a caller who changes the bytes it got', async (store) => {
    await stored(store, key, 'before');
    (await (await store.get(key))?.bytes())?.fill(0x21);
    for await (const chunk of (await store.get(key))?.stream() ?? []) chunk.fill(0x21);
    same(await text(store, key), 'before', 'content');
  }),

  onStore('a failing source that leaves an object', async (store) => {
    const reason = new Error('source failed');
    await rejectsWith(() => store.put(key, failing(reason)), reason, 'create');
    same(await store.head(key), undefined, 'object after a failed create');
    for await (const { key: found } of store.list('')) check(false, `left ${found} behind`);
    await stored(store, key, 'later');
  }),

  onStore('a failing source that damages the former content', async (store) => {
    const etag = await stored(store, key, 'former');
    const reason = new Error('source failed');
    for (const mode of ['overwrite', { ifMatch: etag }] as const) {
      await rejectsWith(() => store.put(key, failing(reason), { mode }), reason, 'put');
    }
    same(await text(store, key), 'former', 'content');
    same((await store.head(key))?.etag, etag, 'etag');
  }),

  onStore('a source shorter than it declares', async (store) => {
    const body = { ...sourceOf('short'), size: 6 };
    await fails(() => store.put(key, body), 'put', 'LODE_INVALID_ARGUMENT');
    same(await store.head(key), undefined, 'object');
  }),

  onStore('a source longer than it declares', async (store) => {
    const body = { ...sourceOf('far too', ' long'), size: 6 };
    await fails(() => store.put(key, body), 'put', 'LODE_INVALID_ARGUMENT');
    same(await store.head(key), undefined, 'object');
  }),

  onStore('a stream of something else than bytes', async (store) => {
    for (const body of [[1, 2], [null], ['text in a plain iterable', 7]]) {
      const put = (): Promise<unknown> => store.put(key, body as unknown as Uint8Array[]);
      await fails(put, JSON.stringify(body), 'LODE_INVALID_ARGUMENT');
    }
    same(await store.head(key), undefined, 'object');
  }),

  onStore('a body that is none', async (store) => {
    for (const body of [null, undefined, 7, {}, () => {}]) {
      const put = (): Promise<unknown> => store.put(key, body as unknown as string);
      await fails(put, typeof body, 'LODE_INVALID_ARGUMENT');
    }
    same(await store.head(key), undefined, 'object');
  }),
];

export const bodyCases: readonly Case[] = [...kindCases, ...oddCases];
