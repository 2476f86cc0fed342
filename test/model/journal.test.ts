/** At risk: a state, a log or a copy of them that differs from its events, after calls and accidents in an order nobody thought of. R17 in small. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeKinds } from './dataset.ts';
import { journals, runModel } from './run.ts';

void describe('a journal is its model', () => {
  for (const kind of storeKinds) {
    void it(`exported to ${kind}`, async () => {
      const { ran, failure } = await runModel(journals, { kind, runs: 12, steps: 40, seed: 7 });
      assert.equal(failure, undefined);
      assert.ok(ran.size >= 12, `only ${[...ran.keys()].join(', ')} ran`);
    });
  }
});
