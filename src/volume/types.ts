/** The values that volumes take and give. */
import type { VolumeRange } from '../errors.ts';
import type { CallOptions, MeteredOptions } from '../history/index.ts';
import type { Cost } from '../store/index.ts';
import type { VolumeManifest } from './manifest/index.ts';

/** One immutable piece of a volume: an object of its own. */
export interface VolumeBlock extends VolumeRange {
  /** Key in the store. */
  readonly path: string;
  /** `name:hex`; bare hex is md5. */
  readonly checksum?: string | undefined;
}

/** What `stageWriteAt` has uploaded. Nothing of it is visible before `commit`; it may be sent to another process as JSON. */
export interface StagedRange extends VolumeRange {
  /** One block, or several where the source was long, or the place of one was taken. */
  readonly blocks: readonly VolumeBlock[];
}

/** One immutable state of a volume. */
export interface VolumeSnapshot {
  readonly id: string;
  readonly manifest: VolumeManifest;
  /** Bytes that are there. */
  readonly coveredBytes: number;
  /** No byte is missing. Derived, never stored. */
  readonly complete: boolean;
}

/** A snapshot that this process has just committed. */
export interface CommittedVolumeSnapshot extends VolumeSnapshot {
  /** What the commit asked of the store; staging is told apart. */
  readonly cost: Cost;
  /** Races lost before this one was won. */
  readonly retries: number;
}

/** A snapshot as a call takes it: as it was given, or by its id. */
export type SnapshotRef = VolumeSnapshot | string;

export interface StageOptions extends MeteredOptions {
  /** Bytes that the source has to have, where it does not say so itself: one that ends early is refused. */
  readonly length?: number;
  readonly onProgress?: (progress: StageProgress) => void;
}

export interface StageProgress {
  /** Bytes that are in the store by now. */
  readonly stagedBytes: number;
  readonly blocks: number;
  /** Blocks that were there already, with the same bytes. */
  readonly adopted: number;
}

export interface CommitOptions extends CallOptions {
  /** Commit only on top of this snapshot; `null`: only as the first. Otherwise on top of whatever disjoint blocks others commit. */
  readonly expectedParent?: string | null;
}

export interface ReadAtOptions extends MeteredOptions {
  /** Fetch whole blocks, so that every byte is covered by a checksum. Default: that of the volume. */
  readonly verified?: boolean;
}

/** Something that takes bytes at offsets: a file, a device, memory. */
export interface VolumeTarget {
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** What it holds already, so that a copy can go on; fewer bytes, or none, where it holds nothing. */
  read?(offset: number, length: number): Promise<Uint8Array | undefined>;
}

export interface CopyOutOptions extends MeteredOptions {
  /** Only the blocks that touch it. */
  readonly range?: VolumeRange;
  readonly onProgress?: (progress: CopyOutProgress) => void;
}

export interface CopyOutProgress {
  readonly blocks: number;
  /** Fetched, verified and written. */
  readonly copiedBytes: number;
  /** There already, and verified. */
  readonly keptBytes: number;
}

export interface CopyOutReport extends CopyOutProgress {
  /** What the snapshot does not have: left as it was. */
  readonly gaps: readonly VolumeRange[];
}

export interface VolumeSnapshotsOptions extends MeteredOptions {
  /** Instead of the history, what is not part of it. */
  readonly unreachable?: boolean;
}

export function snapshotOf(manifest: VolumeManifest): VolumeSnapshot {
  const { snapshotId: id, blocks, totalLength } = manifest;
  const coveredBytes = blocks.bytes;
  return { id, manifest, coveredBytes, complete: coveredBytes === totalLength };
}
