/** Two actors on one dataset, in every order of their store calls: no update is lost, none is there twice. */
import assert from 'node:assert/strict';
import { isLodeError, jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { CommittedSnapshot, Dataset, Env, Store } from '../../src/index.ts';
import { limitedStore, virtualEnv } from '../../src/testing/index.ts';
import { Gate, gated } from './interleave.ts';
import type { Play } from './interleave.ts';
import { problemsOf } from '../problems.ts';

const actions = [
  'write',
  'write with retries',
  'write, parent expected',
  'latest',
  'repair',
] as const;
type Action = (typeof actions)[number];

export interface Scene {
  readonly guarded: boolean;
  /** How long a commit in flight is waited for; 0 lets the other fence it at once. */
  readonly settleMs: number;
  /** `none`: no snapshot. `one`: one, known to both. `cut off`: the pointer names a commit that never came. */
  readonly before: 'none' | 'one' | 'cut off';
  readonly actions: readonly [Action, Action];
}

export function nameOf({ guarded, settleMs, before, actions: [a, b] }: Scene): string {
  const kind = guarded ? 'guarded' : `compare-and-swap, settling in ${settleMs} ms`;
  return `${a} beside ${b} on ${before} (${kind})`;
}

/** Sleeping takes no time and lets nobody through: clocks play no part in who comes first. */
function timelessEnv(): Env {
  const env = virtualEnv();
  let sleptMs = 0;
  return {
    ...env,
    now: () => env.now(),
    monotonic: () => sleptMs,
    sleep: (ms, signal) => {
      sleptMs += ms;
      return signal?.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
    },
  };
}

type Rows = Dataset<{ readonly by: number }>;

export async function play({ guarded, settleMs, before, actions: pair }: Scene): Promise<Play> {
  const env = timelessEnv();
  const memory = memoryStore({ env });
  const store = guarded ? memory : limitedStore(memory, { guardedPut: false, settleMs });
  const open = (to: Store): Promise<Rows> =>
    openDataset('d', { store: to, codec: jsonl(), env, retry: { attempts: 0 } });
  let parent: string | undefined;
  if (before !== 'none') parent = (await (await open(store)).write([{ by: -1 }])).id;
  if (before === 'cut off')
    await store.put('datasets/d/latest', String(env.now()), { mode: 'overwrite' });

  const gates = pair.map(() => new Gate());
  const acked: CommittedSnapshot[] = [];
  const errors: unknown[] = [];
  const actors = pair.map(async (action, by) => {
    const gate = gates[by] as Gate;
    const attempts = action === 'write with retries' ? 8 : 0;
    const options = { codec: jsonl<{ by: number }>(), env, retry: { attempts } };
    const handle = await openDataset('d', { store: gated(store, gate), ...options });
    try {
      // Who knows a head can lose a race; who knows none commits on top of whatever there is.
      if (action === 'write with retries' && before === 'one') await handle.latest();
      if (action === 'latest') await handle.latest();
      else if (action === 'repair') await handle.repair();
      else acked.push(await handle.write([{ by }], { by }, expecting(action, parent)));
    } catch (error) {
      errors.push(error);
    }
  });
  return { gates, actors, judge: () => judge(open(store), pair, parent, acked, errors) };
}

function expecting(action: Action, parent: string | undefined): { expectedParent?: string | null } {
  return action === 'write, parent expected' ? { expectedParent: parent ?? null } : {};
}

async function judge(
  opening: Promise<Rows>,
  pair: readonly Action[],
  parent: string | undefined,
  acked: readonly CommittedSnapshot[],
  errors: readonly unknown[],
): Promise<void> {
  for (const error of errors) {
    const expected = ['LODE_SNAPSHOT_CONFLICT', 'LODE_FENCED', 'LODE_NO_SNAPSHOTS'] as const;
    if (!isLodeError(error, ...expected)) throw error;
  }
  const dataset = await opening;
  const chain: string[] = [];
  const parents: (string | undefined)[] = [];
  const reachableBy: unknown[] = [];
  for await (const { id, manifest } of dataset.snapshots()) {
    chain.unshift(id);
    parents.unshift(manifest.parentSnapshotId);
    reachableBy.unshift(manifest.metadata['by']);
  }
  for (const { id } of acked)
    assert.equal(
      chain.filter((other) => other === id).length,
      1,
      `${id}, acknowledged, is once in ${chain.join(' ')}`,
    );
  assert.equal(chain.length, acked.length + (parent === undefined ? 0 : 1), 'and nothing else is');
  assert.equal(chain.includes(parent ?? chain[0] ?? ''), chain.length > 0);
  const forked = new Set(acked.map(({ manifest }) => manifest.parentSnapshotId)).size;
  assert.equal(forked, acked.length, 'no two were acknowledged on one parent');
  const writers = pair.filter((action) => action.startsWith('write'));
  // A race has a winner, and retries end it for both.
  if (writers.length > 0 && errors.every((error) => !isLodeError(error, 'LODE_FENCED')))
    assert.ok(acked.length > 0, 'somebody has won');
  assert.deepEqual((await dataset.repair(), await problemsOf(dataset)), []);
  for (const { id, manifest } of acked)
    assert.deepEqual(await dataset.read(id), [{ by: manifest.metadata['by'] }]);
}

/** Every pair with a writer in it, in every situation. */
export function scenes(): Scene[] {
  const stores = [
    { guarded: true, settleMs: 0 },
    { guarded: false, settleMs: 0 },
    { guarded: false, settleMs: 5 },
  ];
  return stores.flatMap((store) =>
    (['none', 'one', 'cut off'] as const).flatMap((before) =>
      actions.flatMap((first, i) =>
        actions
          .slice(i)
          .filter((second) => first.startsWith('write') || second.startsWith('write'))
          .map((second) => ({ ...store, before, actions: [first, second] as const })),
      ),
    ),
  );
}
