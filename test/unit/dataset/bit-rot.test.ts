/** At risk: a byte that changes on disk and is believed. R22 in small. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '../../../src/testing/index.ts';
import { cleanDataset, isLocated, rotOnce } from '../../corrupted/bit-rot.ts';

void it('verification names the object in which one byte changed, and no other', async () => {
  const random = seededRandom(7);
  for (let n = 0; n < 12; n++) {
    const dataset = await cleanDataset(n);
    assert.deepEqual((await (await dataset.open()).verify()).problems, []);
    for (let i = 0; i < 3; i++) {
      const rot = await rotOnce(dataset, random);
      if (rot !== undefined) assert.ok(isLocated(rot), JSON.stringify(rot));
    }
    assert.deepEqual((await (await dataset.open()).verify()).problems, [], 'after restoring');
  }
});
