/** What must be true after a race with Go for one volume, in a directory as in a bucket. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { md5, openVolume } from '../../src/index.ts';
import type { Store, Volume } from '../../src/index.ts';
import type { GoBucket, GoPeer } from './go-peer.ts';
import { GoVolume, placed } from './go-volume.ts';
import type { VolumeRacer } from './volume-race.ts';
import { raceForVolume } from './volume-race.ts';

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

/** Races, says what happened, and checks that no block of ours was lost and that what is missing can be committed again. */
export async function holdVolumeRace(
  t: TestContext,
  peer: GoPeer,
  place: { readonly root: string } | { readonly s3: GoBucket; readonly peers: 'go' },
  store: Store,
  commits: number,
): Promise<void> {
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
