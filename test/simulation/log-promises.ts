/** What a log has promised about its records, and whether it holds it. */
import assert from 'node:assert/strict';
import { isLodeError } from '../../src/errors.ts';

interface Attempt {
  readonly bytes: Uint8Array;
  /** The place it was given, or would have been. */
  readonly lsn: number;
  fate: 'open' | 'kept' | 'refused';
  resolve?: () => Promise<'landed' | 'not-landed'>;
}

export class LogPromises {
  readonly attempts: Attempt[] = [];
  /** Records in front of this one may be gone. */
  firstNeeded = 1;
  /** What readers have seen, by LSN: it must never be taken back. */
  readonly #seen = new Map<number, Uint8Array>();

  /** A record like no other, unless it is too short. */
  record(length: number): Uint8Array {
    const bytes = new Uint8Array(length).fill(this.attempts.length + 1);
    if (length >= 4) new DataView(bytes.buffer).setUint32(0, this.attempts.length);
    return bytes;
  }

  begin(bytes: Uint8Array, lsn: number): Attempt {
    const attempt: Attempt = { bytes, lsn, fate: 'open' };
    this.attempts.push(attempt);
    return attempt;
  }

  failed(attempt: Attempt, error: unknown): void {
    assertTyped(error);
    if (isLodeError(error, 'LODE_WRITE_UNCERTAIN')) attempt.resolve = error.details.resolve;
    else attempt.fate = 'refused';
  }

  seen(lsn: number, bytes: Uint8Array): void {
    assert.ok(same(this.#seen.get(lsn) ?? bytes, bytes), `record ${lsn} has changed`);
    this.#seen.set(lsn, bytes);
  }

  /** @param found  The log, from record `first` on. */
  assertHolds(first: number, found: readonly Uint8Array[]): void {
    assert.ok(first <= this.firstNeeded, `begins with ${first}, not with ${this.firstNeeded}`);
    const kept = this.attempts.filter(({ fate }) => fate === 'kept');
    for (const [lsn, bytes] of [
      ...kept.map((one) => [one.lsn, one.bytes] as const),
      ...this.#seen,
    ]) {
      if (lsn < first) continue;
      assert.ok(same(found[lsn - first] ?? new Uint8Array(1), bytes), `lost record ${lsn}`);
    }
    for (const [i, bytes] of found.entries()) {
      const isHis = this.attempts.some(
        (one) => one.fate !== 'refused' && one.lsn === first + i && same(one.bytes, bytes),
      );
      assert.ok(isHis, `record ${first + i} was refused, or never given`);
    }
  }

  /** The log was opened and shows this: what was open is decided. */
  async settle(first: number, found: readonly Uint8Array[]): Promise<void> {
    this.assertHolds(first, found);
    for (const attempt of this.attempts) {
      if (attempt.fate !== 'open') continue;
      const there = found[attempt.lsn - first];
      const isThere = there !== undefined && same(there, attempt.bytes);
      const answer = await attempt.resolve?.();
      if (answer !== undefined) assert.equal(answer, isThere ? 'landed' : 'not-landed');
      attempt.fate = isThere ? 'kept' : 'refused';
    }
  }

  /** Nobody is left who could ask. */
  forget(): void {
    for (const attempt of this.attempts) delete attempt.resolve;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Never what a machine says of a descriptor or a name that we got wrong ourselves. */
export function assertTyped(error: unknown): void {
  assert.ok(isLodeError(error), String(error));
  assert.doesNotMatch(error.message, /file has been closed|no such file/);
}
