/** Reads: ranges to the edge, conditions, and one version per read. */
import { utf8Decode } from '../../bytes/index.ts';
import { isLodeError } from '../../errors.ts';
import type { ByteRange, StoredObject } from '../../store/store.ts';
import { seededRandom } from '../random.ts';
import { check, fails, onStore, same, stored, text, type Case } from './case.ts';

const key = 'reads/object';

/** Content, range, expected offset of the part and its text. */
const ranges: readonly (readonly [string, ByteRange, number, string])[] = [
  ['hello world', { offset: 6, length: 5 }, 6, 'world'],
  ['hello', { offset: 0, length: 0 }, 0, ''],
  ['hello', { offset: 0, length: 5 }, 0, 'hello'],
  ['hello', { offset: 0, length: 1 }, 0, 'h'],
  ['hello', { offset: 3, length: 100 }, 3, 'lo'],
  ['hello', { offset: 4, length: 1 }, 4, 'o'],
  ['hello', { offset: 5, length: 1 }, 5, ''],
  ['hello', { offset: 100, length: 10 }, 5, ''],
  ['hello', { offset: 2, length: 0 }, 2, ''],
  ['hello', { offset: 1, length: Number.MAX_SAFE_INTEGER - 1 }, 1, 'ello'],
  ['hello', { offset: 0 }, 0, 'hello'],
  ['hello', { offset: 4 }, 4, 'o'],
  ['hello', { offset: 5 }, 5, ''],
  ['hello', { offset: Number.MAX_SAFE_INTEGER }, 5, ''],
  ['hello', { suffix: 0 }, 5, ''],
  ['hello', { suffix: 2 }, 3, 'lo'],
  ['hello', { suffix: 5 }, 0, 'hello'],
  ['hello', { suffix: 99 }, 0, 'hello'],
  ['', { offset: 0, length: 10 }, 0, ''],
  ['', { offset: 0 }, 0, ''],
  ['', { suffix: 3 }, 0, ''],
];

const rangeCases = ranges.map(([content, range, offset, part]) =>
  onStore(`range ${JSON.stringify(range)} of "${content}" off by one`, async (store) => {
    await stored(store, key, content);
    const object = await store.get(key, { range });
    check(object !== undefined, 'object is missing');
    same(object.size, content.length, 'size of the whole');
    same([object.range.offset, object.range.length], [offset, part.length], 'range');
    same(utf8Decode(await object.bytes()), part, 'bytes');
    let streamed = '';
    for await (const chunk of (await store.get(key, { range }))?.stream() ?? []) {
      streamed += utf8Decode(chunk);
    }
    same(streamed, part, 'stream');
  }),
);

const badRanges: readonly ByteRange[] = [
  { offset: -1, length: 10 },
  { offset: 0, length: -1 },
  { offset: Number.MAX_SAFE_INTEGER - 9, length: 20 },
  { offset: 2 ** 53 },
  { offset: 1.5, length: 1 },
  { offset: Number.NaN, length: 1 },
  { offset: 0, length: Number.POSITIVE_INFINITY },
  { suffix: -1 },
  { suffix: 0.5 },
];

