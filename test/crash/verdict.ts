/** From findings to the result of a bar: no violation, nothing left out, and the count it is held to. */
import type { BarResult } from '../../bench/harness.ts';
import type { Findings } from './explore.ts';

export interface Held {
  /** States wanted at least. */
  readonly states: number;
  readonly figure: string;
  readonly complete: boolean;
}

const shownMax = 5;

export function verdict(
  { violations, states }: Findings,
  log: (line: string) => void,
  held: Held,
): BarResult {
  for (const violation of violations.slice(0, shownMax)) log(violation);
  const pass = violations.length === 0 && held.complete && states >= held.states;
  return {
    outcome: pass ? 'pass' : 'fail',
    figure: `${held.figure}, ${violations.length} violations`,
  };
}
