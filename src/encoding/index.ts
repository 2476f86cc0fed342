/**
 * Components of a dataset: codecs turn records to bytes, compressors make them fewer, checksums vouch for them.
 *
 * Each is a small port that a component of your own can implement. Those here write bytes that Go Lode reads.
 */
export type {
  Codec,
  ColumnStatistics,
  DataFile,
  DecodeOptions,
  FileStatistics,
  RecordEncoder,
} from './codec.ts';
export type { Checksum, Hasher } from './checksum.ts';
export { blake3, crc32c, md5, sha256 } from './checksums/index.ts';
export type { Compressor, DecompressLimits } from './compressor.ts';
export { gzip, none, zstd } from './compressors/index.ts';
export type { GzipOptions, ZstdOptions } from './compressors/index.ts';
export { jsonl } from './jsonl/index.ts';
export type { JsonlOptions } from './jsonl/index.ts';
export type { SchemaIssue, SchemaResult, StandardSchemaV1 } from './schema.ts';
