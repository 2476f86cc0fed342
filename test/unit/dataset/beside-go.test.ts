/** At risk: commits beside Go in a bucket, at the moments that matter: a writer that stalls, dies or gives up with the pointer held. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dataset } from '../../../src/dataset/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { all, bedOf, fails, keysOf, manifestKey, pointerKey, textOf } from './bed.ts';
import type { Bed, Row } from './bed.ts';
import { stalled } from './stalled.ts';

const peers = 'go';
const cas = (): Bed => bedOf('compare-and-swap');
const isManifest = (key: string): boolean => key.endsWith('manifest.json');

async function history(dataset: Dataset<Row>): Promise<string[]> {
  return (await all(dataset.snapshots())).map(({ id }) => id);
}

void describe('beside Go in a bucket', () => {
  void it('the pointer names what has its manifest at all times, held or not', async () => {
    const bed = cas();
    const first = await (await bed.records({ peers })).write([{ n: 1 }]);
    const slow = stalled(bed.store, isManifest);
    const writing = (await bed.records({ store: slow.store, peers })).write([{ n: 2 }]);
    await slow.reached;
    const held = (await textOf(bed.store, pointerKey)) ?? '';
    assert.match(held, new RegExp(`^${first.id}\n[ \t]{48}$`));
    assert.equal((await (await bed.records()).latest()).id, first.id);
    slow.go();
    const second = await writing;
    assert.equal(await textOf(bed.store, pointerKey), second.id);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.equal(second.cost.requests, 5, 'opened cold: the head’s manifest and its own four');
  });

  void it('a first commit shows only when it is whole', async () => {
    const bed = cas();
    const slow = stalled(bed.store, (key, bytes) => key === pointerKey && bytes === 19);
    const writing = (await bed.records({ store: slow.store, peers })).write([{ n: 1 }]);
    await slow.reached;
    assert.equal((await keysOf(bed.store)).filter(isManifest).length, 1);
    const reader = await bed.records();
    await fails(reader.latest(), 'LODE_NO_SNAPSHOTS');
    assert.deepEqual(await history(reader), []);
    slow.go();
    const { id } = await writing;
    assert.deepEqual(await history(reader), [id]);
  });

  void it('another writer of ours waits for it instead of losing a race', async () => {
    const bed = cas();
    await (await bed.records({ peers })).write([{ n: 1 }]);
    const slow = stalled(bed.store, isManifest);
    const a = (await bed.records({ store: slow.store, peers })).write([{ by: 'a' }]);
    await slow.reached;
    const b = (await bed.records({ peers })).write([{ by: 'b' }]);
    await bed.env.sleep(1_000);
    slow.go();
    const [first, second] = await Promise.all([a, b]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.equal(second.retries, 0);
  });

  for (const attempts of [0, 2]) {
    void it(`a writer that stalls is superseded, and told so, with ${attempts} retries`, async () => {
      const bed = cas();
      const first = await (await bed.records({ peers })).write([{ n: 1 }]);
      const slow = stalled(bed.store, isManifest);
      const retry = { attempts };
      const a = await bed.records({ store: slow.store, peers, retry });
      await a.latest();
      const late = a.write([{ by: 'a' }]);
      const lost = attempts === 0 ? fails(late, 'LODE_SUPERSEDED') : undefined;
      await slow.reached;
      const b = await bed.records({ peers });
      const started = bed.env.elapsedMs;
      const second = await b.write([{ by: 'b' }]);
      assert.ok(bed.env.elapsedMs - started >= 5_000, 'taken over without waiting');
      assert.equal(second.manifest.parentSnapshotId, first.id);
      slow.go();
      if (lost === undefined) {
        const third = await late;
        assert.equal(third.manifest.parentSnapshotId, second.id);
        assert.deepEqual(await b.read(third.id), [{ by: 'a' }]);
        assert.equal(third.cost.puts, 7, 'no data is sent again');
      } else {
        const { details } = await lost;
        assert.ok(await bed.store.head(manifestKey(details.snapshot ?? '')));
        assert.deepEqual(await history(b), [second.id, first.id]);
        const [orphan] = (await all(b.snapshots({ unreachable: true }))).map(({ id }) => id);
        assert.equal(orphan, details.snapshot);
      }
      assert.deepEqual((await b.verify()).problems, []);
    });
  }

  void it('what a writer that died with the pointer held left is let go by repair', async () => {
    const bed = cas();
    const first = await (await bed.records({ peers })).write([{ n: 1 }]);
    const slow = stalled(bed.store, isManifest);
    const dead = (await bed.records({ store: slow.store, peers })).write([{ by: 'dead' }]);
    dead.catch(() => {});
    await slow.reached;
    const other = await bed.records();
    assert.deepEqual(await other.repair({ dryRun: true }), [pointerKey]);
    assert.deepEqual(await other.repair(), [pointerKey]);
    assert.equal(await textOf(bed.store, pointerKey), first.id);
    assert.deepEqual(await other.repair(), []);
  });

  void it('the same of a first commit, whose manifest never shows', async () => {
    const bed = cas();
    const slow = stalled(bed.store, (key, bytes) => key === pointerKey && bytes === 19);
    const dead = (await bed.records({ store: slow.store, peers })).write([{ by: 'dead' }]);
    dead.catch(() => {});
    await slow.reached;
    const other = await bed.records();
    await other.repair();
    assert.match((await textOf(bed.store, pointerKey)) ?? '', /^\d{19}$/);
    assert.deepEqual(await history(other), []);
    const next = await other.write([{ by: 'next' }]);
    assert.deepEqual(await history(other), [next.id]);
  });

  void it('a commit that is refused or aborted lets the pointer go', async () => {
    const bed = cas();
    const first = await (await bed.records({ peers })).write([{ n: 1 }]);
    const full = faultyStore(bed.store, {
      kind: 'fail',
      on: 'put',
      at: 0,
      times: 99,
      key: isManifest,
    });
    const refused = (await bed.records({ store: full.store, peers })).write([{ n: 2 }]);
    await fails(refused, 'LODE_UNAVAILABLE');
    assert.equal(await textOf(bed.store, pointerKey), first.id);

    const slow = stalled(bed.store, isManifest);
    const abort = new AbortController();
    const handle = await bed.records({ store: slow.store, peers });
    const aborted = handle.write([{ n: 2 }], {}, { signal: abort.signal });
    await slow.reached;
    const reason = new Error('enough');
    abort.abort(reason);
    slow.go();
    await assert.rejects(aborted, reason);
    assert.equal(await textOf(bed.store, pointerKey), first.id);
  });

  void it('needs writers in any process, and a peer that exists', async () => {
    const bed = cas();
    await fails(bed.records({ peers, writers: 'single' }), 'LODE_INVALID_ARGUMENT');
    await fails(bed.records({ peers: 'rust' as 'go' }), 'LODE_INVALID_ARGUMENT');
  });
});
