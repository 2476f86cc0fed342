/** One bucket, two implementations: Go Lode with its own S3 adapter and ours, in turns. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { isLodeError, jsonl, openDataset } from '../../../src/index.ts';
import type { Snapshot } from '../../../src/index.ts';
import { forEachOf } from '../../../src/parallel.ts';
import type { S3Store } from '../../../src/s3.ts';
import { GoPeer, goPeer } from '../../interop/go-peer.ts';
import type { GoBucket, GoSnapshot } from '../../interop/go-peer.ts';
import { isOurs, race } from '../../interop/race.ts';
import { holdVolumeRace } from '../../interop/volume-race-outcome.ts';
import type { Bucket } from './server.ts';

type Row = Readonly<Record<string, unknown>>;

const peer = await goPeer();
/** Of each process. */
const commits = 50;

interface Place {
  readonly server: Bucket;
  readonly prefix: string;
  readonly store: S3Store;
}

/** `place` gives a fresh prefix of the bucket. */
export function goSuite(place: () => Place): void {
  describe('with Go', { skip: 'missing' in peer ? peer.missing : false }, () => {
    it('each reads and continues what the other has written', async () => {
      assert.ok(peer instanceof GoPeer);
      await using go = peer.serve();
      const { server, prefix, store } = place();
      await using bucket = store;
      const spec = { s3: goBucket(server, prefix), dataset: 'd', codec: 'jsonl' };
      const dataset = await openDataset<Row>('d', { store: bucket, codec: jsonl() });
      const first = await dataset.write([{ by: 'us' }]);
      const second = await go.request<GoSnapshot>('write', { ...spec, records: [{ by: 'go' }] });
      assert.equal(second.manifest.parent_snapshot_id, first.id);
      assert.deepEqual(await go.request('read', { ...spec, id: first.id }), {
        records: [{ by: 'us' }],
      });
      assert.deepEqual(await dataset.read(second.id), [{ by: 'go' }]);
      await assert.rejects(dataset.write([{}]), (e) => isLodeError(e, 'LODE_SNAPSHOT_CONFLICT'));
      await dataset.latest();
      const third = await dataset.write([{ by: 'us' }]);
      assert.equal(third.manifest.parentSnapshotId, second.id);
      assert.equal((await go.request<GoSnapshot>('latest', spec)).id, third.id);
      assert.deepEqual((await dataset.verify()).problems, []);
    });

    it('two processes of each race, and none of our commits is lost', { timeout: 120_000 }, (t) => {
      assert.ok(peer instanceof GoPeer);
      return raceOf(peer, t, place());
    });

    it(
      'two processes of each fill one volume, and none of our blocks is lost',
      {
        timeout: 120_000,
      },
      async (t) => {
        assert.ok(peer instanceof GoPeer);
        const { server, prefix, store } = place();
        await using bucket = store;
        const s3 = goBucket(server, prefix);
        await holdVolumeRace(t, peer, { s3, peers: 'go' }, bucket, 25);
      },
    );
  });
}

/** Go cuts off commits of its own (E-2); each of ours stays, every commit of either exists, and both sides read them all. */
async function raceOf(by: GoPeer, t: TestContext, { server, prefix, store }: Place): Promise<void> {
  const spec = { s3: goBucket(server, prefix), dataset: 'd', codec: 'jsonl' } as const;
  const began = performance.now();
  const { ours, theirs } = await race(by, {
    ...spec,
    commits,
    peers: 'go',
    retry: { count: 20 },
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);

  await using bucket = store;
  const dataset = await openDataset<Row>('d', { store: bucket, codec: jsonl() });
  const history = new Set<string>();
  const cutOff = new Map<string, Snapshot>();
  for await (const snapshot of dataset.snapshots({ unreachable: true }))
    cutOff.set(snapshot.id, snapshot);
  let turns = 0;
  let former: boolean | undefined;
  for await (const { id, manifest } of dataset.snapshots()) {
    history.add(id);
    const is = isOurs(manifest.metadata);
    if (former !== undefined && is !== former) turns++;
    former = is;
  }
  const acked = [...ours.acked, ...theirs.acked];
  const lost = acked.filter((id) => cutOff.has(id));
  t.diagnostic(
    `${ours.acked.length} commits of ours, ${ours.failed.length} refused; ${theirs.acked.length} of Go, ` +
      `${theirs.failed.length} refused, ${lost.length} of them cut off by its own rewinds; ` +
      `${turns} turns, ${seconds} s`,
  );
  for (const failure of new Set([...ours.failed, ...theirs.failed])) t.diagnostic(failure);

  assert.ok(acked.length >= 200, `${acked.length} commits`);
  assert.equal(ours.acked.length, 2 * commits);
  for (const id of ours.acked) assert.ok(history.has(id), `${id}, ours, is in the history`);
  for (const id of lost)
    assert.ok(!isOurs(cutOff.get(id)?.manifest.metadata ?? {}), `${id} is Go's`);

  await using go = by.serve();
  const found = await go.request<GoSnapshot[]>('snapshots', spec);
  const ids = new Set(found.map(({ id }) => id));
  await forEachOf(acked, 8, async (id) => {
    assert.ok(ids.has(id), `${id} exists`);
    const { records } = await go.request<{ records: unknown[] }>('read', { ...spec, id });
    assert.deepEqual(await dataset.read(id), records);
  });
  const head = await go.request<GoSnapshot>('latest', spec);
  assert.equal((await dataset.latest()).id, head.id);
  assert.deepEqual((await dataset.verify()).problems, []);
}

function goBucket({ endpoint, bucket, region, credentials }: Bucket, prefix: string): GoBucket {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
  return { endpoint, bucket, region, prefix, accessKey, secretKey };
}
