/** At risk: our acknowledged commits in a bucket that Go processes commit to. All orders of their store calls. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonl, openDataset } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double, virtualEnv } from '../../src/testing/index.ts';
import { GoSteps } from './go-steps.ts';
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
      const runs = await explore('go', settleMs, 60, (scene, id) => {
        throw new Error(`${id} was acknowledged and is cut off: ${scene}`);
      });
      t.diagnostic(`${runs} interleavings`);
      assert.ok(runs > 300);
    });
  }

  it('nor one whose upload began before a commit of Go’s that was rewound', async () => {
    const env = virtualEnv();
    // Where an ETag is the digest of the content, a pointer that was moved and rewound is the one it was.
    await using double = await s3Double({ env });
    const { bucket, endpoint, credentials } = double;
    await using store = s3Store({ bucket, endpoint, credentials, env, conditions: 'assume' });
    const ours = await openDataset('d', { store, codec: jsonl(), env, peers: 'go' });
    const first = await ours.write([{ n: 1 }]);
    const now = (): bigint => env.now();
    const passed = (): Promise<void> => env.sleep(1);
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    await passed();
    const writing = ours.streamWriteRecords(
      (async function* () {
        yield { n: 2 };
        await held;
      })(),
    );
    await passed();
    // Go draws a larger id than that of our upload; by the time it puts its manifest it has been rewound.
    const lost = String(now());
    await store.put('datasets/d/latest', lost, { mode: 'overwrite' });
    await new GoSteps(store, now).latest();
    await passed();
    finish();
    const second = await writing;
    await new GoSteps(store, now).putManifest(lost, 'go', first.id);
    await passed();
    // The next rewind goes to the largest id.
    await store.put('datasets/d/latest', String(now()), { mode: 'overwrite' });
    assert.equal(await new GoSteps(store, now).latest(), second.id);
    assert.equal((await ours.latest()).id, second.id);
  });

  it('without the option some are: the scenes are the dangerous ones', async (t) => {
    const lost = new Map<string, number>();
    await explore(undefined, 5_000, 60, (scene) => lost.set(scene, (lost.get(scene) ?? 0) + 1));
    for (const [scene, count] of lost) t.diagnostic(`${count} lost: ${scene}`);
    assert.ok(lost.size >= 3);
  });
});
