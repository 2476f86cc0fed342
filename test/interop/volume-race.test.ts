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
import type { TestContext } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { md5, openVolume } from '../../src/index.ts';
import type { Store, Volume } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double } from '../../src/testing/index.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import type { GoBucket } from './go-peer.ts';
import { GoVolume, placed } from './go-volume.ts';
import type { VolumeRacer } from './volume-race.ts';
import { raceForVolume } from './volume-race.ts';

const peer = await goPeer();
const block = 1000;
const volume = 'disk';

/** Blocks of Go that are not in the history; fails when one of ours is not. */
async function lostBlocks(ours: Volume, racers: readonly VolumeRacer[]): Promise<number[]> {
  const head = await ours.latest();
  const history = new Set<string>();
  let child: string | undefined;
  for await (const { id, manifest } of ours.snapshots()) {
    assert.ok(child === undefined || child === id, 'one chain');
    child = manifest.parentSnapshotId;
    history.add(id);
  }
  assert.equal(child, undefined, 'that begins at the beginning');
  const lost: number[] = [];
  for (const { isOurs, acked } of racers) {
    for (const [offset, id] of acked) {
      const isThere = ours.missing(head, { offset, length: block }).length === 0;
      if (isOurs) assert.ok(isThere && history.has(id), `${id} of ours, at ${offset}`);
      else if (!isThere) lost.push(offset);
    }
  }
  return lost;
}

async function race(
  t: TestContext,
  place: { readonly root: string } | { readonly s3: GoBucket; readonly peers: 'go' },
  store: Store,
  commits: number,
): Promise<void> {
  assert.ok(peer instanceof GoPeer);
  const began = performance.now();
  const spec = { ...place, volume, block, checksum: 'md5', retry: { count: 20 } } as const;
  const racers = await raceForVolume({ ...spec, commits }, { peer });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const ours = await openVolume(volume, { store, checksum: md5() });
  const lost = await lostBlocks(ours, racers);
  const count = (isOurs: boolean): string => {
    const side = racers.filter((racer) => racer.isOurs === isOurs);
    const sum = (of: (racer: VolumeRacer) => number): number =>
      side.reduce((total, racer) => total + of(racer), 0);
    return `${sum(({ acked }) => acked.size)} acknowledged, ${sum(({ failed }) => failed.length)} refused`;
  };
  t.diagnostic(
    `ours ${count(true)}; Go ${count(false)}, ${lost.length} cut off by its own rewinds; ${seconds} s`,
  );
  for (const { isOurs, acked } of racers) if (isOurs) assert.equal(acked.size, commits);

  // What is left is finished: the blocks are there, and adopted.
  const missing = ours.missing(await ours.latest());
  let adopted = 0;
  const staged = await Promise.all(
    missing
      .flatMap(({ offset, length }) =>
        Array.from({ length: length / block }, (_, i) => offset + i * block),
      )
      .map((offset) =>
        ours.stageWriteAt(offset, placed(offset, block), {
          onProgress: (progress) => (adopted += progress.adopted),
        }),
      ),
  );
  if (staged.length > 0) await ours.commit(staged);
  assert.equal(adopted, staged.length);
  const head = await ours.latest();
  assert.ok(head.complete);

  await using go = peer.serve();
  const theirs = new GoVolume(go, { ...spec, length: ours.length });
  assert.equal((await theirs.latest()).id, head.id);
  const whole = placed(0, ours.length);
  assert.deepEqual(await theirs.read(head.id, 0, ours.length), whole);
  assert.deepEqual(await ours.readAt(head, 0, ours.length, { verified: true }), whole);
}

describe('a race with Go for a volume', { skip: 'missing' in peer ? peer.missing : false }, () => {
  it('in a directory', { timeout: 120_000 }, async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    t.after(() => rm(root, { recursive: true, force: true }));
    await race(t, { root }, fsStore(root), 50);
  });

  it('in a bucket', { timeout: 120_000 }, async (t) => {
    await using double = await s3Double();
    const { bucket, endpoint, region, credentials } = double;
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
    await using store = s3Store({ bucket, endpoint, region, credentials, conditions: 'assume' });
    const s3 = { endpoint, bucket, region, accessKey, secretKey };
    await race(t, { s3, peers: 'go' }, store, 25);
  });
});
