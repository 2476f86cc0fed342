/** At risk: bytes of two versions in one read, a read that ends early unnoticed, and descriptors that pile up. */
import { readdirSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import type { ByteRange } from '../../../../src/store/store.ts';
import { collect } from '../../../../src/bytes/index.ts';
import { inFolder, rejects } from './folder.ts';

const none = { durability: 'none' } as const;
const linux = { skip: process.platform !== 'linux' && 'counts descriptors in /proc' };
const sizes = [0, 10, 64, 65, 1000, 65_536, 65_537, 700_000];
const ranges: readonly ByteRange[] = [
  { offset: 0 },
  { offset: 5 },
  { offset: 0, length: 0 },
  { offset: 3, length: 4 },
  { offset: 60, length: 10 },
  { offset: 100_000, length: 300_000 },
  { offset: 1e12, length: 5 },
  { suffix: 0 },
  { suffix: 7 },
  { suffix: 1e12 },
];

void describe('fs store: get', () => {
  void it('every range of every size is that of the bytes, streamed and whole', () =>
    inFolder(async (store) => {
      for (const size of sizes) {
        const body = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
        await store.put(`k${size}`, body);
        for (const range of [undefined, ...ranges]) {
          const expected = cut(body, range);
          const whole = await store.get(`k${size}`, { range });
          assert.ok(whole);
          assert.equal(whole.size, size);
          assert.equal(whole.range.length, expected.length);
          assert.deepEqual(await whole.bytes(), expected);
          const streamed = await store.get(`k${size}`, { range });
          assert.ok(streamed);
          assert.deepEqual(await collect(streamed.stream(), 1e9, { key: '' }), expected);
        }
      }
    }, none));

  void it('answers conditions without a body', () =>
    inFolder(async (store) => {
      for (const size of [10, 100]) {
        const { etag = '' } = await store.put(`k${size}`, new Uint8Array(size));
        assert.equal((await store.get(`k${size}`, { ifNoneMatch: etag }))?.notModified, true);
        assert.equal((await store.get(`k${size}`, { ifNoneMatch: 'e' }))?.notModified, undefined);
        assert.ok(await store.get(`k${size}`, { ifMatch: etag }));
        await rejects(store.get(`k${size}`, { ifMatch: 'e' }), 'LODE_OBJECT_CHANGED');
      }
    }, none));

  void it('a read is used once', () =>
    inFolder(async (store) => {
      await store.put('k', 'x');
      const object = await store.get('k');
      await object?.bytes();
      await assert.rejects(async () => object?.bytes());
      assert.throws(() => object?.stream());
      const unwanted = await store.get('k');
      await unwanted?.cancel();
      await assert.rejects(async () => unwanted?.bytes());
    }, none));

  void it('an object replaced, cut or removed under a large read fails it', () =>
    inFolder(async (store, root) => {
      const body = new Uint8Array(600_000).fill(1);
      const start = async (): Promise<AsyncIterator<Uint8Array>> => {
        await store.put('k', body, { mode: 'overwrite' });
        const object = await store.get('k');
        assert.ok(object);
        return object.stream()[Symbol.asyncIterator]();
      };
      const rest = async (stream: AsyncIterator<Uint8Array>): Promise<void> => {
        while ((await stream.next()).done !== true);
      };
      let stream = await start();
      await store.put('k', body, { mode: 'overwrite' });
      await rejects(rest(stream), 'LODE_OBJECT_CHANGED');
      stream = await start();
      unlinkSync(join(root, 'k'));
      await rejects(rest(stream), 'LODE_OBJECT_CHANGED');
      stream = await start();
      await stream.next();
      truncateSync(join(root, 'k'), 300_000);
      await rejects(rest(stream), 'LODE_OBJECT_CHANGED');
      stream = await start();
      await stream.next();
      // Replaced by name only: what is being read is still the old file, and stays whole.
      await store.put('k', body.fill(2), { mode: 'overwrite' });
      await rest(stream);
    }, none));

  void it('an abort ends a stream with its reason', () =>
    inFolder(async (store) => {
      await store.put('k', new Uint8Array(600_000));
      const stop = new AbortController();
      const stream = (await store.get('k', { signal: stop.signal }))?.stream();
      const reason = new Error('enough');
      await assert.rejects(
        async () => {
          for await (const _ of stream ?? []) stop.abort(reason);
        },
        (error) => error === reason,
      );
      await assert.rejects(store.get('k', { signal: stop.signal }), (e) => e === reason);
    }, none));

  void it('holds no descriptor for reads that nobody uses, cancels or ends early', linux, () =>
    inFolder(async (store) => {
      await store.put('small', 'x');
      await store.put('large', new Uint8Array(600_000));
      const before = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < 20; i++) {
        await store.get('small');
        await store.get('large');
        await (await store.get('large'))?.cancel();
        for await (const _ of (await store.get('large'))?.stream() ?? []) break;
        await store.head('large');
        await store.put('small', 'y');
      }
      assert.equal(readdirSync('/proc/self/fd').length, before);
    }, none),
  );

  void it('sees versions that others rename into place', () =>
    inFolder(async (store, root) => {
      await store.put('p', '1');
      const before = await store.head('p');
      writeFileSync(join(root, '.lode-cas-1'), '2');
      renameSync(join(root, '.lode-cas-1'), join(root, 'p'));
      assert.notEqual((await store.head('p'))?.etag, before?.etag);
    }, none));
});

function cut(body: Uint8Array, range: ByteRange | undefined): Uint8Array {
  if (range === undefined) return body;
  if ('suffix' in range) return body.slice(Math.max(0, body.length - range.suffix));
  const end = 'length' in range ? range.offset + range.length : body.length;
  return body.slice(range.offset, Math.max(end, range.offset));
}
