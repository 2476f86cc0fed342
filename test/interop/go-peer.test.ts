/** The Go peer answers, and the committed vectors are what the Go original still reads as they say. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GoFailure, GoPeer, goPeer } from './go-peer.ts';
import type { GoSession, GoSnapshot } from './go-peer.ts';
import { goVectors, materialize } from './vectors.ts';
import type { GoContents } from './vectors.ts';

const peer = await goPeer();
const vectors = await goVectors();

describe('the Go peer', { skip: 'missing' in peer ? peer.missing : false }, () => {
  let go: GoSession;
  let root: string;
  before(async () => {
    assert.ok(peer instanceof GoPeer);
    go = peer.serve();
    root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
  });
  after(async () => {
    await go[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  it('writes and reads, and names its sentinels', async () => {
    const dataset = { root, dataset: 'd', codec: 'jsonl', compressor: 'zstd' };
    const written = await go.request<GoSnapshot>('write', {
      ...dataset,
      records: [{ n: { $int64: '9007199254740993' }, t: { $time: '2024-01-01T10:00:00+09:00' } }],
      metadata: { by: 'test' },
    });
    assert.deepEqual(await go.request('read', { ...dataset, id: written.id }), {
      records: [{ n: 9007199254740992, t: '2024-01-01T10:00:00+09:00' }],
    });
    assert.deepEqual(await go.request('latest', dataset), written);
    await assert.rejects(
      go.request('snapshot', { ...dataset, id: 'none' }),
      (error) => error instanceof GoFailure && error.sentinel === 'ErrNotFound',
    );
  });

  it('keeps a warm instance under a handle, which conflicts when another writer moved on', async () => {
    const dataset = { root, dataset: 'warm', codec: 'jsonl', records: [{ n: 1 }] };
    await go.request('write', { ...dataset, handle: 'a' });
    await go.request('write', { ...dataset, handle: 'b' });
    await assert.rejects(
      go.request('write', { ...dataset, handle: 'a' }),
      (error) => error instanceof GoFailure && error.sentinel === 'ErrSnapshotConflict',
    );
  });

  it('lets racers go together and hears every acknowledged commit', async () => {
    assert.ok(peer instanceof GoPeer);
    const spec = { root, dataset: 'race', codec: 'jsonl', commits: 5, writer: 'w' };
    await using racer = peer.spawn('race', JSON.stringify(spec));
    racer.send('go');
    const acked: string[] = [];
    for await (const line of racer.lines()) {
      const { acked: id, done } = line as { acked?: string; done?: boolean };
      if (id !== undefined) acked.push(id);
      if (done) break;
    }
    const snapshots = await go.request<GoSnapshot[]>('snapshots', { root, dataset: 'race' });
    assert.deepEqual(
      snapshots.map(({ id }) => id),
      acked,
    );
  });

  it('stands still between its pointer and its manifest', async () => {
    assert.ok(peer instanceof GoPeer);
    const dataset = { root, dataset: 'steps', codec: 'jsonl' };
    const spec = { ...dataset, records: [{ n: 1 }] };
    await using writer = peer.spawn('write-in-steps', JSON.stringify(spec));
    const steps: string[] = [];
    for await (const line of writer.lines()) {
      const { step, done } = line as { step?: string; done?: GoSnapshot };
      if (step === 'manifest') {
        await assert.rejects(
          go.request('latest', dataset),
          (error) => error instanceof GoFailure && error.sentinel === 'ErrNoSnapshots',
        );
      }
      steps.push(step ?? (done === undefined ? 'failed' : 'done'));
      if (done) break;
      writer.send('go on');
    }
    assert.deepEqual(steps, ['data', 'pointer', 'manifest', 'done']);
  });

  it('holds the lock that a Go commit waits for', async () => {
    assert.ok(peer instanceof GoPeer);
    const dataset = { root, dataset: 'locked', codec: 'jsonl', records: [{ n: 1 }] };
    await go.request('write', dataset);
    const lock = join(root, 'datasets/locked/latest.lock');
    let committed = false;
    let commit: Promise<void>;
    {
      await using holder = peer.spawn('hold-lock', lock);
      assert.deepEqual((await holder.lines().next()).value, { held: true });
      commit = go.request('write', dataset).then(() => void (committed = true));
      // A round trip through another Go process: ample time for a commit that does not wait.
      await using other = peer.serve();
      await other.request('snapshots', { root, dataset: 'locked' });
      assert.equal(committed, false);
    }
    await commit;
  });

  it('measures its own work', async () => {
    const facts = await go.request<{ perOp: number; records: number }>('bench', {
      dataset: 'b',
      store: 'memory',
      codec: 'jsonl',
      work: 'write-small',
      iterations: 3,
      count: 2,
    });
    assert.equal(facts.records, 6);
    assert.ok(facts.perOp > 0);
  });

  for (const vector of vectors) {
    it(`still reads the vector ${vector.case} as recorded`, async () => {
      const at = join(root, 'vectors', vector.case);
      await materialize(vector, at);
      const dataset = { ...vector.dataset, root: at };
      for (const snapshot of vector.snapshots) {
        const { manifest } = await go.request<GoSnapshot>('snapshot', {
          ...dataset,
          id: snapshot.id,
        });
        assert.deepEqual(manifest, snapshot.manifest);
        if (snapshot.error) continue;
        const { records } = await go.request<GoContents>('read', { ...dataset, id: snapshot.id });
        assert.equal(records?.length ?? 0, snapshot.read?.count);
        if (snapshot.read?.records) assert.deepEqual(records, snapshot.read.records);
      }
      assert.equal((await go.request<GoSnapshot>('latest', dataset)).id, vector.latest.ok);
    });
  }
});
