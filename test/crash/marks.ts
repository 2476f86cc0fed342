/** Marks, read back: `begin 3`, then `ack 3`, `conflict 3`, `fail 3`, `unsure 3` or `untyped 3`, each with more behind. */
import { isLodeError } from '../../src/errors.ts';

/** Among the marks: the work before it was cut off by a power loss. */
export const crashMark = 'crash';

/** When something ran, as places among the marks, and what became of it. Cut off or under way: `unsure`. */
export interface Span {
  readonly begin: number;
  /** Infinite while it is under way. */
  readonly end: number;
  readonly outcome: string;
}

/** By number. What a crash cut off may have happened, and is over. */
export function spansOf(marks: readonly string[]): Map<number, Span> {
  const spans = new Map<number, Span>();
  for (const [at, mark] of marks.entries()) {
    const [what = '', which] = mark.split(' ');
    const number = Number(which);
    if (what === 'begin') {
      spans.set(number, { begin: at, end: Number.POSITIVE_INFINITY, outcome: 'unsure' });
    } else if (what === crashMark) {
      for (const [open, span] of spans) {
        if (span.end === Number.POSITIVE_INFINITY) spans.set(open, { ...span, end: at });
      }
    } else {
      spans.set(number, { begin: spans.get(number)?.begin ?? at, end: at, outcome: what });
    }
  }
  return spans;
}

/** How a call that rejected is marked. Only `unsure` leaves open whether it happened. */
export function howItFailed(error: unknown): 'untyped' | 'unsure' | 'conflict' | 'fail' {
  if (!isLodeError(error)) return 'untyped';
  if (isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return 'unsure';
  return isLodeError(error, 'LODE_SNAPSHOT_CONFLICT') ? 'conflict' : 'fail';
}
