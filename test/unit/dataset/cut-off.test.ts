/** At risk: half of a first commit that stays, because without a pointer the manifests are what shows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hive } from '../../../src/dataset/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { all, bedOf } from './bed.ts';

const rows = [{ k: 'a' }, { k: 'b' }];
const layout = hive('k');
/** Two data files, a manifest and two copies, the pointer around them, and one to spare. */
const puts = 8;

void describe('writers cut off before there is a pointer', () => {
  for (let first = 0; first < puts; first++) {
    for (let second = 0; second < puts; second++) {
      void it(`at put ${first}, the next one at put ${second}`, async () => {
        const bed = bedOf('guarded put');
        for (const at of [first, second]) {
          const { store } = faultyStore(bed.store, {
            kind: 'fail',
            on: 'put',
            at,
            times: Infinity,
          });
          const writer = await bed.records({ store, layout });
          await writer.write(rows).catch(() => {});
        }
        const reader = await bed.records({ layout });
        const shown = await all(reader.snapshots());
        for (const { id } of shown) assert.deepEqual(await reader.read(id), rows);
        const { id } = await reader.write(rows);
        const ids = (await all(reader.snapshots())).map((snapshot) => snapshot.id);
        assert.deepEqual(ids, [id, ...shown.map((snapshot) => snapshot.id)]);
        for (const snapshot of ids)
          assert.deepEqual((await reader.verify({ snapshot })).problems, [], 'whole');
      });
    }
  }
});
