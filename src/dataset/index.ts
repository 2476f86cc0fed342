/**
 * Datasets: immutable snapshots of records or bytes, in files that one manifest names.
 *
 * Guarantees: a snapshot exists when its manifest does, and is never changed; what is read is what was committed, by
 * size and digest, or an error says so. Not here: queries, transactions over several datasets, deletion by record.
 */
export { defaultLayout, flat, hive } from './layout.ts';
export type { Layout, ManifestAddress } from './layout.ts';
export type { DatasetManifest, ManifestFile, ManifestLimits, Metadata } from './manifest/index.ts';
export type { PartitionValue } from './partition.ts';
export { openReader } from './reader.ts';
export type { DatasetReader, OpenFileOptions, ReaderOptions, RecordsOptions } from './reader.ts';
export type { ManifestRef } from './reader/load.ts';
export type { ManifestEntry, ManifestListOptions } from './reader/manifests.ts';
export type { RangeReader, RangeReaderOptions } from './range-reader.ts';
export type { ComponentOptions } from './components.ts';
