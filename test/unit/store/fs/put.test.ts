/** At risk: half an object, a lost object, or litter that readers take for one. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { utf8Encode } from '../../../../src/bytes/index.ts';
import { memoryDisk } from '../../../../src/disk/memory.ts';
import { systemEnv } from '../../../../src/env.ts';
import { fsStore } from '../../../../src/fs.ts';
import { inFolder, keysOf, namesBelow, rejects, textAt } from './folder.ts';

const none = { durability: 'none' } as const;

void describe('fs store: put', () => {
  void it('creates, and never twice', () =>
    inFolder(async (store, root) => {
      const first = await store.put('a/b/c', 'one');
      assert.equal(first.outcome, 'stored');
      const second = await store.put('a/b/c', 'two');
      assert.deepEqual(second, { outcome: 'conflict', etag: first.etag });
      assert.equal(readFileSync(join(root, 'a/b/c'), 'utf8'), 'one');
      assert.deepEqual(namesBelow(root), ['a', 'a/b', 'a/b/c']);
    }));

  void it('tells the etag of what it stored, at every size and in every mode', () =>
    inFolder(async (store) => {
      for (const size of [0, 1, 64, 65, 70_000, 300_000]) {
        const body = new Uint8Array(size).fill(7);
        const key = `k${size}`;
        const created = await store.put(key, body);
        assert.equal(created.etag, (await store.head(key))?.etag, `created ${size}`);
        assert.equal(created.etag, (await store.get(key))?.etag);
        const replaced = await store.put(key, body, { mode: 'overwrite' });
        assert.equal(replaced.etag, (await store.head(key))?.etag, `replaced ${size}`);
        const swapped = await store.put(key, body, { mode: { ifMatch: replaced.etag ?? '' } });
        assert.equal(swapped.outcome, 'stored');
        assert.equal(swapped.etag, (await store.head(key))?.etag, `swapped ${size}`);
        assert.equal(new Set([created.etag, replaced.etag, swapped.etag]).size, 3);
      }
    }, none));

  void it('replaces only the version named', () =>
    inFolder(async (store) => {
      assert.deepEqual(await store.put('p', 'x', { mode: { ifMatch: 'e' } }), {
        outcome: 'conflict',
      });
      const { etag = '' } = await store.put('p', 'one');
      const swapped = await store.put('p', 'two', { mode: { ifMatch: etag } });
      assert.equal(swapped.outcome, 'stored');
      assert.deepEqual(await store.put('p', 'three', { mode: { ifMatch: etag } }), {
        outcome: 'conflict',
        etag: swapped.etag,
      });
      assert.equal(await textAt(store, 'p'), 'two');
      assert.deepEqual(await keysOf(store), ['p']);
    }));

  void it('versions above 64 bytes never share a time, though the clock stands still', async () => {
    const env = { ...systemEnv, now: () => 1_700_000_000_000_000_000n };
    const disk = memoryDisk({ env });
    await disk.makeDirectory('/root');
    const store = fsStore('/root', { disk, env });
    const times = new Set<string | undefined>();
    for (let i = 0; i < 5; i++) {
      const { etag } = await store.put('k', new Uint8Array(100), { mode: 'overwrite' });
      times.add(etag?.split('-')[2]);
    }
    assert.equal(times.size, 5);
  });

  void it('runs the guard after the comparison and before anything shows', () =>
    inFolder(async (store) => {
      const { etag = '' } = await store.put('p', 'one');
      const seen: (string | undefined)[] = [];
      const beforePublish = async (): Promise<void> => {
        seen.push(await textAt(store, 'p'));
        await store.put('manifest', 'm');
      };
      await store.put('p', 'lost', { mode: { ifMatch: 'other' }, beforePublish });
      await store.put('p', 'lost', { mode: 'create', beforePublish });
      assert.deepEqual(seen, []);
      await store.put('p', 'two', { mode: { ifMatch: etag }, beforePublish });
      assert.deepEqual(seen, ['one']);
      assert.equal(await textAt(store, 'p'), 'two');
      assert.equal(await textAt(store, 'manifest'), 'm');
      await store.put('q', 'new', {
        beforePublish: async () => assert.ok(!(await store.head('q'))),
      });
      assert.equal(await textAt(store, 'q'), 'new');
    }));

  void it('publishes what the guard returns, from bytes and from streams', () =>
    inFolder(async (store, root) => {
      const beforePublish = async (): Promise<Uint8Array> => utf8Encode('instead');
      await store.put('a', '', { beforePublish });
      await store.put('b', chunks('body'), { beforePublish });
      assert.equal(await textAt(store, 'a'), 'instead');
      assert.equal(await textAt(store, 'b'), 'instead');
      assert.deepEqual(namesBelow(root), ['a', 'a.lock', 'b', 'b.lock']);
    }, none));

  void it('publishes nothing when the guard throws, and rethrows what it threw', () =>
    inFolder(async (store, root) => {
      const refusal = new Error('no');
      const beforePublish = (): Promise<void> => Promise.reject(refusal);
      for (const body of ['text', chunks('text')]) {
        await assert.rejects(store.put('p', body, { beforePublish }), (e) => e === refusal);
      }
      assert.deepEqual(namesBelow(root), ['p.lock']);
      assert.equal(
        (await store.put('p', 'x', { beforePublish: async () => {} })).outcome,
        'stored',
      );
    }));

  void it('stores streams whole, with the right sizes and etags', () =>
    inFolder(async (store) => {
      const small = await store.put('small', chunks('ab', 'cd', ''));
      assert.equal(small.etag, (await store.head('small'))?.etag);
      assert.equal(await textAt(store, 'small'), 'abcd');
      await store.put('large', chunks(...Array.from({ length: 50 }, () => 'x'.repeat(10_000))));
      assert.equal((await store.head('large'))?.size, 500_000);
    }, none));

  void it('leaves nothing of a stream that fails or is aborted', () =>
    inFolder(async (store, root) => {
      const failure = new Error('source failed');
      await assert.rejects(store.put('a', failing(failure)), (e) => e === failure);
      const stop = new AbortController();
      const put = store.put('a', hanging(), { signal: stop.signal });
      stop.abort(failure);
      await assert.rejects(put, (e) => e === failure);
      assert.deepEqual(namesBelow(root), []);
      await assert.rejects(store.put('a', 'x', { signal: stop.signal }), (e) => e === failure);
      assert.deepEqual(namesBelow(root), []);
    }));

  void it('reads no stream for a race that is lost already', () =>
    inFolder(async (store) => {
      await store.put('a', 'x');
      assert.equal((await store.put('a', failing(new Error('read')))).outcome, 'conflict');
    }));

  void it('makes files that all may read and only the owner may write', () =>
    inFolder(async (store, root) => {
      const { etag = '' } = await store.put('p', 'one');
      await store.put('p', 'two', { mode: { ifMatch: etag } });
      const allowed = 0o644 & ~process.umask();
      assert.equal(statSync(join(root, 'p')).mode & 0o777, allowed);
      assert.equal(statSync(join(root, 'p.lock')).mode & 0o777, allowed);
    }));

  void it('is not disturbed by what crashes left, and does not show it', () =>
    inFolder(async (store, root) => {
      writeFileSync(join(root, '.lode-cas-123456'), 'left by a peer');
      writeFileSync(join(root, '.lode-0-0'), 'left by us');
      writeFileSync(join(root, 'latest.lock'), '');
      await store.put('latest', 'x', { beforePublish: async () => {} });
      assert.deepEqual(await keysOf(store), ['latest']);
      await rejects(store.get('.lode-0-0'), 'LODE_INVALID_KEY');
      await rejects(store.get('latest.lock'), 'LODE_INVALID_KEY');
      await rejects(store.delete('latest.lock'), 'LODE_INVALID_KEY');
    }));

  void it('finds a free name where ids repeat after a crash', () =>
    inFolder(async (store, root) => {
      let id = 0;
      const repeating = fsStore(root, { env: { ...systemEnv, id: () => `same${id++}` } });
      writeFileSync(join(root, '.lode-same0-0'), 'left by a crash');
      assert.equal((await repeating.put('a', 'x')).outcome, 'stored');
      assert.deepEqual(await keysOf(store), ['a']);
    }));

  void it('makes a directory again that others removed', () =>
    inFolder(async (store, root) => {
      await store.put('a/b/one', 'x');
      rmSync(join(root, 'a'), { recursive: true });
      assert.equal((await store.put('a/b/two', 'x')).outcome, 'stored');
      assert.deepEqual(await keysOf(store), ['a/b/two']);
    }));

  void it('refuses keys that are the beginning of others, with a typed error', () =>
    inFolder(async (store) => {
      await store.put('a', 'x');
      await store.put('d/e', 'x');
      await rejects(store.put('a/b', 'x'), 'LODE_INVALID_KEY');
      await rejects(store.put('a/b/c', 'x'), 'LODE_INVALID_KEY');
      for (const mode of ['create', 'overwrite', { ifMatch: 'e' }] as const) {
        await rejects(store.put('d', 'x', { mode }), 'LODE_INVALID_KEY');
      }
      await rejects(store.put('d', 'x', { beforePublish: async () => {} }), 'LODE_INVALID_KEY');
      assert.equal(await store.get('a/b'), undefined);
      assert.equal(await store.head('a/b/c'), undefined);
      assert.equal(await store.get('d'), undefined);
      assert.deepEqual(await store.delete(['a/b', 'd']), [
        { key: 'a/b', outcome: 'deleted' },
        { key: 'd', outcome: 'deleted' },
      ]);
      assert.deepEqual(await keysOf(store), ['a', 'd/e']);
    }));

  void it('takes parts up to the limit it states, in every mode', () =>
    inFolder(async (store) => {
      const { componentBytesMax } = store.capabilities;
      const longest = `${'é'.repeat((componentBytesMax - 1) / 2)}x`;
      for (const name of [longest, longest.slice(0, -3)]) {
        const { etag = '' } = await store.put(`${longest}/${name}`, 'x');
        const mode = { ifMatch: etag };
        assert.equal((await store.put(`${longest}/${name}`, 'y', { mode })).outcome, 'stored');
        await store.put(`${longest}/${name}`, 'z', { mode: 'overwrite' });
      }
      assert.equal((await keysOf(store)).length, 2);
      await rejects(store.put(`${longest}x`, 'x'), 'LODE_INVALID_KEY');
      await rejects(store.get(`${longest}x`), 'LODE_INVALID_KEY');
      await store.delete(`${longest}/${longest}`);
      assert.equal((await keysOf(store)).length, 1);
    }, none));
});

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield utf8Encode(text);
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield utf8Encode('a part');
  throw error;
}

async function* hanging(): AsyncGenerator<Uint8Array> {
  yield utf8Encode('a part');
  await new Promise(() => {});
}
