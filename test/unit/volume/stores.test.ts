/** At risk: that volumes work on one store only. From the first block to the last on each of ours, by two handles in turns. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { s3Store } from '../../../src/store/s3/store.ts';
import { fsStore } from '../../../src/store/fs/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { s3Double } from '../../../src/testing/index.ts';
import { openVolume } from '../../../src/volume/index.ts';
import { all, content, failure, put } from './bed.ts';

async function fillTogether(store: Store, manifests: 'compatible' | 'compact'): Promise<void> {
  const length = 1000;
  const open = { store, length, manifests, blockBytes: 64 };
  const [a, b] = [await openVolume('vol', open), await openVolume('vol', open)];
  for (let at = 0; at < length; at += 100)
    await put(at % 200 === 0 ? a : b, [at, 50], [at + 60, 40]);
  const half = await a.latest();
  assert.deepEqual([half.complete, half.coveredBytes, a.missing(half).length], [false, 900, 10]);
  const { gaps } = (await failure('LODE_RANGE_MISSING', a.readAt(half, 0, length))).details;
  // Resumed: what is missing is staged, and that is all.
  const staged = await Promise.all(
    gaps.map(({ offset, length: bytes }) => b.stageWriteAt(offset, content(offset, bytes))),
  );
  const v = await b.commit(staged);
  assert.equal(v.complete, true);
  assert.deepEqual(await a.readAt(v.id, 0, length), content(0, length));
  const parts = await all(a.stream(v.id, { offset: 45, length: 900 }, { verified: true }));
  assert.deepEqual(Buffer.concat(parts), Buffer.from(content(45, 900)));
  assert.deepEqual((await a.verify()).problems, []);
  assert.equal((await all(b.snapshots())).length, 11);
}

describe('a volume filled by two', () => {
  for (const manifests of ['compatible', 'compact'] as const) {
    it(`in memory, ${manifests}`, () => fillTogether(memoryStore(), manifests));

    it(`in a directory, ${manifests}`, async () => {
      const root = await mkdtemp(join(tmpdir(), 'lode-volume-'));
      try {
        await fillTogether(fsStore(root, { durability: 'none' }), manifests);
      } finally {
        await rm(root, { recursive: true });
      }
    });

    it(`in a bucket, ${manifests}`, async () => {
      await using double = await s3Double();
      const { endpoint, bucket, credentials } = double;
      await using store = s3Store({ endpoint, bucket, credentials });
      await fillTogether(store, manifests);
    });
  }
});
