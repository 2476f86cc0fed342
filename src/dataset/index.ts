/** Datasets: open one to write and read its snapshots, or a reader for whatever a store holds. */
export { openDataset } from './open.ts';
export type { Dataset } from './dataset.ts';
export type { BlobWriter } from './blob-writer.ts';
export type { CopyOptions, CopyReport } from './copy.ts';
export type { DatasetLimits, DatasetOptions } from './options.ts';
export type { TimestampOf } from './time-range.ts';
export type {
  CommittedSnapshot,
  ReadOptions,
  Snapshot,
  SnapshotRange,
  SnapshotsOptions,
  StreamRecordsOptions,
  WriteOptions,
} from './types.ts';
export type { Bounds, Comparable, PartitionFilter, Where } from './where.ts';
export { defaultLayout, flat, hive } from './layout.ts';
export type { DataAddress, Layout, ManifestAddress } from './layout.ts';
export type { DatasetManifest, ManifestFile, ManifestLimits } from './manifest/index.ts';
export type { PartitionValue } from './partition.ts';
export type { ComponentOptions } from './components.ts';
export { openReader } from './reader.ts';
export type { DatasetReader, OpenFileOptions, ReaderOptions } from './reader.ts';
export type { ManifestRef } from './reader/load.ts';
export type { ManifestEntry, ManifestListOptions } from './reader/manifests.ts';
export type { RangeReader, RangeReaderOptions } from './range-reader.ts';
