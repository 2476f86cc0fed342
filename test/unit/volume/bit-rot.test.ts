/** At risk: a byte of a volume that changes on disk and is believed. R22 in small. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '../../../src/testing/index.ts';
import { isLocated, rotOnce } from '../../corrupted/bit-rot.ts';
import { cleanVolume } from '../../corrupted/volume-rot.ts';

void it('verification names the object in which one byte changed, and no other', async () => {
  const random = seededRandom(7);
  for (let n = 0; n < 12; n++) {
    const volume = await cleanVolume(n);
    assert.deepEqual((await (await volume.open()).verify()).problems, []);
    for (let i = 0; i < 3; i++) {
      const rot = await rotOnce(volume, random);
      if (rot !== undefined) assert.ok(isLocated(rot), JSON.stringify(rot));
    }
  }
});
