/** Every operation × every call of it × every fault of that call × once and for ever, with and without guarded puts. */
import { storeFaults } from '../../src/testing/index.ts';
import type { StoreCall, StoreFault, StoreFaultKind } from '../../src/testing/index.ts';
import { FaultLab } from './fault-lab.ts';
import { judge, outcomeOf } from './fault-judge.ts';
import type { Outcome } from './fault-judge.ts';
import type { FaultOperation } from './fault-operations.ts';

export interface MatrixResult {
  combinations: number;
  readonly byKind: Map<StoreFaultKind, number>;
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
              if (!(await tryOnce(operation, fault, guarded, result))) break;
            }
          }
        }
      }
    }
  }
}

/** False once the operation is over before the fault comes up. */
async function tryOnce(
  operation: FaultOperation,
  fault: StoreFault,
  guarded: boolean,
  result: MatrixResult,
): Promise<boolean> {
  const { hive = false } = operation;
  let outcome: Outcome | undefined;
  for (const nextFirst of [false, true]) {
    // Where nothing was left open, it makes no difference who comes first.
    const isClosed = outcome?.is === 'success' || outcome?.is === 'refused';
    const changes = operation.does === 'writes' || operation.does === 'mends';
    if (nextFirst && (!changes || (isClosed && fault.on !== 'put'))) break;
    const lab = new FaultLab(fault, { guarded, hive });
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
      if (believesLie(operation, fault, outcome)) result.believed++;
      else result.violations.push(`${describe(operation, fault, guarded, nextFirst)}: ${what}`);
      break;
    }
  }
  result.combinations++;
  count(result.byKind, fault.kind);
  if (outcome !== undefined) count(result.byOutcome, outcome.is);
  return true;
}

function believesLie(
  { does, believes }: FaultOperation,
  { kind }: StoreFault,
  outcome: Outcome | undefined,
): boolean {
  if (kind !== 'missing') return false;
  return (
    does === 'reads' || (outcome?.is === 'success' && (does !== 'writes' || believes === true))
  );
}

function describe(
  { name }: FaultOperation,
  { on, at, kind, times, laterBy }: StoreFault,
  guarded: boolean,
  nextFirst: boolean,
): string {
  return (
    `${name} (${guarded ? 'guarded' : 'compare-and-swap'}), ${on} ${at} ${kind}` +
    `${kind === 'late-effect' ? ` by ${laterBy}` : ''} ${times === 1 ? 'once' : 'for ever'}` +
    `${nextFirst ? ', next commit first' : ''}`
  );
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
