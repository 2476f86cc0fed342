/**
 * Our writers beside Go processes in storage without locks, in every order of their store calls: Go commits, retries,
 * rewinds; ours commit. Clocks are in step: an id drawn later is larger.
 */
import assert from 'node:assert/strict';
import { isLodeError, jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { Dataset, Env, Store } from '../../src/index.ts';
import { limitedStore, virtualEnv } from '../../src/testing/index.ts';
import { problemsOf } from '../problems.ts';
import { GoConflict, GoSteps } from './go-steps.ts';
import { Gate, gated } from './interleave.ts';
import type { Play } from './interleave.ts';

const acts = [
  'ours',
  'ours, cold',
  'Go writes',
  'Go writes, cold',
  'Go retries',
  'Go looks',
  'Go ends its commit',
] as const;
export type Act = (typeof acts)[number];

export interface GoScene {
  /** `in flight`: on top of one snapshot the pointer names a commit of Go's whose manifest is to come. */
  readonly before: 'none' | 'one' | 'in flight';
  readonly actors: readonly Act[];
  readonly peers: 'go' | undefined;
  /** 0: a pointer that is held is taken over at once, as if its holder were dead. */
  readonly settleMs: number;
}

export function nameOf({ before, actors, settleMs }: GoScene): string {
  return `${actors.join(' + ')} on ${before}, settling in ${settleMs} ms`;
}

/** Sleeping takes no real time, and every look at the clock finds it later. */
function tickingEnv(): Env {
  const env = virtualEnv();
  let [ticks, sleptMs] = [0n, 0];
  return {
    ...env,
    now: () => env.now() + 1000n * ++ticks,
    monotonic: () => sleptMs,
    sleep: (ms, signal) => {
      sleptMs += ms;
      return signal?.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
    },
  };
}

interface Outcome {
  readonly ours: string[];
  readonly theirs: string[];
  readonly refused: string[];
}

type Rows = Dataset<{ readonly by: string }>;

/** @param onLoss  Told of every acknowledged commit of ours that the head does not descend from. */
export async function play(scene: GoScene, onLoss: (id: string) => void): Promise<Play> {
  const { before, peers, settleMs } = scene;
  const env = tickingEnv();
  const now = (): bigint => env.now();
  const store = limitedStore(memoryStore({ env }), { guardedPut: false, settleMs });
  const open = (at: Store): Promise<Rows> => {
    const options = { codec: jsonl<{ by: string }>(), env, retry: { attempts: 3 } };
    return openDataset('d', { store: at, ...options, ...(peers === undefined ? {} : { peers }) });
  };
  let first: string | undefined;
  if (before !== 'none') first = (await (await open(store)).write([{ by: 'first' }])).id;
  const gates = scene.actors.map(() => new Gate());
  const outcome: Outcome = { ours: [], theirs: [], refused: [] };
  // Who is warm has seen the first snapshot.
  const ready = await Promise.all(
    scene.actors.map(async (act, i) => {
      const gate = gates[i] as Gate;
      let [isGated, at] = [false, store as Store];
      const gatedStore = gated(store, gate);
      at = new Proxy(store, {
        get: (_, name) => {
          const target = isGated ? gatedStore : store;
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      const go = new GoSteps(at, now);
      const dataset = act.startsWith('ours') ? await open(at) : undefined;
      if (before !== 'none' && !act.endsWith('cold')) {
        if (dataset === undefined) await go.latest();
        else await dataset.latest();
      }
      return { act, by: `${act} ${i}`, go, dataset, begin: () => (isGated = true) };
    }),
  );
  const inFlight = String(now());
  if (before === 'in flight') await store.put('datasets/d/latest', inFlight, { mode: 'overwrite' });
  const actors = ready.map(async ({ act, by, go, dataset, begin }) => {
    begin();
    try {
      if (dataset !== undefined) outcome.ours.push((await dataset.write([{ by }], { by })).id);
      else if (act === 'Go looks') await go.latest();
      else if (act === 'Go ends its commit') {
        await go.putManifest(inFlight, by, first);
        outcome.theirs.push(inFlight);
      } else outcome.theirs.push(await go.write(by, act === 'Go retries' ? 1 : 0));
    } catch (error) {
      const codes = ['LODE_SNAPSHOT_CONFLICT', 'LODE_SUPERSEDED', 'LODE_FENCED'] as const;
      if (!(error instanceof GoConflict) && !isLodeError(error, ...codes)) throw error;
      outcome.refused.push(by);
    }
  });
  const judge = async (): Promise<void> => {
    await new GoSteps(store, now).latest();
    // One more commit of Go's dies between pointer and manifest: the rewind must not lead past ours either.
    if (outcome.ours.length > 0) {
      await store.put('datasets/d/latest', String(now()), { mode: 'overwrite' });
      await new GoSteps(store, now).latest();
    }
    await judgeAll(await open(store), outcome, onLoss);
    for (const id of outcome.theirs)
      assert.ok(await store.head(`datasets/d/snapshots/${id}/manifest.json`), `Go's ${id} exists`);
  };
  return { gates, actors, judge };
}

async function judgeAll(
  dataset: Rows,
  { ours, refused }: Outcome,
  onLoss: (id: string) => void,
): Promise<void> {
  const chain: string[] = [];
  const makers: unknown[] = [];
  for await (const { id, manifest } of dataset.snapshots()) {
    chain.push(id);
    makers.push(manifest.metadata['by']);
  }
  for (const id of ours) if (!chain.includes(id)) onLoss(id);
  const named = makers.filter((by) => by !== undefined);
  assert.equal(new Set(named).size, named.length, 'nothing is in the history twice');
  for (const by of refused) assert.ok(!makers.includes(by), `${by} was refused and is there`);
  // What is left of a commit that was refused can be completed or let go, and nothing is damaged.
  await dataset.repair();
  assert.deepEqual(await problemsOf(dataset), []);
  await dataset.write([{ by: 'last' }]);
  const after: string[] = [];
  for await (const { id } of dataset.snapshots()) after.push(id);
  for (const id of chain) assert.ok(after.includes(id), `${id} stays`);
}
