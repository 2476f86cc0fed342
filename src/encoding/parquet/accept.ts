/**
 * From a record's member to the value a column stores, or a refusal that names record and field.
 *
 * Accepts what the Go implementation accepts, and refuses three things it lets through silently: timestamps past the range
 * of 64-bit nanoseconds, text that is not well-formed, and integers that could not be read as the numbers they are declared.
 */
import { utf8Encode } from '../../bytes/text.ts';
import { LodeError } from '../../errors.ts';
import type { Field, ParquetType } from './schema.ts';
import { isInt64, parseRfc3339 } from './timestamp.ts';

/** What a column holds: numbers, strings, booleans, bytes; 64-bit integers and timestamps as bigint. */
export type Stored = number | bigint | string | boolean | Uint8Array;

/** `undefined` means "no": the caller knows record and field. */
type Accept = (value: unknown) => Stored | undefined;

/** Whole numbers a double tells apart, and 2^53 itself, as the Go implementation draws the line. */
const wholeMax = 2 ** 53;

const accepts: Readonly<Record<ParquetType, Accept>> = {
  int32: (value) => {
    const number = typeof value === 'bigint' && isInt64(value) ? Number(value) : value;
    return typeof number === 'number' && number === (number | 0) ? number | 0 : undefined;
  },
  int64: (value) => {
    if (typeof value === 'bigint') return isInt64(value) ? value : undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
    return value >= -wholeMax && value <= wholeMax ? BigInt(value) : undefined;
  },
  float32: (value) => (typeof value === 'number' ? Math.fround(value) : undefined),
  float64: (value) => (typeof value === 'number' ? value : undefined),
  string: (value) => (typeof value === 'string' && isWellFormed(value) ? value : undefined),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  bytes: (value) => {
    if (value instanceof Uint8Array) return new Uint8Array(value);
    return typeof value === 'string' && isWellFormed(value) ? utf8Encode(value) : undefined;
  },
  timestamp: (value) => {
    const nanos = nanosOf(value);
    return nanos !== undefined && isInt64(nanos) ? nanos : undefined;
  },
};

/** An `int64` column whose values are handed out as numbers holds none that no number can be. */
const asNumber: Accept = (value) => {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return Number.isSafeInteger(number) ? accepts.int64(value) : undefined;
};

const wanted: Readonly<Record<ParquetType, string>> = {
  int32: 'a whole number of 32 bits',
  int64: 'a whole number below 2^53, or where bigints are declared one of 64 bits',
  float32: 'a number',
  float64: 'a number',
  string: 'a well-formed string',
  bool: 'a boolean',
  bytes: 'a Uint8Array or a well-formed string',
  timestamp: 'a Date, RFC 3339 text or nanoseconds as a bigint, from 1677 to 2262',
};

function nanosOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string') return parseRfc3339(value);
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return undefined;
  return BigInt(value.getTime()) * 1_000_000n;
}

/** A lone surrogate has no bytes: encoding would replace it silently. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/** The members of records, by field, ready to store; null where a nullable field has none. */
export class Acceptor {
  readonly #fields: readonly Field[];
  readonly #accepts: readonly Accept[];
  /** Names that every object inherits: only a record's own member counts for them. */
  readonly #inherited: readonly boolean[];

  constructor(fields: readonly Field[]) {
    this.#fields = fields;
    this.#accepts = fields.map((field) => (isNumber(field) ? asNumber : accepts[field.type]));
    this.#inherited = fields.map((field) => field.name in Object.prototype);
  }

  /** Fills `into` with one value a field, or throws `LODE_SCHEMA_VIOLATION` and leaves nothing of the record behind. */
  accept(record: unknown, index: number, into: (Stored | null)[], given: unknown[]): void {
    if (!isRecord(record)) {
      throw new LodeError('LODE_SCHEMA_VIOLATION', 'parquet: this is not a record', {
        record: index,
        expected: 'an object',
        actual: kindOf(record),
      });
    }
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i] as Field;
      const value =
        this.#inherited[i] && !Object.hasOwn(record, field.name) ? undefined : record[field.name];
      given[i] = value;
      if (value === null || value === undefined) {
        if (!field.nullable) throw refuse(field, index, 'a required field is missing', value);
        into[i] = null;
        continue;
      }
      const stored = (this.#accepts[i] as Accept)(value);
      if (stored === undefined) throw refuse(field, index, 'a value does not fit its field', value);
      into[i] = stored;
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  );
}

function isNumber({ type, as }: Field): boolean {
  return type === 'int64' && as === 'number';
}

function refuse(field: Field, index: number, what: string, value: unknown): LodeError {
  return new LodeError('LODE_SCHEMA_VIOLATION', `parquet: ${what}`, {
    field: field.name,
    record: index,
    expected: wanted[field.type],
    actual: kindOf(value),
    ...(isNumber(field) && typeof value === 'bigint' && isInt64(value) ? useBigints : {}),
  });
}

const useBigints = { next: "Declare the field as { type: 'int64', as: 'bigint' }." };

/** Names the value; text stays out, as messages end up in logs. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'bigint') return `${typeof value} ${value}`;
  if (typeof value === 'string') return `string of length ${value.length}`;
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'Date';
  return value instanceof Uint8Array ? 'Uint8Array' : typeof value;
}
