/** One bucket, two implementations: Go Lode with its own S3 adapter and ours, in turns. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLodeError, jsonl, openDataset } from '../../../src/index.ts';
import type { S3Store } from '../../../src/s3.ts';
import { GoPeer, goPeer } from '../../interop/go-peer.ts';
import type { GoBucket, GoSnapshot } from '../../interop/go-peer.ts';
import type { Bucket } from './server.ts';

type Row = Readonly<Record<string, unknown>>;

const peer = await goPeer();

/** `place` gives a fresh prefix of the bucket. */
export function goSuite(place: () => { server: Bucket; prefix: string; store: S3Store }): void {
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
  });
}

function goBucket({ endpoint, bucket, region, credentials }: Bucket, prefix: string): GoBucket {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
  return { endpoint, bucket, region, prefix, accessKey, secretKey };
}
