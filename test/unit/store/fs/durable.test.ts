/** At risk: a success that a power loss takes back, and a failed disk that leaves more than the error. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { memoryDisk } from '../../../../src/disk/memory.ts';
import type { Disk } from '../../../../src/disk/disk.ts';
import { isLodeError } from '../../../../src/errors.ts';
import { fsStore } from '../../../../src/fs.ts';
import type { Store } from '../../../../src/store/store.ts';
import { NameSyncs } from '../../../../src/store/fs/sync-names.ts';
import {
  crashStates,
  faultyDisk,
  recordingDisk,
  type DiskFaultKind,
  type DiskImage,
} from '../../../../src/testing/index.ts';
import { keysOf, textAt } from './folder.ts';

void describe('fs store: power loss', () => {
  void it('what was acknowledged is there in every state a crash may leave, and nothing is ever half there', async () => {
    const disk = recordingDisk({ image: rootImage });
    const store = fsStore('/root', { disk });
    const promised = await workload(store, disk.mark);
    const { recording } = disk;
    const states = crashStates(recording);
    for (const { image, marks, describe: how } of states) {
      const after = fsStore('/root', { disk: memoryDisk({ image }) });
      for (const key of await keysOf(after)) {
        assert.ok(contents(key).includes(await textAt(after, key)), `${key} after ${how()}`);
      }
      for (const mark of marks) {
        const [key = '', least = 0] = promised.get(mark) ?? [];
        const at = contents(key).lastIndexOf(await textAt(after, key));
        assert.ok(at >= least, `${mark} is lost after ${how()}`);
      }
      // And it can be written on.
      assert.ok((await after.put('new/after', 'x')).outcome);
    }
    assert.ok(states.counts.states > 60, `${states.counts.states} states`);
  });

  void it('puts at the same moment into a new directory wait for its name', async () => {
    const disk = recordingDisk({ image: rootImage });
    const store = fsStore('/root', { disk });
    await Promise.all(
      ['d/e/a', 'd/e/b', 'd/c'].map(async (key) => {
        await store.put(key, 'x');
        disk.mark(key);
      }),
    );
    for (const { image, marks, describe: how } of crashStates(disk.recording)) {
      const after = fsStore('/root', { disk: memoryDisk({ image }) });
      const keys = await keysOf(after);
      for (const mark of marks) assert.ok(keys.includes(mark), `${mark} is lost after ${how()}`);
    }
  });

  void it('a directory that another process made is not trusted to be durable', async () => {
    const disk = recordingDisk({ image: rootImage });
    await disk.makeDirectory('/root/d');
    await fsStore('/root', { disk }).put('d/a', 'x');
    disk.mark('stored');
    for (const { image, marks, describe: how } of crashStates(disk.recording)) {
      if (!marks.includes('stored')) continue;
      const after = fsStore('/root', { disk: memoryDisk({ image }) });
      assert.deepEqual(await keysOf(after), ['d/a'], how());
    }
  });
});

void describe('fs store: failing disks', () => {
  for (const kind of ['EIO', 'ENOSPC', 'short'] as const) {
    void it(`a call that fails with ${kind}, whichever it is, is an error or harmless, never half an object`, async () => {
      const calls = await countCalls();
      for (let at = 0; at < calls; at++) await oneFailure(kind, at);
    });
  }

  void it('a failed directory sync leaves the outcome open, and resolve() settles it', async () => {
    const inner = memoryDisk();
    await inner.makeDirectory('/root');
    for (const mode of ['create', 'overwrite', 'ifMatch'] as const) {
      const before = await fsStore('/root', { disk: inner }).put('k', 'old', { mode: 'overwrite' });
      const failing = failSyncOf(inner, '/root');
      const put = fsStore('/root', { disk: failing.disk }).put(
        mode === 'create' ? 'n' : 'k',
        'new',
        {
          mode: mode === 'ifMatch' ? { ifMatch: before.etag ?? '' } : mode,
        },
      );
      const error = await put.then(
        () => undefined,
        (e: unknown) => e,
      );
      assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'), String(error));
      await assert.rejects(error.details.resolve());
      failing.heal();
      const syncs = failing.syncs();
      assert.equal(await error.details.resolve(), 'landed');
      assert.equal(failing.syncs(), syncs + 1);
      await inner.unlink(mode === 'create' ? '/root/n' : '/root/k');
      assert.equal(await error.details.resolve(), 'not-landed');
    }
  });

  void it('nothing is published or answered in a new directory before every name on the way lasts', async () => {
    const bodies = { bytes: 'x', stream: [Buffer.from('x')] };
    for (const mode of ['create', 'overwrite', { ifMatch: 'other' }] as const) {
      for (const body of Object.values(bodies)) {
        const inner = memoryDisk();
        await inner.makeDirectory('/root');
        let end: (error: Error | undefined) => void = () => {};
        const slow = withSync(inner, (directory) =>
          directory === '/root'
            ? new Promise((resolve, reject) => {
                end = (error) => (error === undefined ? resolve() : reject(error));
              })
            : inner.syncDirectory(directory),
        );
        // A handle each time: what it finds there may be another's, who has not synced it yet.
        const put = async (): Promise<() => string> => {
          let outcome = '';
          const running = fsStore('/root', { disk: slow }).put('d/e/f', body, { mode });
          running.then(
            (result) => (outcome = result.outcome),
            (error: unknown) => (outcome = String(error)),
          );
          for (let i = 0; i < 100; i++) await Promise.resolve();
          return () => outcome;
        };
        const failed = await put();
        assert.equal(failed(), '');
        assert.equal(await inner.info('/root/d/e/f'), undefined);
        end(new Error('EIO'));
        for (let i = 0; i < 100; i++) await Promise.resolve();
        assert.match(failed(), /EIO/);
        const hidden = (await inner.list('/root/d/e')).filter(({ name }) => name !== 'f.lock');
        assert.deepEqual(hidden, []);

        for (const expected of [mode === 'create' || mode === 'overwrite', mode === 'overwrite']) {
          const done = await put();
          assert.equal(done(), '');
          end(undefined);
          for (let i = 0; i < 100; i++) await Promise.resolve();
          assert.equal(done(), expected ? 'stored' : 'conflict');
        }
      }
    }
  });

  void it('an earlier version that came back means that a swap did not land', async () => {
    const inner = memoryDisk();
    await inner.makeDirectory('/root');
    const { etag = '' } = await fsStore('/root', { disk: inner }).put('k', 'old');
    await inner.link('/root/k', '/root/old');
    const failing = failSyncOf(inner, '/root');
    const put = fsStore('/root', { disk: failing.disk }).put('k', 'new', {
      mode: { ifMatch: etag },
    });
    const error = await put.then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'));
    failing.heal();
    await inner.rename('/root/old', '/root/k');
    assert.equal(await error.details.resolve(), 'not-landed');
  });

  void it('a sync that started before a name was made is not taken for one that covers it', async () => {
    const inner = memoryDisk();
    await inner.makeDirectory('/root');
    const gates: (() => void)[] = [];
    const syncs: string[] = [];
    const slow = withSync(inner, async (directory) => {
      syncs.push(directory);
      await new Promise<void>((resolve) => gates.push(resolve));
    });
    const names = new NameSyncs(slow);
    const done: number[] = [];
    const ask = (i: number): Promise<number> => names.sync('/root').then(() => done.push(i));
    const all = [ask(1), ask(2), ask(3)];
    assert.equal(syncs.length, 1);
    gates[0]?.();
    await all[0];
    assert.deepEqual(done, [1]);
    const fourth = ask(4);
    assert.equal(syncs.length, 2);
    gates[1]?.();
    await Promise.all(all);
    assert.deepEqual(done, [1, 2, 3]);
    gates[2]?.();
    await fourth;
    assert.equal(syncs.length, 3);
  });

  void it('durability none syncs nothing', async () => {
    const disk = faultyDisk(memoryDisk());
    await disk.makeDirectory('/root');
    const store = fsStore('/root', { disk, durability: 'none' });
    await workload(store, () => {});
    assert.equal(disk.calls.sync, 0);
    assert.equal(store.capabilities.durable, false);
  });
});

void describe('fs store: the cost of a put', () => {
  void it('stays at its calls to the disk', async () => {
    const disk = faultyDisk(memoryDisk());
    await disk.makeDirectory('/root');
    const store = fsStore('/root', { disk });
    await store.put('d/warm', 'x');
    const cost = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
      const before = { ...disk.calls };
      await work();
      const { calls } = disk;
      return {
        sync: calls.sync - before.sync,
        write: calls.write - before.write,
        name: calls.name - before.name,
        read: calls.read - before.read,
      };
    };
    // Staged, linked, unlinked; a look at the directory, and one at the staged file for its etag.
    const create = await cost(() => store.put('d/a', 'x'));
    assert.deepEqual(create, { sync: 2, write: 1, name: 3, read: 2 });
    const { etag = '' } = (await store.head('d/a')) ?? {};
    // The lock, what is there now (open, inspect, read), then staged and renamed.
    const swap = await cost(() => store.put('d/a', 'y', { mode: { ifMatch: etag } }));
    assert.deepEqual(swap, { sync: 2, write: 1, name: 3, read: 5 });
    const get = await cost(async () => (await store.get('d/a'))?.bytes());
    assert.deepEqual(get, { sync: 0, write: 0, name: 0, read: 4 });
    const together = await cost(() =>
      Promise.all(Array.from({ length: 16 }, (_, i) => store.put(`d/n${i}`, 'x'))),
    );
    assert.ok((together['sync'] ?? 0) < 16 + 16, `${together['sync']} syncs for 16 puts at once`);
  });
});

/** What each key holds over time, first to last; undefined: not there. */
const history: Readonly<Record<string, readonly (string | undefined)[]>> = {
  'data/a': [undefined, 'content of a'],
  'data/day=1/b': [undefined, 'x'.repeat(1000)],
  latest: [undefined, '1', '2'],
  manifest: [undefined, 'manifest of 2'],
  doc: [undefined, 'one', 'two'],
  gone: [undefined, 'soon gone', undefined],
  'new/after': [undefined, 'x'],
};

