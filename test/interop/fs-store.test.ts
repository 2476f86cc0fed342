/** At risk: two writers inside one critical section. Our store in a directory and a Go process wait for each other's lock. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import type { Store } from '../../src/store/store.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import type { GoSession, GoSnapshot } from './go-peer.ts';

const peer = await goPeer();

describe('a directory shared with Go', { skip: 'missing' in peer ? peer.missing : false }, () => {
  let go: GoSession;
  let root: string;
  let store: Store;
  const dataset = { dataset: 'd', codec: 'jsonl', records: [{ n: 1 }] };
  const pointer = 'datasets/d/latest';

  before(async () => {
    assert.ok(peer instanceof GoPeer);
    go = peer.serve();
    root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    store = fsStore(root);
    await go.request('write', { root, ...dataset });
  });
  after(async () => {
    await go[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  /** Ample time for anything that is not kept waiting: both sides do the same work elsewhere, several times over. */
  async function aWhile(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await go.request('write', { root, ...dataset, dataset: 'elsewhere' });
      const etag = (await store.head('datasets/elsewhere/latest'))?.etag;
      assert.ok(etag !== undefined);
      await store.put('datasets/elsewhere/latest', '1', { mode: { ifMatch: etag } });
    }
  }

  it('our put waits while a Go process holds the lock', async () => {
    assert.ok(peer instanceof GoPeer);
    const etag = (await store.head(pointer))?.etag;
    assert.ok(etag !== undefined);
    let landed = false;
    let put: Promise<void>;
    {
      await using holder = peer.spawn('hold-lock', join(root, `${pointer}.lock`));
      assert.deepEqual((await holder.lines().next()).value, { held: true });
      put = store.put(pointer, '1', { mode: { ifMatch: etag } }).then(({ outcome }) => {
        assert.equal(outcome, 'stored');
        landed = true;
      });
      await aWhile();
      assert.equal(landed, false);
    }
    await put;
    assert.equal(await readFile(join(root, pointer), 'utf8'), '1');
  });

  it('a Go commit waits while our put is guarded, and then conflicts', async () => {
    assert.ok(peer instanceof GoPeer);
    const spec = JSON.stringify({ root, ...dataset });
    await using writer = peer.spawn('write-in-steps', spec);
    const lines = writer.lines();
    const next = async (): Promise<{ step?: string; failed?: { name: string } }> =>
      (await lines.next()).value as object;
    assert.equal((await next()).step, 'data');
    writer.send('go on');
    assert.equal((await next()).step, 'pointer');
    let heard = false;
    let outcome: ReturnType<typeof next> | undefined;
    await store.put(pointer, '2', {
      mode: 'overwrite',
      beforePublish: async () => {
        writer.send('go on');
        outcome = next();
        void outcome.then(() => (heard = true));
        await aWhile();
        assert.equal(heard, false);
      },
    });
    assert.equal((await outcome)?.failed?.name, 'ErrSnapshotConflict');
    assert.equal(await readFile(join(root, pointer), 'utf8'), '2');
  });

  it('what either stores the other finds, and neither takes the auxiliary files of the other for objects', async () => {
    const written = await go.request<GoSnapshot>('write', { root, ...dataset, dataset: 'theirs' });
    const keys: string[] = [];
    for await (const entry of store.list('datasets/theirs/'))
      keys.push('key' in entry ? entry.key : '');
    const base = `datasets/theirs/snapshots/${written.id}`;
    assert.deepEqual(keys, [
      'datasets/theirs/latest',
      `${base}/data/data`,
      `${base}/manifest.json`,
    ]);

    const manifest = await readFile(join(root, `${base}/manifest.json`), 'utf8');
    await store.put(
      'datasets/ours/snapshots/7/manifest.json',
      manifest.replaceAll('theirs', 'ours'),
    );
    await store.put('datasets/ours/latest', '7');
    assert.deepEqual(
      (await go.request<GoSnapshot[]>('snapshots', { root, dataset: 'ours' })).map(({ id }) => id),
      ['7'],
    );
    assert.equal((await go.request<GoSnapshot>('latest', { root, dataset: 'ours' })).id, '7');
    assert.ok((await go.request<string[]>('datasets', { root, dataset: '' })).includes('ours'));
  });
});
