/** A journal next to a model of it in two plain arrays: what is in the log, and what of it was exported. */
import assert from 'node:assert/strict';
import { openDataset } from '../../src/dataset/index.ts';
import type { Dataset } from '../../src/dataset/index.ts';
import type { Disk } from '../../src/disk/disk.ts';
import type { Env } from '../../src/env.ts';
import { memoryDisk } from '../../src/disk/memory.ts';
import { openJournal } from '../../src/journal.ts';
import type { Journal, JournalOptions } from '../../src/journal.ts';
import { virtualEnv } from '../../src/testing/index.ts';
import { storeKinds, storeOf } from './dataset.ts';
import type { StoreKind } from './dataset.ts';

export interface JournalModel {
  /** Every event ever acknowledged, in order. */
  readonly events: number[];
  /** Lengths of the log at the snapshots there are, oldest first. */
  snapshots: number[];
  /** The first event that is still in the log. */
  first: number;
  exported: number;
}

export interface JournalReal {
  readonly disk: Disk;
  readonly env: Env;
  readonly durability: 'group' | 'each' | 'os';
  readonly dataset: Dataset<Uint8Array>;
  journal: Journal<State, number>;
  restorations: number;
}

/** An event is a number: added up, and the last ones kept. */
export interface State {
  sum: number;
  count: number;
  readonly last: number[];
}

export const dir: string = '/journal';
export const keep = 2;

export const initial = (): State => ({ sum: 0, count: 0, last: [] });

export function apply(state: State, event: number): void {
  state.sum += event;
  state.count++;
  state.last.push(event);
  if (state.last.length > 3) state.last.shift();
}

export function stateAfter(events: readonly number[]): State {
  const state = initial();
  for (const event of events) apply(state, event);
  return state;
}

export function openReal(
  { disk, env, durability }: Pick<JournalReal, 'disk' | 'env' | 'durability'>,
  options: Partial<JournalOptions<State, number>> = {},
  path: string = dir,
): Promise<Journal<State, number>> {
  return openJournal<State, number>(path, {
    initial,
    apply,
    check: (state, event) => {
      if (event === state.last.at(-1)) throw new RangeError('the same again');
    },
    durability,
    snapshot: { keep, everyBytes: 0 },
    segmentBytes: 300,
    preallocateBytes: 0,
    reserveBytes: 64,
    disk,
    env,
    ...options,
  });
}

/** Each kind of store has a journal of another durability beside it, exported to it. */
export async function setupJournal(
  kind: StoreKind,
): Promise<{ model: JournalModel; real: JournalReal }> {
  const env = virtualEnv();
  const disk = memoryDisk({ env });
  await disk.makeDirectory(dir);
  const durability = (['group', 'each', 'os'] as const)[storeKinds.indexOf(kind)] ?? 'group';
  const store = await storeOf(kind, env);
  const dataset = await openDataset('backup', { store, env, writers: 'process' });
  const parts = { disk, env, durability, dataset };
  const journal = await openReal(parts);
  return {
    model: { events: [], snapshots: [], first: 1, exported: -1 },
    real: { ...parts, journal, restorations: 0 },
  };
}

export function assertSame(model: Readonly<JournalModel>, real: JournalReal): void {
  assert.deepEqual(real.journal.state, stateAfter(model.events));
  assert.equal(real.journal.lsn, model.events.length);
}
