/** `lode/parquet`: the Parquet codec. */
export { parquet } from './encoding/parquet/codec.ts';
export type { ParquetCodec, ParquetOptions, ParquetReadOptions } from './encoding/parquet/codec.ts';
export type { ParquetCompression } from './encoding/parquet/page-compressors.ts';
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
