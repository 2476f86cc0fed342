/** At risk: lost updates. All orders of two actors' store calls. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyInterleaving } from './interleave.ts';
import { nameOf, play, scenes } from './two-writers.ts';

describe('two actors in every order', () => {
  it('lose no update where manifests come before the pointer', async (t) => {
    let runs = 0;
    for (const scene of scenes().filter(({ guarded, before }) => guarded && before === 'one')) {
      const explored = await everyInterleaving(() => play(scene), 500);
      assert.ok(explored.complete, nameOf(scene));
      runs += explored.runs;
    }
    t.diagnostic(`${runs} interleavings, all there are`);
    assert.ok(runs > 100);
  });

  it('lose none where the pointer comes first', async (t) => {
    let runs = 0;
    for (const scene of scenes().filter(({ guarded, before }) => !guarded && before === 'one')) {
      runs += (await everyInterleaving(() => play(scene), 15)).runs;
    }
    t.diagnostic(`${runs} interleavings`);
    assert.ok(runs > 100);
  });
});
