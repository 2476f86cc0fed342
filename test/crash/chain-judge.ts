/** What a line of commits may look like after a crash, whatever was committed. */
import assert from 'node:assert/strict';
import { spansOf } from './marks.ts';

/** A commit found in the history. */
export interface Found {
  readonly id: string;
  /** The number of the commit that says it made this. */
  readonly number: number;
  /** False unless all its content could be read and is what that commit wrote. */
  readonly whole: boolean;
}

/**
 * Fails unless the history, oldest first, holds every acknowledged commit once, none that was refused or never begun,
 * each whole, and those that ran one after the other in that order.
 */
export function judgeChain(history: readonly Found[], marks: readonly string[]): void {
  const spans = spansOf(marks);
  const places = new Map<number, number>();
  for (const [place, { id, number, whole }] of history.entries()) {
    const outcome = spans.get(number)?.outcome;
    assert.ok(outcome !== undefined, `${id} holds commit ${number}, which nobody began`);
    assert.ok(!places.has(number), `commit ${number} is in the history twice`);
    assert.ok(
      outcome === 'ack' || outcome === 'unsure',
      `commit ${number} is in the history, though it ended in ${outcome}`,
    );
    assert.ok(whole, `commit ${number} is not whole`);
    places.set(number, place);
  }
  for (const [number, { begin, outcome }] of spans) {
    const place = places.get(number);
    assert.ok(place !== undefined || outcome !== 'ack', `acknowledged commit ${number} is lost`);
    for (const [earlier, { end }] of spans) {
      const before = places.get(earlier);
      if (end > begin || before === undefined || place === undefined) continue;
      assert.ok(before < place, `commit ${earlier} ended before ${number} began, but comes after`);
    }
  }
}
