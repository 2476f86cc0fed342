/**
 * The public face of Lode's core: plain storage with the discipline of a database.
 *
 * Nothing here needs Node: every name works in a browser too. Directories are in `lode/fs`, Parquet in `lode/parquet`,
 * tools for tests in `lode/testing`.
 */

// Errors and what comes in from outside.
export { isLodeError, LodeError } from './errors.ts';
export type {
  ErrorDetails,
  LodeErrorCode,
  LodeErrorDetails,
  LodeErrorKind,
  Subject,
  VolumeRange,
} from './errors.ts';
export { systemEnv } from './env.ts';
export type { Env } from './env.ts';
export type {
  CommitEvent,
  ConflictEvent,
  FenceEvent,
  LodeEvents,
  Logger,
  RepairEvent,
  RequestEvent,
  RetryEvent,
  WaitEvent,
} from './events.ts';
export type { ByteInput, ByteSource } from './bytes/index.ts';

// Stores.
export {
  createMeter,
  memoryStore,
  withCache,
  withEvents,
  withMeter,
  withPrefix,
  withProbe,
  withRetry,
} from './store/index.ts';
export type {
  ByteRange,
  CacheOptions,
  CallOptions,
  CommonPrefix,
  Cost,
  DeleteResult,
  ETag,
  EventsOptions,
  GetOptions,
  ListOptions,
  MemoryStoreOptions,
  Meter,
  ObjectInfo,
  ProbeOptions,
  PutMode,
  PutOptions,
  PutResult,
  RetryOptions,
  Store,
  StoreCapabilities,
  StoredObject,
} from './store/index.ts';

// Components of datasets.
export { blake3, crc32c, gzip, jsonl, md5, none, sha256, zstd } from './encoding/index.ts';
export type {
  Checksum,
  Hasher,
  Codec,
  ColumnStatistics,
  Compressor,
  DataFile,
  DecodeOptions,
  DecompressLimits,
  FileStatistics,
  GzipOptions,
  JsonlOptions,
  RecordEncoder,
  SchemaIssue,
  SchemaResult,
  StandardSchemaV1,
  ZstdOptions,
} from './encoding/index.ts';

// What datasets and volumes share.
export type { MeteredOptions } from './history/index.ts';
export type { GcOptions, GcProgress, GcReport, Orphan } from './history/gc.ts';
export type { Problem, VerifyOptions, VerifyProgress, VerifyReport } from './history/verify.ts';
export type { Metadata } from './manifest/index.ts';

// Datasets.
export { openDataset, openReader, openVolume } from './open.ts';
export { defaultLayout, flat, hive } from './dataset/layout.ts';
export type {
  BlobWriter,
  Bounds,
  CommittedSnapshot,
  Comparable,
  ComponentOptions,
  CopyOptions,
  CopyReport,
  DataAddress,
  Dataset,
  DatasetLimits,
  DatasetManifest,
  DatasetOptions,
  DatasetReader,
  Layout,
  ManifestAddress,
  ManifestEntry,
  ManifestFile,
  ManifestLimits,
  ManifestListOptions,
  ManifestRef,
  OpenFileOptions,
  PartitionFilter,
  PartitionValue,
  RangeReader,
  RangeReaderOptions,
  ReaderOptions,
  ReadOptions,
  Snapshot,
  SnapshotRange,
  SnapshotsOptions,
  StreamRecordsOptions,
  TimestampOf,
  Where,
  WriteOptions,
} from './dataset/index.ts';

// Volumes.
export type {
  VolumeBlocks,
  CommitOptions,
  CommittedVolumeSnapshot,
  CopyOutOptions,
  CopyOutProgress,
  CopyOutReport,
  ReadAtOptions,
  SnapshotRef,
  StagedRange,
  StageOptions,
  StageProgress,
  Volume,
  VolumeBlock,
  VolumeManifest,
  VolumeManifestLimits,
  VolumeOptions,
  VolumeSnapshot,
  VolumeSnapshotsOptions,
  VolumeTarget,
} from './volume/index.ts';
