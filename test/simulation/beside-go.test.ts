/** At risk: our acknowledged commits in a bucket that Go processes commit to. All orders of their store calls. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyInterleaving } from './interleave.ts';
import { nameOf, play } from './beside-go.ts';
import type { Act, GoScene } from './beside-go.ts';

const scenes: readonly (readonly [GoScene['before'], readonly Act[]])[] = [
  ['one', ['ours', 'Go writes']],
  ['one', ['ours', 'Go writes, cold']],
  ['one', ['ours', 'Go retries']],
  ['one', ['ours, cold', 'Go retries']],
  ['one', ['ours', 'Go looks', 'Go writes']],
  ['one', ['ours', 'ours', 'Go looks']],
  ['none', ['ours, cold', 'Go retries']],
  ['none', ['ours, cold', 'Go writes, cold', 'Go looks']],
  ['in flight', ['ours', 'Go ends its commit', 'Go looks']],
  ['in flight', ['ours', 'Go retries', 'Go looks']],
];

async function explore(
  peers: 'go' | undefined,
  settleMs: number,
  runsMax: number,
  onLoss: (scene: string, id: string) => void,
): Promise<number> {
  let runs = 0;
  for (const [before, actors] of scenes) {
    const scene = { before, actors, peers, settleMs };
    const begin = (): ReturnType<typeof play> => play(scene, (id) => onLoss(nameOf(scene), id));
    runs += (await everyInterleaving(begin, runsMax)).runs;
  }
  return runs;
}

describe('beside Go in a bucket', () => {
  for (const settleMs of [5_000, 0]) {
    it(`no acknowledged commit is cut off, settling in ${settleMs} ms`, async (t) => {
      const runs = await explore('go', settleMs, 400, (scene, id) => {
        throw new Error(`${id} was acknowledged and is cut off: ${scene}`);
      });
      t.diagnostic(`${runs} interleavings`);
      assert.ok(runs > 1_000);
    });
  }

  it('without the option some are: the scenes are the dangerous ones', async (t) => {
    const lost = new Map<string, number>();
    await explore(undefined, 5_000, 400, (scene) => lost.set(scene, (lost.get(scene) ?? 0) + 1));
    for (const [scene, count] of lost) t.diagnostic(`${count} lost: ${scene}`);
    assert.ok(lost.size >= 3);
  });
});