const otherCases: readonly Case[] = [
  onStore('ranges that are none', async (store) => {
    await stored(store, key, 'hello');
    for (const range of badRanges) {
      for (const name of [key, 'reads/missing']) {
        const get = (): Promise<unknown> => store.get(name, { range });
        await fails(get, JSON.stringify(range), 'LODE_INVALID_ARGUMENT');
      }
    }
  }),

  onStore('a range of a missing object that is empty instead', async (store) => {
    same(await store.get(key, { range: { offset: 0, length: 0 } }), undefined, 'get');
    same(await store.get(key, { range: { suffix: 1 } }), undefined, 'get');
  }),

  onStore('ranges of a large object cut at chunk borders', async (store) => {
    const size = 600_000;
    const large = new Uint8Array(size).map((_, i) => i % 253);
    await stored(store, key, large);
    const random = seededRandom(7);
    const roll = (n: number): number => Math.floor(random() * n);
    for (let i = 0; i < 24; i++) {
      const offset = i % 3 === 0 ? 65_536 * roll(9) : roll(size);
      const length = 1 + roll(200_000);
      const part = await (await store.get(key, { range: { offset, length } }))?.bytes();
      same(part?.length, Math.min(length, size - offset), `length at ${offset}`);
      check(
        part?.every((byte, at) => byte === (offset + at) % 253) === true,
        `bytes at ${offset} differ`,
      );
    }
  }),

  onStore('two reads at once that disturb each other', async (store) => {
    await stored(store, key, '0123456789');
    const parts = [0, 7].map(async (offset) => {
      const object = await store.get(key, { range: { offset, length: 3 } });
      return utf8Decode((await object?.bytes()) ?? new Uint8Array());
    });
    same(await Promise.all(parts), ['012', '789'], 'parts');
  }),

  onStore('a missing object that is an error', async (store) => {
    same(await store.get(key), undefined, 'get');
    same(await store.head(key), undefined, 'head');
  }),

  onStore('a part of a key that is taken for an object', async (store) => {
    await stored(store, 'reads/deep/object', 'x');
    same(await store.get('reads/deep'), undefined, 'get of a parent');
    same(await store.head('reads/deep'), undefined, 'head of a parent');
    same(await store.get('reads/deep/object/below'), undefined, 'get below an object');
    same(await store.head('reads/deep/object/below'), undefined, 'head below an object');
  }),

  onStore('ifNoneMatch that sends the body anyway', async (store) => {
    const etag = await stored(store, key, 'hello');
    const object = await store.get(key, { ifNoneMatch: etag });
    same([object?.notModified, object?.etag, object?.size], [true, etag, 5], 'answer');
    same((await object?.bytes())?.length, 0, 'body');
  }),

  onStore('ifNoneMatch that hides a new version', async (store) => {
    const etag = await stored(store, key, 'first');
    await stored(store, key, 'second', 'overwrite');
    const object = await store.get(key, { ifNoneMatch: etag });
    same(object?.notModified, undefined, 'notModified');
    same(utf8Decode((await object?.bytes()) ?? new Uint8Array()), 'second', 'content');
    same(await store.get('reads/missing', { ifNoneMatch: etag }), undefined, 'missing object');
  }),

  onStore('ifMatch that reads another version', async (store) => {
    const etag = await stored(store, key, 'first');
    same(
      utf8Decode((await (await store.get(key, { ifMatch: etag }))?.bytes()) ?? new Uint8Array()),
      'first',
      'content',
    );
    await stored(store, key, 'second', 'overwrite');
    const get = async (): Promise<unknown> => (await store.get(key, { ifMatch: etag }))?.bytes();
    await fails(get, 'read of a version that is gone', 'LODE_OBJECT_CHANGED');
    same(await store.get('reads/missing', { ifMatch: etag }), undefined, 'missing object');
  }),

  onStore('a body that can be taken twice', async (store) => {
    await stored(store, key, 'hello');
    const first = await store.get(key);
    await first?.bytes();
    await fails(async () => first?.bytes(), 'second bytes()', 'LODE_INVALID_ARGUMENT');
    const second = await store.get(key);
    for await (const _ of second?.stream() ?? []);
    await fails(async () => second?.bytes(), 'bytes() after stream()', 'LODE_INVALID_ARGUMENT');
    const again = async (): Promise<void> => {
      for await (const _ of second?.stream() ?? []);
    };
    await fails(again, 'second stream()', 'LODE_INVALID_ARGUMENT');
  }),

  onStore('a cancelled read that goes on', async (store) => {
    await stored(store, key, 'hello');
    const object = await store.get(key);
    await object?.cancel();
    await object?.cancel();
    await fails(async () => object?.bytes(), 'bytes() after cancel()', 'LODE_INVALID_ARGUMENT');
  }),

  onStore('a reader that stops early and leaves the store stuck', async (store) => {
    await stored(store, key, new Uint8Array(500_000));
    for (let i = 0; i < 20; i++) {
      for await (const _ of (await store.get(key))?.stream() ?? []) break;
    }
    await stored(store, key, 'done', 'overwrite');
    same(await text(store, key), 'done', 'content');
  }),

  onStore('a read that mixes two versions', async (store) => {
    const size = 200_000;
    await stored(store, key, new Uint8Array(size).fill(0));
    let writing = true;
    const writer = (async () => {
      for (let i = 1; i <= 20; i++) {
        await stored(store, key, new Uint8Array(size + i).fill(i), 'overwrite');
      }
      writing = false;
    })();
    const reader = async (): Promise<void> => {
      while (writing) {
        const object = await store.get(key);
        check(object !== undefined, 'object vanished while it was overwritten');
        await oneVersion(object, size).catch((error: unknown) => {
          if (!isLodeError(error, 'LODE_OBJECT_CHANGED')) throw error;
        });
      }
    };
    await Promise.all([writer, reader(), reader()]);
  }),
];

/** An object of `n` bytes over `size` must hold the byte `n` throughout. */
async function oneVersion(object: StoredObject, size: number): Promise<void> {
  let first: number | undefined;
  let length = 0;
  for await (const chunk of object.stream()) {
    first ??= chunk[0];
    check(
      chunk.every((byte) => byte === first),
      'one read saw two versions',
    );
    length += chunk.length;
  }
  same([length, object.size], [size + (first ?? 0), size + (first ?? 0)], 'size');
}

export const readCases: readonly Case[] = [...rangeCases, ...otherCases];
