/** The values that datasets take and give. */
import type { CallOptions, MeteredOptions } from '../history/index.ts';
import type { Cost } from '../store/index.ts';
import type { DatasetManifest } from './manifest/index.ts';
import type { PartitionFilter, Where } from './where.ts';

/** One immutable state of a dataset. */
export interface Snapshot {
  readonly id: string;
  readonly manifest: DatasetManifest;
}

/** A snapshot that this process has just committed. */
export interface CommittedSnapshot extends Snapshot {
  /** What the whole call asked of the store. */
  readonly cost: Cost;
  /** Races lost before this one was won. */
  readonly retries: number;
  /** Partition copies of the manifest that could not be written; `repair()` completes them. Usually empty. */
  readonly missingCopies: readonly string[];
}

/** A part of the history, in the order of its commits. */
export interface SnapshotRange {
  /** Begins after this snapshot; at the beginning of the history when undefined. */
  readonly since: string | undefined;
  /** The last snapshot; the head at the time of the call when left out. */
  readonly until?: string | undefined;
}

export interface SnapshotsOptions extends MeteredOptions, Partial<SnapshotRange> {
  /** Default `newest-first`. */
  readonly order?: 'newest-first' | 'oldest-first';
  /** Instead of the history, what is not part of it. */
  readonly unreachable?: boolean;
}

export interface WriteOptions extends CallOptions {
  /** Commit only on top of this snapshot; `null`: only as the first. Otherwise on top of the head last learned. */
  readonly expectedParent?: string | null;
}

export interface StreamRecordsOptions extends WriteOptions {
  /** Partitions written to at once; more are finished and begun again in a further file. Default 64. */
  readonly openFilesMax?: number;
}

export interface ReadOptions<R> extends MeteredOptions {
  /** Only files of this partition. */
  readonly partition?: PartitionFilter;
  /** Only records whose fields meet these conditions; files that cannot hold one are not fetched. */
  readonly where?: Where<R>;
  /** Only these fields of each record. */
  readonly columns?: readonly (keyof R & string)[];
}
