/** Every operation × every call of it × every fault of that call × once and for ever, with and without guarded puts. */
import { storeFaults } from '../../src/testing/index.ts';
import type { StoreCall, StoreFault } from '../../src/testing/index.ts';
import { memoryLab } from './fault-lab.ts';
import type { FaultLab } from './fault-lab.ts';
import { judge, outcomeOf } from './fault-judge.ts';
import type { Outcome } from './fault-judge.ts';
import type { FaultOperation } from './fault-operations.ts';

export interface MatrixResult {
  combinations: number;
  readonly byKind: Map<string, number>;
  readonly byOutcome: Map<string, number>;
  /** A store denied what it has, and nothing could tell: not one of a dataset's promises survives that. */
  believed: number;
  readonly violations: string[];
}

export function noResult(): MatrixResult {
  return { combinations: 0, byKind: new Map(), byOutcome: new Map(), believed: 0, violations: [] };
}

const calls = Object.keys(storeFaults) as StoreCall[];

export interface MatrixOptions {
  readonly times?: readonly number[];
  readonly laterBy?: readonly number[];
}

/** Adds to `result` what happens when each call of the operation meets each fault. */
export async function tryEverywhere(
  operation: FaultOperation,
  result: MatrixResult,
  { times = [1, Number.POSITIVE_INFINITY], laterBy = [3] }: MatrixOptions = {},
): Promise<void> {
  for (const guarded of [true, false]) {
    for (const on of calls) {
      for (const kind of storeFaults[on]) {
        if (kind === 'late-effect' && operation.compares === false) continue;
        for (const by of kind === 'late-effect' ? laterBy : [3]) {
          for (const n of times) {
            for (let at = 0; ; at++) {
              const fault: StoreFault = { kind, on, at, times: n, laterBy: by };
              const { hive = false } = operation;
              const trial: Trial = {
                kind,
                isPut: on === 'put',
                name: describe(fault, guarded),
                open: async () => memoryLab(fault, { guarded, hive }),
              };
              if (!(await tryOnce(operation, trial, result))) break;
            }
          }
        }
      }
    }
  }
}

/** One fault at one place. */
export interface Trial {
  readonly kind: string;
  /** It hits a put. */
  readonly isPut: boolean;
  readonly name: string;
  readonly open: () => Promise<FaultLab>;
}

/** False once the operation is over before the fault comes up. */
export async function tryOnce(
  operation: FaultOperation,
  trial: Trial,
  result: MatrixResult,
): Promise<boolean> {
  let outcome: Outcome | undefined;
  for (const nextFirst of [false, true]) {
    // Where nothing was left open, it makes no difference who comes first.
    const isClosed = outcome?.is === 'success' || outcome?.is === 'refused';
    const changes = operation.does === 'writes' || operation.does === 'mends';
    if (nextFirst && (!changes || (isClosed && !trial.isPut))) break;
    const lab = await trial.open();
    try {
      const act = await operation.prepare(lab);
      const before = operation.does === 'reads' ? await lab.content() : undefined;
      lab.armed = true;
      outcome = await outcomeOf(lab, act);
      lab.armed = false;
      if (lab.faults.fired === 0) return false;
      if (before !== undefined && String(await lab.content()) !== String(before))
        throw new Error('reading has written');
      await judge(lab, operation, act, outcome, nextFirst);
    } catch (error) {
      if (lab.faults.fired === 0) throw error;
      const what = error instanceof Error ? error.message : String(error);
      const when = nextFirst ? ', next commit first' : '';
      if (believesLie(operation, trial, outcome)) result.believed++;
      else result.violations.push(`${operation.name} (${trial.name}${when}): ${what}`);
      break;
    } finally {
      await lab.close();
    }
  }
  result.combinations++;
  count(result.byKind, trial.kind);
  if (outcome !== undefined) count(result.byOutcome, outcome.is);
  return true;
}

function believesLie(
  { does, believes }: FaultOperation,
  { kind }: Trial,
  outcome: Outcome | undefined,
): boolean {
  if (kind !== 'missing') return false;
  return (
    does === 'reads' || (outcome?.is === 'success' && (does !== 'writes' || believes === true))
  );
}

function describe({ on, at, kind, times, laterBy }: StoreFault, guarded: boolean): string {
  return (
    `${guarded ? 'guarded' : 'compare-and-swap'}, ${on} ${at} ${kind}` +
    `${kind === 'late-effect' ? ` by ${laterBy}` : ''} ${times === 1 ? 'once' : 'for ever'}`
  );
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
