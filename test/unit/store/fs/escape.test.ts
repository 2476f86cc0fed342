/** At risk: files outside the root, reached by a key or through something planted inside (R24). */
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { hostileKeys } from '../../../../src/testing/index.ts';
import { isLodeError } from '../../../../src/errors.ts';
import { fsStore } from '../../../../src/fs.ts';
import type { Store } from '../../../../src/store/store.ts';
import { inFolder, keysOf, namesBelow, rejects, textAt } from './folder.ts';

const none = { durability: 'none' } as const;
const unix = { skip: process.platform === 'win32' && 'symbolic links need rights there' };
const denied = 'LODE_PERMISSION_DENIED';

void describe('fs store: nothing outside the root', () => {
  void it('is read or written by any hostile key, at any entry point', () =>
    inFolder(async (store, root, folder) => {
      writeFileSync(join(folder, 'secret'), 'secret');
      writeFileSync(join(folder, 'x'), 'secret');
      const before = outside(root, folder);
      for (const { key } of hostileKeys) {
        for (const call of entryPoints(store, key)) {
          try {
            assert.notEqual(await call(), 'secret', JSON.stringify(key));
          } catch (error) {
            if (!isLodeError(error)) throw error;
          }
        }
      }
      assert.deepEqual(outside(root, folder), before);
    }, none));

  void it('is reached through a link in the place of a directory, at any depth', unix, () =>
    inFolder(async (store, root, folder) => {
      mkdirSync(join(folder, 'out/deep'), { recursive: true });
      writeFileSync(join(folder, 'out/file'), 'secret');
      writeFileSync(join(folder, 'out/deep/file'), 'secret');
      symlinkSync(join(folder, 'out'), join(root, 'link'));
      await noWayThrough(store, ['link/file', 'link/deep/file', 'link/new', 'link/new/new']);
      assert.deepEqual(await keysOf(store), []);
      await rejects(keysOf(store, 'link/'), denied);
      await rejects(keysOf(store, 'link/deep/'), denied);
      assert.deepEqual(namesBelow(join(folder, 'out')), ['deep', 'deep/file', 'file']);
    }, none),
  );

  void it('is reached through a link planted after the directory was known', unix, () =>
    inFolder(async (store, root, folder) => {
      mkdirSync(join(folder, 'out/b'), { recursive: true });
      writeFileSync(join(folder, 'out/b/k'), 'secret');
      for (const [place, target] of [
        ['a', 'out'],
        ['a/b', 'out/b'],
      ] as const) {
        await store.put('a/b/k', 'mine');
        assert.equal(await textAt(store, 'a/b/k'), 'mine');
        renameSync(join(root, place), join(folder, 'moved'));
        symlinkSync(join(folder, target), join(root, place));
        await noWayThrough(store, ['a/b/k', 'a/b/new']);
        rmSync(join(root, 'a'), { recursive: true });
        rmSync(join(folder, 'moved'), { recursive: true });
        assert.deepEqual(namesBelow(join(folder, 'out')), ['b', 'b/k']);
      }
      assert.equal(readFileSync(join(folder, 'out/b/k'), 'utf8'), 'secret');
    }, none),
  );

  void it('is reached through a link or pipe in the place of an object', unix, () =>
    inFolder(async (store, root, folder) => {
      writeFileSync(join(folder, 'secret'), 'secret');
      symlinkSync(join(folder, 'secret'), join(root, 'link'));
      symlinkSync(join(folder, 'new'), join(root, 'dangling'));
      execFileSync('mkfifo', [join(root, 'pipe')]);
      for (const key of ['link', 'dangling', 'pipe']) {
        await rejects(store.get(key), denied);
        await rejects(store.head(key), denied);
        await rejects(store.put(key, 'x'), denied);
        await rejects(store.put(key, 'x', { mode: { ifMatch: 'e' } }), denied);
      }
      // Replacing and deleting mean the name itself.
      await store.put('link', 'mine', { mode: 'overwrite' });
      assert.equal(lstatSync(join(root, 'link')).isFile(), true);
      await store.delete(['dangling', 'pipe']);
      symlinkSync(join(folder, 'new'), join(root, 'p.lock'));
      await rejects(store.put('p', 'x', { beforePublish: async () => {} }), denied);
      assert.equal(readFileSync(join(folder, 'secret'), 'utf8'), 'secret');
      assert.deepEqual(outside(root, folder), ['root', 'secret']);
    }, none),
  );
});

void describe('fs store: the root', () => {
  void it('may be a link, a URL or relative', unix, () =>
    inFolder(async (store, root, folder) => {
      await store.put('a', 'x');
      symlinkSync(root, join(folder, 'to-root'));
      const linked = fsStore(join(folder, 'to-root'));
      assert.equal(await textAt(linked, 'a'), 'x');
      assert.equal((await linked.put('b/c', 'x')).outcome, 'stored');
      assert.deepEqual(await keysOf(fsStore(pathToFileURL(root))), ['a', 'b/c']);
    }, none),
  );

  void it('is never made: a missing one, or a file, fails the first call of any kind', () =>
    inFolder(async (_, root) => {
      writeFileSync(join(root, 'file'), 'x');
      for (const [place, code] of [
        ['missing', 'LODE_NOT_FOUND'],
        ['missing/deeper', 'LODE_NOT_FOUND'],
        ['file', 'LODE_INVALID_ARGUMENT'],
      ] as const) {
        const store = fsStore(join(root, place));
        for (const key of ['k', 'd/k']) {
          await rejects(store.head(key), code);
          await rejects(store.get(key), code);
          await rejects(store.put(key, 'x'), code);
          const [deleted] = await store.delete(key);
          assert.ok(deleted?.outcome === 'failed' && isLodeError(deleted.error, code));
          await rejects(keysOf(store, 'd/'), code);
        }
        await rejects(keysOf(store), code);
      }
      assert.deepEqual(namesBelow(root), ['file']);
    }));

  void it('bad options fail at once', () => {
    assert.throws(() => fsStore('.', { lockTimeoutMs: Number.NaN }), /lockTimeoutMs/);
  });
});

function entryPoints(store: Store, key: string): (() => Promise<unknown>)[] {
  const body = 'hostile';
  return [
    () => store.put(key, body),
    () => store.put(key, body, { mode: 'overwrite' }),
    () => store.put(key, body, { mode: { ifMatch: 'e' } }),
    () => store.put(key, body, { mode: 'overwrite', beforePublish: async () => {} }),
    () => textAt(store, key),
    () => store.head(key),
    () => keysOf(store, key),
    () => keysOf(store, `${key}/`),
    () => store.delete(key),
  ];
}

async function noWayThrough(store: Store, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await rejects(store.put(key, 'x'), denied);
    await rejects(store.put(key, 'x', { mode: 'overwrite' }), denied);
    await rejects(store.put(key, 'x', { mode: { ifMatch: 'e' } }), denied);
    await rejects(store.get(key), denied);
    await rejects(store.head(key), denied);
    const [deleted] = await store.delete(key);
    assert.ok(deleted?.outcome === 'failed' && isLodeError(deleted.error, denied));
  }
}

function outside(root: string, folder: string): string[] {
  return namesBelow(folder).filter((name) => !join(folder, name).startsWith(`${root}/`));
}