function contents(key: string): readonly (string | undefined)[] {
  return history[key] ?? [];
}

/** Puts of every kind; `mark` is called once each is acknowledged. Gives what each mark promises: key and least index. */
async function workload(
  store: Store,
  mark: (label: string) => void,
): Promise<Map<string, [key: string, least: number]>> {
  const promises = new Map<string, [string, number]>();
  const promise = (key: string, least: number): void => {
    promises.set(`${key} ${least}`, [key, least]);
    mark(`${key} ${least}`);
  };
  await store.put('data/a', 'content of a');
  promise('data/a', 1);
  await store.put('data/day=1/b', 'x'.repeat(1000));
  promise('data/day=1/b', 1);
  const first = await store.put('latest', '1');
  promise('latest', 1);
  await store.put('latest', '2', {
    mode: { ifMatch: first.etag ?? '' },
    beforePublish: async () => {
      await store.put('manifest', 'manifest of 2');
      promise('manifest', 1);
    },
  });
  promise('latest', 2);
  await store.put('doc', 'one');
  await store.put('doc', 'two', { mode: 'overwrite' });
  promise('doc', 2);
  await store.put('gone', 'soon gone');
  const [deleted] = await store.delete('gone');
  if (deleted?.outcome === 'deleted') promise('gone', 2);
  return promises;
}

