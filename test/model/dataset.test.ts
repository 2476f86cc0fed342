/** At risk: an answer that differs from what the guarantees promise, after calls in an order nobody thought of. R17 in small. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeKinds } from './dataset.ts';
import { datasets, runModel } from './run.ts';

void describe('a dataset is its model', () => {
  for (const kind of storeKinds) {
    void it(`over ${kind}`, async () => {
      const seed = 20_260_102;
      const { ran, failure } = await runModel(datasets, { kind, runs: 12, steps: 40, seed });
      assert.equal(failure, undefined);
      assert.ok(ran.size >= 12, `only ${[...ran.keys()].join(', ')} ran`);
    });
  }
});
