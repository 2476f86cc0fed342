/** The Parquet codec: typed columns, pruned by column and row group, readable by every Parquet tool and by Go Lode. */
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import type { Codec, RecordEncoder } from '../codec.ts';
import { flatten } from '../flatten.ts';
import { decodeRecords } from './decoder.ts';
import { ParquetEncoder } from './encoder.ts';
import { defaultParquetLimits } from './limits.ts';
import type { ParquetLimits } from './limits.ts';
import { pageCompressor } from './page-compressors.ts';
import type { ParquetCompression } from './page-compressors.ts';
import { fieldsOf } from './schema.ts';
import type { Field, ParquetColumn, ParquetField, ParquetRecord, ParquetSchema } from './schema.ts';
import type { LooseShapes } from './shapes.ts';

export interface ParquetOptions {
  /** Compression of pages; the codec is best used without a compressor around it. Default: `snappy`. */
  readonly compression?: ParquetCompression;
  /** A row group is closed at this many records. Default: 32,768. */
  readonly rowGroupRows?: number;
  /** And at about this many bytes of values before encoding: what a writer holds in memory. Default: 8 MiB. */
  readonly rowGroupBytes?: number;
  readonly limits?: Partial<ParquetLimits>;
}

/** How to hand out columns when there is no schema to say it. */
export interface ParquetReadOptions {
  /** `either` (default): numbers where exact, else bigints, value by value. */
  readonly int64?: 'either' | 'bigint';
  /** Default: `string`, RFC 3339 with all digits. */
  readonly timestamps?: 'string' | 'date' | 'bigint';
  readonly limits?: Partial<ParquetLimits>;
}

export interface ParquetCodec<R> extends Codec<R> {
  readonly name: 'parquet';
  readonly streaming: true;
}

/**
 * Parquet with a schema, which types the records:
 *
 * ```ts
 * const codec = parquet({ id: 'int64', name: 'string?', at: { type: 'timestamp', as: 'string' } });
 * ```
 *
 * A wrong schema throws `LODE_SCHEMA_VIOLATION` here, a record that does not fit it when it is written, a file that does not
 * when it is read. Members of a record that the schema does not name are not stored, as in Go. Writing needs the packages `hyparquet` and `hyparquet-writer`; reading needs nothing.
 */
export function parquet<const F extends readonly ParquetField[]>(
  fields: F,
  options?: ParquetOptions,
): ParquetCodec<ParquetRecord<F>>;
export function parquet<const S extends { readonly [name: string]: ParquetColumn }>(
  schema: S,
  options?: ParquetOptions,
): ParquetCodec<ParquetRecord<S>>;
/** Parquet without a schema: reads the flat columns of any file by the file's own types. Cannot write. */
export function parquet(
  schema?: undefined,
  options?: ParquetReadOptions,
): ParquetCodec<Record<string, unknown>>;
export function parquet(
  schema?: ParquetSchema,
  options: ParquetOptions & ParquetReadOptions = {},
): ParquetCodec<Record<string, unknown>> {
  assertOptions<ParquetOptions & ParquetReadOptions>(options, '', optionNames);
  const fields = schema === undefined ? undefined : fieldsOf(schema);
  const limits: ParquetLimits = { ...defaultParquetLimits, ...options.limits };
  const loose: LooseShapes = {
    int64: options.int64 ?? 'either',
    timestamps: options.timestamps ?? 'string',
  };
  const rowGroupRows = atLeastOne('rowGroupRows', options.rowGroupRows ?? 32_768);
  const rowGroupBytes = atLeastOne('rowGroupBytes', options.rowGroupBytes ?? 8 * 1024 * 1024);
  const compressor = pageCompressor(options.compression ?? 'snappy');
  if (compressor === undefined) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'parquet: this compression cannot be written', {
      field: 'compression',
      expected: 'snappy, gzip, zstd or none',
      actual: String(options.compression),
    });
  }
  return {
    name: 'parquet',
    streaming: true,
    encoder: (): RecordEncoder<Record<string, unknown>> =>
      new ParquetEncoder({
        fields: needed(fields),
        compressor,
        rowGroupRows,
        rowGroupBytes,
      }),
    decode: (file, decode) =>
      flatten(
        decodeRecords(file, {
          fields,
          loose,
          limits:
            decode.recordBytesMax === undefined
              ? limits
              : { ...limits, pageBytes: decode.recordBytesMax },
          columns: decode.columns,
          mayHold: decode.mayHold,
          signal: decode.signal,
        }),
      ),
  };
}

const optionNames = {
  compression: true,
  rowGroupRows: true,
  rowGroupBytes: true,
  limits: true,
  int64: true,
  timestamps: true,
} as const;

function needed(fields: readonly Field[] | undefined): readonly Field[] {
  if (fields !== undefined) return fields;
  throw new LodeError('LODE_SCHEMA_VIOLATION', 'parquet: writing needs a schema', {
    next: 'Give the codec the fields to write: parquet({ id: "int64" }).',
  });
}

function atLeastOne(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'parquet: a row group holds at least one record', {
    field,
    expected: 'a whole number from 1',
    actual: String(value),
  });
}