const rootImage: DiskImage = {
  kind: 'directory',
  inode: 1,
  entries: new Map([['root', { kind: 'directory', inode: 2, entries: new Map() }]]),
};

async function countCalls(): Promise<number> {
  const disk = faultyDisk(recordingDisk({ image: rootImage }));
  await workload(fsStore('/root', { disk }), () => {});
  return disk.calls.any;
}

async function oneFailure(kind: DiskFaultKind, at: number): Promise<void> {
  const inner = recordingDisk({ image: rootImage });
  const disk = faultyDisk(inner, { on: 'any', at, kind, times: 'once' });
  const acknowledged: string[] = [];
  const promised = new Map<string, [string, number]>();
  try {
    const all = await workload(fsStore('/root', { disk }), (label) => acknowledged.push(label));
    for (const [label, promise] of all) promised.set(label, promise);
  } catch (error) {
    const known = isLodeError(
      error,
      'LODE_UNAVAILABLE',
      'LODE_STORAGE_FULL',
      'LODE_WRITE_UNCERTAIN',
    );
    assert.ok(known, `call ${at}: ${String(error)}`);
  }
  assert.equal(disk.failures, 1);
  assert.equal(disk.retriedSyncs, 0);
  const after = fsStore('/root', { disk: inner });
  for (const key of await keysOf(after)) {
    assert.ok(contents(key).includes(await textAt(after, key)), `${key} after call ${at}`);
  }
  for (const label of acknowledged) {
    const [key = '', least = '0'] = label.split(' ');
    const index = contents(key).lastIndexOf(await textAt(after, key));
    assert.ok(index >= Number(least), `${label} after call ${at}`);
  }
}

/** A disk whose syncs of one directory fail until it is healed. */
function failSyncOf(
  disk: Disk,
  path: string,
): { disk: Disk; heal: () => void; syncs: () => number } {
  let broken = true;
  let syncs = 0;
  const failing = withSync(disk, async (directory) => {
    syncs++;
    if (broken && directory === path) throw new Error('EIO');
    return disk.syncDirectory(directory);
  });
  return { disk: failing, heal: () => void (broken = false), syncs: () => syncs };
}

function withSync(disk: Disk, syncDirectory: Disk['syncDirectory']): Disk {
  return new Proxy(disk, {
    get(target, name) {
      if (name === 'syncDirectory') return syncDirectory;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
