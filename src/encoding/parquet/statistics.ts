/**
 * What a column holds: null count, and the least and greatest value of ordered types; for each row group, and for the file's
 * manifest.
 *
 * Taken from the records as given. Bounds must hold for every value a reader will see, and must be JSON: so a `float32`
 * counts as it is stored, NaN (which no comparison selects) is passed over, and an infinity leaves its side unbounded.
 */
import { compareUtf8 } from '../../bytes/text.ts';
import type { ColumnStatistics } from '../codec.ts';
import type { Stored } from './accept.ts';
import type { Field } from './schema.ts';
import { formatRfc3339 } from './timestamp.ts';

export class ColumnBounds {
  readonly #field: Field;
  readonly #ordered: boolean;
  nullCount = 0;
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
    if (stored === null) this.nullCount++;
    else if (!this.#ordered) return;
    else if (typeof stored === 'string') this.#addText(stored);
    else if (typeof stored === 'number' && !Number.isFinite(stored)) this.#addSpecial(stored);
    else this.#addNumber(stored, given);
  }

  /** Everything another one has seen. */
  absorb(other: ColumnBounds): void {
    this.nullCount += other.nullCount;
    if (other.#noMin) this.#noMin = true;
    if (other.#noMax) this.#noMax = true;
    if (other.#min === undefined || other.#max === undefined) return;
    this.add(other.#min, other.#givenMin);
    this.add(other.#max, other.#givenMax);
  }

  #addText(stored: string): void {
    const min = this.#min as string | undefined;
    if (min === undefined) {
      this.#min = stored;
      this.#max = stored;
    } else if (compareUtf8(stored, min) < 0) this.#min = stored;
    else if (compareUtf8(stored, this.#max as string) > 0) this.#max = stored;
  }

  #addNumber(stored: Stored, given: unknown): void {
    if (this.#min === undefined || stored < this.#min) {
      this.#min = stored;
      this.#givenMin = given;
    }
    if (this.#max === undefined || stored > this.#max) {
      this.#max = stored;
      this.#givenMax = given;
    }
  }

  #addSpecial(stored: number): void {
    if (stored === Infinity) this.#noMax = true;
    else if (stored === -Infinity) this.#noMin = true;
  }

  /** As stored. */
  get min(): Stored | undefined {
    return this.#noMin ? undefined : this.#min;
  }

  get max(): Stored | undefined {
    return this.#noMax ? undefined : this.#max;
  }

  /** As the manifest shows it. */
  statistics(): ColumnStatistics {
    const min = this.#shown(this.min, this.#givenMin);
    const max = this.#shown(this.max, this.#givenMax);
    return {
      name: this.#field.name,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      nullCount: this.nullCount,
    };
  }

  #shown(stored: Stored | undefined, given: unknown): string | number | bigint | undefined {
    if (this.#field.type === 'timestamp' && typeof stored === 'bigint')
      return typeof given === 'string' ? given : formatRfc3339(stored);
    if (typeof given === 'number' && typeof stored === 'bigint') return given;
    return stored as string | number | bigint | undefined;
  }
}
