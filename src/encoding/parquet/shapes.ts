/** Which stored types a field may be read from, and how a column is handed out when there is no schema to ask. */
import { LodeError } from '../../errors.ts';
import type { Shape } from './cells.ts';
import type { FileColumn, Meaning } from './footer-schema.ts';
import type { Place } from './place.ts';
import { unsupported } from './place.ts';
import type { Field } from './schema.ts';

/** For columns read without a schema. */
export interface LooseShapes {
  readonly int64: 'either' | 'bigint';
  readonly timestamps: 'string' | 'date' | 'bigint';
}

/** How a file's column answers a field of the schema; `LODE_SCHEMA_VIOLATION` when its type is another. */
export function shapeOfField(field: Field, column: FileColumn, place: Place): Shape {
  const shape = column.flat ? matched(field, column) : undefined;
  if (shape !== undefined) return shape;
  throw new LodeError(
    'LODE_SCHEMA_VIOLATION',
    'parquet: a column has another type than its field',
    {
      ...place,
      field: field.name,
      expected: field.type,
      actual: describe(column),
      next: 'Read the file with the schema it was written with, or without one.',
    },
  );
}

function matched(field: Field, { physical, meaning }: FileColumn): Shape | undefined {
  const bare = meaning.kind === 'none';
  switch (field.type) {
    case 'int32':
      return physical === 'INT32' && (bare || isSigned(meaning, 32))
        ? { kind: 'integer', signed: true, as: 'number' }
        : undefined;
    case 'int64':
      return physical === 'INT64' && (bare || isSigned(meaning, 64))
        ? { kind: 'integer', signed: true, as: field.as === 'bigint' ? 'bigint' : 'number' }
        : undefined;
    case 'float32':
      return physical === 'FLOAT' && bare ? { kind: 'number' } : undefined;
    case 'float64':
      return physical === 'DOUBLE' && bare ? { kind: 'number' } : undefined;
    case 'string':
      return physical === 'BYTE_ARRAY' && meaning.kind === 'string' ? { kind: 'text' } : undefined;
    case 'bool':
      return physical === 'BOOLEAN' && bare ? { kind: 'boolean' } : undefined;
    case 'bytes':
      return physical === 'BYTE_ARRAY' && bare ? { kind: 'bytes' } : undefined;
    case 'timestamp':
      return physical === 'INT64' && meaning.kind === 'timestamp' && meaning.utc
        ? {
            kind: 'timestamp',
            unit: meaning.unit,
            as: field.as === 'string' || field.as === 'bigint' ? field.as : 'date',
          }
        : undefined;
  }
}

function isSigned(meaning: Meaning, bitsMax: number): boolean {
  return meaning.kind === 'integer' && meaning.signed && meaning.bits <= bitsMax;
}

/** Whatever a flat column means by its own metadata, without losing a digit. */
export function shapeOfColumn(column: FileColumn, loose: LooseShapes, place: Place): Shape {
  const { physical, meaning } = column;
  if (!column.flat) throw unsupported(place, 'nested columns are not read', column.path);
  if (meaning.kind === 'decimal' && physical !== 'INT96' && physical !== 'BOOLEAN')
    return { kind: 'decimal', scale: meaning.scale };
  if (physical === 'INT96' || (physical === 'INT64' && meaning.kind === 'timestamp'))
    return {
      kind: 'timestamp',
      unit: meaning.kind === 'timestamp' ? meaning.unit : 'NANOS',
      as: loose.timestamps,
    };
  if (physical === 'INT32' && meaning.kind === 'date') return { kind: 'date' };
  if (physical === 'INT32' || physical === 'INT64')
    return {
      kind: 'integer',
      signed: meaning.kind !== 'integer' || meaning.signed,
      as: physical === 'INT32' ? 'number' : loose.int64,
    };
  if (physical === 'BOOLEAN') return { kind: 'boolean' };
  if (physical === 'FLOAT' || physical === 'DOUBLE') return { kind: 'number' };
  if (meaning.kind === 'uuid' && column.length === 16) return { kind: 'uuid' };
  if (meaning.kind === 'float16' && column.length === 2) return { kind: 'float16' };
  return { kind: meaning.kind === 'string' ? 'text' : 'bytes' };
}

function describe({ physical, meaning, flat }: FileColumn): string {
  if (!flat) return 'a nested column';
  if (meaning.kind === 'none') return physical;
  if (meaning.kind === 'integer')
    return `${physical} (${meaning.signed ? 'signed' : 'unsigned'} ${meaning.bits} bits)`;
  if (meaning.kind === 'timestamp')
    return `${physical} (timestamp in ${meaning.unit}, ${meaning.utc ? 'UTC' : 'local'})`;
  return `${physical} (${meaning.kind === 'other' ? meaning.name : meaning.kind})`;
}
