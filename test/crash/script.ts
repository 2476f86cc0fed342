/**
 * Scripts for a store: steps in a row or interleaved, run with marks of what each one promised. `script-judge.ts` holds
 * what is left of the disk to the marks.
 */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/disk/disk.ts';
import type { DiskImage } from '../../src/disk/image.ts';
import type { Env } from '../../src/env.ts';
import type { PutMode, Store } from '../../src/store/store.ts';
import { howItFailed } from './marks.ts';
import { contentOf, expectation, judge, rulesOf, type Expectation } from './script-judge.ts';
import { labEnv, type Lab, type Workload } from './workload.ts';

export interface Put {
  readonly put: string;
  /** `swap`: over the content found there, by its etag; as a first object when there is none. */
  readonly mode?: 'create' | 'overwrite' | 'swap';
  readonly size?: number;
  /** Sent as a stream of chunks this long. */
  readonly chunk?: number;
  /** Written in `beforePublish`; the object then says that they exist. */
  readonly guards?: readonly Put[];
}

export interface Removal {
  readonly remove: string;
}

/** Branches that run at once: every other one with a store of its own on the same disk. */
export interface Together {
  readonly together: readonly (readonly Step[])[];
}

export type Step = Put | Removal | Together;

/** One change of one key, by its number. */
export interface Change {
  readonly number: number;
  readonly key: string;
  /** `undefined` for a removal. */
  readonly bytes: Uint8Array | undefined;
  /** Refused only when something is there. */
  readonly creates: boolean;
  /** Keys that must be there when this content is. */
  readonly guarded: readonly string[];
}

export interface Script {
  readonly name: string;
  readonly image?: DiskImage;
  /** Opens the store under test. */
  readonly open: (disk: Disk, env: Env) => Store | Promise<Store>;
  /** The path of a key, and the key of a path unless it is not an object's. */
  readonly pathOf: (key: string) => string;
  readonly keyOf: (path: string) => string | undefined;
  readonly steps: readonly Step[];
  /** What goes on after a crash. */
  readonly after: readonly Step[];
}

export function scripted(script: Script): Workload {
  const changes = numbered([...script.steps, ...script.after]);
  const all = [...changes.values()];
  const expectations = new WeakMap<readonly string[], Expectation>();
  const run = async (steps: readonly Step[], lab: Lab, given?: Store): Promise<void> => {
    const store = given ?? (await script.open(lab.disk, lab.env));
    for (const step of steps) {
      if ('together' in step) {
        const branches = step.together.map((branch, i) =>
          run(branch, lab, i % 2 === 0 ? store : undefined),
        );
        await Promise.all(branches);
      } else {
        await attempt(store, step, changes, lab).catch(() => undefined);
      }
    }
  };
  return {
    name: script.name,
    ...(script.image && { image: script.image }),
    run: (lab) => run(script.steps, lab),
    resume: (lab) => run(script.after, lab),
    async verify(disk, marks) {
      const expected = expectations.get(marks) ?? expectation(all, marks);
      expectations.set(marks, expected);
      await judge(await script.open(disk, labEnv(0)), all, expected);
    },
    rules: rulesOf(all, racedKeys([...script.steps, ...script.after]), script),
  };
}

/** Marks that the change begins, makes it, and marks how it went. Rejects as the store did. */
async function attempt(
  store: Store,
  step: Put | Removal,
  changes: ReadonlyMap<Step, Change>,
  lab: Lab,
): Promise<void> {
  const change = changes.get(step);
  assert.ok(change);
  lab.mark(`begin ${change.number}`);
  try {
    const stored = 'put' in step ? await put(store, step, change, changes, lab) : await remove();
    lab.mark(`${stored ? 'ack' : 'conflict'} ${change.number}`);
  } catch (error) {
    lab.mark(`${howItFailed(error)} ${change.number} ${String(error)}`);
    throw error;
  }

  async function remove(): Promise<true> {
    const [result] = await store.delete((step as Removal).remove);
    if (result?.outcome === 'failed') throw result.error;
    return true;
  }
}

async function put(
  store: Store,
  step: Put,
  change: Change,
  changes: ReadonlyMap<Step, Change>,
  lab: Lab,
): Promise<boolean> {
  const { mode = 'create', guards = [], chunk } = step;
  const bytes = change.bytes ?? new Uint8Array(0);
  const head = mode === 'swap' ? await store.head(step.put) : undefined;
  const putMode: PutMode =
    mode !== 'swap' ? mode : head === undefined ? 'create' : { ifMatch: head.etag };
  const result = await store.put(step.put, chunk === undefined ? bytes : chunks(bytes, chunk), {
    mode: putMode,
    ...(guards.length > 0 && {
      beforePublish: async () => {
        for (const guard of guards) await attempt(store, guard, changes, lab);
      },
    }),
  });
  return result.outcome === 'stored';
}

async function* chunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** Every change in the steps, guards and branches included. */
function numbered(steps: readonly Step[]): Map<Step, Change> {
  const changes = new Map<Step, Change>();
  const visit = (step: Step): void => {
    if ('together' in step) return step.together.forEach((branch) => branch.forEach(visit));
    const number = changes.size;
    if ('remove' in step) {
      changes.set(step, {
        number,
        key: step.remove,
        bytes: undefined,
        creates: false,
        guarded: [],
      });
      return;
    }
    const guarded = (step.guards ?? []).map((guard) => guard.put);
    const bytes = contentOf(number, guarded, step.size ?? 40);
    const creates = (step.mode ?? 'create') === 'create';
    changes.set(step, { number, key: step.put, bytes, creates, guarded });
    step.guards?.forEach(visit);
  };
  steps.forEach(visit);
  return changes;
}

/** Keys that more than one branch changes at once. */
function racedKeys(steps: readonly Step[]): Set<string> {
  const raced = new Set<string>();
  for (const step of steps) {
    if (!('together' in step)) continue;
    const seen = new Set<string>();
    for (const branch of step.together) {
      const keys = new Set([...numbered(branch).values()].map(({ key }) => key));
      for (const key of keys) (seen.has(key) ? raced : seen).add(key);
    }
  }
  return raced;
}
