/** What a log is written with, and the segments it is made of. */
import type { Disk } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import type { Owner } from './owner.ts';
import type { SegmentHeader } from './segment-header.ts';
import type { Steps } from './steps.ts';

/** A segment of the log, as far as it may be read. */
export interface LiveSegment {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly lastLsn: number;
  /** Offset behind the last record. */
  readonly end: number;
}

export interface LogOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly env: Env;
  readonly owner: Owner;
  readonly journalId: string;
  readonly epoch: number;
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
  /** False: what is written counts as acknowledged. It survives the process, not a power loss. */
  readonly syncs: boolean;
  /** Says whether the write landed, once somebody has recovered the log. */
  readonly resolveWrite: (logNumber: number, lsn: number) => Promise<'landed' | 'not-landed'>;
  /** Once so much waits to become durable, nothing more is accepted. */
  readonly pendingBytesMax: number;
  /** What comes before a segment is made. */
  readonly beforeSegment: () => Steps;
}
