/** Volumes: sparse byte spaces that fill up commit by commit, whose gaps are facts. */
export { openVolume } from './open.ts';
export type { Volume } from './volume.ts';
export type { VolumeOptions } from './options.ts';
export type { VolumeManifest, VolumeManifestLimits } from './manifest/index.ts';
export type { VolumeBlocks } from './block-table.ts';
export type {
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
  VolumeBlock,
  VolumeSnapshot,
  VolumeSnapshotsOptions,
  VolumeTarget,
} from './types.ts';
