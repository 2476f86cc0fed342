/** At risk: a commit that is acknowledged and ends its volume, an answer about another volume. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { openVolume } from '../../../src/volume/index.ts';
import { all, content, failure, onBoth, put } from './bed.ts';

describe('snapshots', () => {
  onBoth('of another volume, or none, are not asked what is missing', async (bed) => {
    const volume = await bed.volume();
    const mine = await volume.snapshot(await put(volume, [0, 10]));
    const other = await openVolume('other', { store: bed.store, env: bed.env, length: 100 });
    const theirs = await other.commit([await other.stageWriteAt(50, content(50, 50))]);
    assert.deepEqual(volume.missing(mine), [{ offset: 10, length: 90 }]);
    for (const wrong of [theirs, null, mine.id, {}] as unknown as (typeof mine)[]) {
      await failure('LODE_INVALID_ARGUMENT', (async () => volume.missing(wrong))());
      await failure('LODE_INVALID_ARGUMENT', (async () => volume.coverage(wrong))());
    }
    for (const wrong of [theirs, null, {}] as unknown as (typeof mine)[])
      await failure('LODE_INVALID_ARGUMENT', volume.readAt(wrong, 0, 1));
  });
});

describe('a commit whose manifest nobody could read', () => {
  onBoth('is refused, and the volume goes on', async (bed) => {
    const volume = await bed.volume({ limits: { blocksMax: 2 } });
    const v = await put(volume, [0, 10], [10, 10]);
    await failure('LODE_LIMIT_EXCEEDED', put(volume, [20, 10]));
    assert.equal((await volume.latest()).id, v);
    const long = await bed.volume({ limits: { bytesMax: 1500 } });
    const before = await put(long, [20, 10]);
    await failure(
      'LODE_LIMIT_EXCEEDED',
      put(long, ...[30, 40, 50, 60, 70].map((at) => [at, 10] as const)),
    );
    const staged = await long.stageWriteAt(80, 'a');
    await failure('LODE_LIMIT_EXCEEDED', long.commit([staged], { text: 'x'.repeat(1500) }));
    assert.equal((await long.latest()).id, before);
    assert.deepEqual((await all(long.snapshots({ unreachable: true }))).length, 0);
    await put(await bed.volume(), [90, 10]);
  });
});
