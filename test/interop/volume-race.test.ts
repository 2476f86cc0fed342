/**
 * At risk: blocks that were acknowledged. Two Go and two Node processes fill one volume at once, in a directory and in a
 * bucket. Go writers lose commits of their own to each other's repairs (E-2); none of ours may be among them, and what Go has
 * lost is still there to be committed again.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double } from '../../src/testing/index.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import { holdVolumeRace } from './volume-race-outcome.ts';

const peer = await goPeer();

describe('a race with Go for a volume', { skip: 'missing' in peer ? peer.missing : false }, () => {
  it('in a directory', { timeout: 120_000 }, async (t) => {
    assert.ok(peer instanceof GoPeer);
    const root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    t.after(() => rm(root, { recursive: true, force: true }));
    await holdVolumeRace(t, peer, { root }, fsStore(root), 50);
  });

  it('in a bucket', { timeout: 120_000 }, async (t) => {
    assert.ok(peer instanceof GoPeer);
    await using double = await s3Double();
    const { bucket, endpoint, region, credentials } = double;
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
    await using store = s3Store({ bucket, endpoint, region, credentials, conditions: 'assume' });
    const s3 = { endpoint, bucket, region, accessKey, secretKey };
    await holdVolumeRace(t, peer, { s3, peers: 'go' }, store, 25);
  });
});
