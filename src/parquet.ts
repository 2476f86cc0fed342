/** `lode/parquet`: the Parquet codec. */
export { parquet } from './encoding/parquet/codec.ts';
export type {
  ParquetCodec,
  ParquetDecodeOptions,
  ParquetOptions,
  ParquetReadOptions,
} from './encoding/parquet/codec.ts';
export type { RowGroupFilter } from './encoding/parquet/group-statistics.ts';
export { defaultParquetLimits } from './encoding/parquet/limits.ts';
export type { ParquetLimits } from './encoding/parquet/limits.ts';
export type {
  ParquetAs,
  ParquetColumn,
  ParquetField,
  ParquetRecord,
  ParquetSchema,
  ParquetType,
} from './encoding/parquet/schema.ts';
