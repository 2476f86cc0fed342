/**
 * What a file holds, column by column, for its manifest: null counts, and the least and greatest value of ordered types.
 *
 * Taken from the records as given. Bounds must hold for every value a reader will see, and must be JSON: so a `float32`
 * counts as it is stored, NaN (which no comparison selects) is passed over, and an infinity leaves its side unbounded.
 */
import { compareUtf8 } from '../../bytes/text.ts';
import type { ColumnStatistics } from '../codec.ts';
import type { Stored } from './accept.ts';
import type { Field } from './schema.ts';
import { formatRfc3339 } from './timestamp.ts';

export class ColumnSummary {
  readonly #field: Field;
  readonly #ordered: boolean;
  #nullCount = 0;
  #min: Stored | undefined;
  #max: Stored | undefined;
  #givenMin: unknown;
  #givenMax: unknown;
  #noMin = false;
  #noMax = false;

  constructor(field: Field) {
    this.#field = field;
    this.#ordered = field.type !== 'bool' && field.type !== 'bytes';
  }

  /** `given` is the member of the record that `stored` was made from. */
  add(stored: Stored | null, given: unknown): void {
    if (stored === null) {
      this.#nullCount++;
      return;
    }
    if (!this.#ordered) return;
    if (typeof stored === 'string') {
      this.#addString(stored);
      return;
    }
    if (typeof stored === 'number' && !Number.isFinite(stored)) {
      if (stored === Infinity) this.#noMax = true;
      if (stored === -Infinity) this.#noMin = true;
      return;
    }
    if (this.#min === undefined || stored < this.#min) {
      this.#min = stored;
      this.#givenMin = given;
    }
    if (this.#max === undefined || stored > this.#max) {
      this.#max = stored;
      this.#givenMax = given;
    }
  }

  #addString(stored: string): void {
    const min = this.#min as string | undefined;
    if (min === undefined || compareUtf8(stored, min) < 0) this.#min = stored;
    const max = this.#max as string | undefined;
    if (max === undefined || compareUtf8(stored, max) > 0) this.#max = stored;
  }

  result(): ColumnStatistics {
    const min = this.#noMin ? undefined : this.#shown(this.#min, this.#givenMin);
    const max = this.#noMax ? undefined : this.#shown(this.#max, this.#givenMax);
    return {
      name: this.#field.name,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      nullCount: this.#nullCount,
    };
  }

  #shown(stored: Stored | undefined, given: unknown): string | number | bigint | undefined {
    if (this.#field.type === 'timestamp' && typeof stored === 'bigint')
      return typeof given === 'string' ? given : formatRfc3339(stored);
    if (typeof given === 'number' && typeof stored === 'bigint') return given;
    return stored as string | number | bigint | undefined;
  }
}
