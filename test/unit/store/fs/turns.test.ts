/** At risk: lost updates, writers that starve, waits without end, and locks that outlive who held them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { memoryDisk } from '../../../../src/disk/memory.ts';
import { nodeDisk } from '../../../../src/disk/node/index.ts';
import { systemEnv } from '../../../../src/env.ts';
import { isLodeError } from '../../../../src/errors.ts';
import { fsStore } from '../../../../src/fs.ts';
import type { Store } from '../../../../src/store/store.ts';
import { inFolder, inMemory, namesBelow, textAt } from './folder.ts';

const none = { durability: 'none' } as const;
const linux = { skip: process.platform !== 'linux' && 'needs the flock program' };

void describe('fs store: turns at a key', () => {
  void it('64 writers of one process lose no update', () =>
    inFolder(async (_, root) => {
      // Half of them on a disk of their own: only the lock file keeps those apart from the others.
      const stores = [fsStore(root, none), fsStore(root, { ...none, disk: nodeDisk() })];
      await stores[0]?.put('counter', '0');
      const writers = Array.from({ length: 64 }, (_unused, i) => increment(stores[i % 2] as Store));
      await Promise.all(writers);
      assert.equal(await textAt(fsStore(root), 'counter'), '64');
    }, none));

  void it('serves the writers of a process in the order they came', async () => {
    // Whoever comes later would sleep less, and be first, if it were the lock file alone that decides.
    let naps = 0;
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        if (ms < 1000) setTimeout(resolve, Math.max(40 - 3 * naps++, 1));
      });
    const store = await inMemory({ env: { ...systemEnv, sleep } });
    const order: number[] = [];
    const puts = Array.from({ length: 12 }, (_, i) =>
      store.put('p', String(i), {
        mode: 'overwrite',
        beforePublish: async () => {
          order.push(i);
          await new Promise((resolve) => setTimeout(resolve, 2));
        },
      }),
    );
    await Promise.all(puts);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.equal(order.length, 12);
  });

  void it('a guard may put and swap other keys', async () => {
    const store = await inMemory();
    await store.put('a', '1', {
      beforePublish: async () => {
        await store.put('b', '2', { beforePublish: async () => void (await store.put('c', '3')) });
      },
    });
    assert.deepEqual([await textAt(store, 'b'), await textAt(store, 'c')], ['2', '3']);
  });

  void it('a peer that holds the lock is waited for, until the deadline', linux, () =>
    inFolder(async (_, root) => {
      const store = fsStore(root, { ...none, lockTimeoutMs: 40 });
      await store.put('p', '1', { beforePublish: async () => {} });
      const { etag = '' } = (await store.head('p')) ?? {};
      const holder = await holdLock(join(root, 'p.lock'));
      await assert.rejects(store.put('p', '2', { mode: { ifMatch: etag } }), (error) => {
        assert.ok(isLodeError(error, 'LODE_TIMEOUT'));
        assert.equal(error.details.key, join(root, 'p.lock'));
        return true;
      });
      // What replaces or removes whatever is there waits too, once a key is one of turns.
      await assert.rejects(store.put('p', '2', { mode: 'overwrite' }), /LODE_TIMEOUT|too long/);
      const [deleted] = await store.delete('p');
      assert.equal(deleted?.outcome, 'failed');
      assert.equal(await textAt(store, 'p'), '1');
      const patient = fsStore(root, none).put('p', '3', { mode: { ifMatch: etag } });
      holder.kill('SIGKILL');
      assert.equal((await patient).outcome, 'stored');
    }, none),
  );

  void it('an abort ends the wait with its reason, and those behind go on', async () => {
    const store = await inMemory();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = store.put('p', '1', { mode: 'overwrite', beforePublish: () => gate });
    const stop = new AbortController();
    const reason = new Error('enough');
    const mode = 'overwrite';
    const second = store.put('p', '2', {
      mode,
      beforePublish: async () => assert.fail(),
      signal: stop.signal,
    });
    const third = store.put('p', '3', { mode, beforePublish: async () => {} });
    await Promise.resolve();
    stop.abort(reason);
    await assert.rejects(second, (error) => error === reason);
    open();
    assert.equal((await first).outcome, 'stored');
    assert.equal((await third).outcome, 'stored');
    assert.equal(await textAt(store, 'p'), '3');
  });

  void it('waits by the clock of its Env, with growing pauses that differ', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory('/root');
    const pauses: number[] = [];
    const env = {
      ...systemEnv,
      random: () => 0.5,
      sleep: async (ms: number, signal?: AbortSignal): Promise<void> => {
        // The deadline is the long one.
        if (ms > 1000) return new Promise(() => {});
        pauses.push(ms);
        if (pauses.length === 9) await held?.release();
        signal?.throwIfAborted();
      },
    };
    const held = await disk.tryLock('/root/p.lock');
    const store = fsStore('/root', { disk, env });
    assert.equal((await store.put('p', 'x', { beforePublish: async () => {} })).outcome, 'stored');
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 50, 50, 50]);
  });

  void it('leaves no lock files for keys that nobody takes turns at', () =>
    inFolder(async (store, root) => {
      await store.put('k', 'x');
      await store.put('k', 'y', { mode: 'overwrite' });
      await store.delete('k');
      assert.deepEqual(namesBelow(root), []);
    }, none));
});

async function increment(store: Store): Promise<void> {
  for (;;) {
    const object = await store.get('counter');
    assert.ok(object);
    const next = String(Number(new TextDecoder().decode(await object.bytes())) + 1);
    const mode = { ifMatch: object.etag };
    if ((await store.put('counter', next, { mode })).outcome === 'stored') return;
  }
}

/** A process of another program, as a Go writer would be, that holds flock(2) on the file. */
async function holdLock(path: string): Promise<ChildProcess> {
  const holder = spawn('flock', ['--no-fork', '-x', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return holder;
}
