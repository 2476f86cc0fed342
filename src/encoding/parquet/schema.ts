/**
 * The schema of a Parquet codec: what users write, what it says about the record type, and the checked list of fields
 * everything else works from.
 */
import { compareUtf8, utf8Decode, utf8Encode } from '../../bytes/text.ts';
import { LodeError } from '../../errors.ts';
import { kindOf } from '../../options.ts';

/** The eight types of the dataset format. */
export type ParquetType =
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'string'
  | 'bool'
  | 'bytes'
  | 'timestamp';

/**
 * How a column is handed out, where JavaScript has more than one way. Nothing is ever rounded: an `int64` read as a
 * number that does not fit, or a `timestamp` read as a Date that is finer than a millisecond, is an error that says so.
 */
export type ParquetAs = 'number' | 'bigint' | 'date' | 'string';

/** One field, by name. */
export interface ParquetField {
  readonly name: string;
  readonly type: ParquetType;
  /** Absent and null members are stored as null, and read as null. */
  readonly nullable?: boolean;
  /** `int64`: `'number'` (default) or `'bigint'`. `timestamp`: `'date'` (default), `'string'` or `'bigint'`. */
  readonly as?: ParquetAs;
}

/** One field of a schema object: a type, a type with `?` for nullable, or a field without its name. */
export type ParquetColumn = ParquetType | `${ParquetType}?` | Omit<ParquetField, 'name'>;

/** A schema: fields in a list, or an object of columns by name. */
export type ParquetSchema = readonly ParquetField[] | { readonly [name: string]: ParquetColumn };

interface DefaultTypes {
  int32: number;
  int64: number;
  float32: number;
  float64: number;
  string: string;
  bool: boolean;
  bytes: Uint8Array;
  timestamp: Date;
}

interface AsTypes {
  number: number;
  bigint: bigint;
  date: Date;
  string: string;
}

type ValueOf<C> = C extends ParquetType
  ? DefaultTypes[C]
  : C extends `${infer T extends ParquetType}?`
    ? DefaultTypes[T] | null
    : C extends { readonly type: infer T extends ParquetType }
      ?
          | (C extends { readonly as: infer A extends ParquetAs } ? AsTypes[A] : DefaultTypes[T])
          | (C extends { readonly nullable: true } ? null : never)
      : never;

/** The record type that a schema stands for. */
export type ParquetRecord<S> = S extends readonly ParquetField[]
  ? { [F in S[number] as F['name']]: ValueOf<F> }
  : { -readonly [K in keyof S]: ValueOf<S[K]> };

/** A field with everything decided. */
export interface Field {
  readonly name: string;
  readonly type: ParquetType;
  readonly nullable: boolean;
  readonly as: ParquetAs | undefined;
}

const readAs: Readonly<Record<ParquetType, readonly ParquetAs[]>> = {
  int32: [],
  int64: ['number', 'bigint'],
  float32: [],
  float64: [],
  string: [],
  bool: [],
  bytes: [],
  timestamp: ['date', 'string', 'bigint'],
};

/** Checks a schema; fields keep the order they were declared in. Throws `LODE_SCHEMA_VIOLATION`. */
export function fieldsOf(schema: ParquetSchema): readonly Field[] {
  if (typeof schema !== 'object' || schema === null || Object.keys(schema).length === 0)
    throw violation('a file needs at least one column', 'schema', 'fields', kindOf(schema));
  const list: readonly ParquetField[] = isList(schema)
    ? schema
    : Object.entries(schema).map(([name, column]) => named(name, column));
  const seen = new Set<string>();
  return list.map((field) => {
    const { name, type, nullable = false } = field;
    const known: readonly ParquetAs[] | undefined = Object.hasOwn(readAs, type)
      ? readAs[type]
      : undefined;
    if (known === undefined)
      throw violation(
        'a field has an unknown type',
        name,
        Object.keys(readAs).join(', '),
        String(type),
      );
    if (typeof name !== 'string' || name === '')
      throw violation('a field has no name', String(name));
    if (utf8Decode(utf8Encode(name)) !== name)
      throw violation('a field name is not well-formed text', name);
    if (seen.has(name)) throw violation('two fields have the same name', name);
    seen.add(name);
    if (field.as !== undefined && !known.includes(field.as))
      throw violation('a field cannot be read that way', name, known.join(', '), field.as);
    return { name, type, nullable, as: field.as ?? known[0] };
  });
}

/** The order of columns in the file: Go tells columns apart by their place in ascending byte order of names. */
export function storedOrder(fields: readonly Field[]): readonly Field[] {
  return fields.toSorted((a, b) => compareUtf8(a.name, b.name));
}

function isList(schema: ParquetSchema): schema is readonly ParquetField[] {
  return Array.isArray(schema);
}

function named(name: string, column: ParquetColumn): ParquetField {
  if (typeof column !== 'string') return { ...column, name };
  const nullable = column.endsWith('?');
  return { name, type: (nullable ? column.slice(0, -1) : column) as ParquetType, nullable };
}

function violation(what: string, field: string, expected?: string, actual?: string): LodeError {
  return new LodeError('LODE_SCHEMA_VIOLATION', `parquet schema: ${what}`, {
    field,
    expected,
    actual,
    next: 'Change the schema.',
  });
}
