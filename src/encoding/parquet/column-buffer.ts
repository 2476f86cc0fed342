/** One column of the row group being filled: its values, and what they are bounded by. */
import type { Statistics } from 'hyparquet';
import type { ColumnSource } from 'hyparquet-writer';
import type { ColumnStatistics } from '../codec.ts';
import type { Stored } from './accept.ts';
import type { Field } from './schema.ts';
import { ColumnBounds } from './statistics.ts';

/** A bound is as long as its value; the footer is no place for long ones. */
const boundLengthMax = 256;

export class ColumnBuffer {
  readonly field: Field;
  readonly #file: ColumnBounds;
  #group: ColumnBounds;
  #values: (Stored | null)[] = [];
  #negativeZero = false;

  constructor(field: Field) {
    this.field = field;
    this.#file = new ColumnBounds(field);
    this.#group = new ColumnBounds(field);
  }

  /** Returns roughly how many bytes the value will take. `given` is what it was made from. */
  add(value: Stored | null, given: unknown): number {
    this.#group.add(value, given);
    this.#values.push(value);
    if (typeof value === 'string' || value instanceof Uint8Array) return 4 + value.length;
    if (value === 0 && Object.is(value, -0)) this.#negativeZero = true;
    return 8;
  }

  /** For the peer's writer. */
  source(): ColumnSource {
    const { name, type } = this.field;
    return {
      name,
      data: this.#values,
      // Go finds page indexes by arithmetic over all chunks; the writer would leave them out for short ones only.
      columnIndex: false,
      offsetIndex: false,
      // Booleans as RLE are read wrongly by others; a dictionary would make -0 of floats 0.
      ...(type === 'bool' || this.#negativeZero ? { encoding: 'PLAIN' as const } : {}),
    };
  }

  /** Of the row group, for the footer. */
  chunkStatistics(): Statistics {
    const { min, max, nullCount } = this.#group;
    const found: Statistics = { null_count: BigInt(nullCount) };
    // Zeros of both signs compare equal: the format asks for the outer one.
    if (min !== undefined && !isLong(min)) found.min_value = min === 0 ? -0 : min;
    if (max !== undefined && !isLong(max)) found.max_value = max === 0 ? 0 : max;
    return found;
  }

  /** Of the file so far. */
  statistics(): ColumnStatistics {
    return this.#file.statistics();
  }

  /** Ready for the next row group. */
  clear(): void {
    this.#file.absorb(this.#group);
    this.#group = new ColumnBounds(this.field);
    this.#values = [];
    this.#negativeZero = false;
  }
}

function isLong(bound: Stored): boolean {
  return (
    (typeof bound === 'string' || bound instanceof Uint8Array) && bound.length > boundLengthMax
  );
}
