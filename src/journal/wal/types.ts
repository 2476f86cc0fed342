/** What a log gives, and what is found out about one. */
import type { LodeError } from '../../errors.ts';

/** One record of the log. */
export interface WalRecord {
  readonly lsn: number;
  /** When it was appended, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly bytes: Uint8Array;
}

/** `bytes` are lent for the call. */
export type VisitRecord = (record: WalRecord) => void;

/** A record that has its place in the log. */
export interface Appended {
  readonly lsn: number;
  /** Resolves once it is durable; rejects when it is not, or nobody knows. Not waiting for it is fine. */
  readonly durable: Promise<void>;
}

export interface WalSegment {
  readonly name: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly bytes: number;
  /** False for the one that is written to. */
  readonly isSealed: boolean;
}

export interface CursorOptions {
  /** The first record wanted; the first there is by default. */
  readonly from?: number;
  /** Waits for what is still to be appended instead of ending; ends when the log is closed. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface Wal extends AsyncDisposable {
  /** 32 hex digits, the same for all segments. */
  readonly journalId: string;
  /** What opening it found and did. */
  readonly recovery: RecoveryReport;
  /** The first record there is; the first that becomes durable when there is none. */
  readonly firstLsn: number;
  /** The last record that is durable, and that readers see; 0 before the first. */
  readonly durableLsn: number;
  /** When that record was appended, in milliseconds since the Unix epoch. */
  readonly durableTimeMs: number;
  /** The LSN that the next append gets. */
  readonly nextLsn: number;
  /** Accepted and not decided yet: the bytes of those records, and 1,024 more for each. */
  readonly pendingBytes: number;
  /** Why it takes no more records: closed, poisoned by a failed sync, or taken over. */
  readonly failure: LodeError | undefined;

  /** Takes a record, given whole or in parts, which it copies. Accepted when it returns, durable when `durable` resolves. Throws `LODE_NOT_READY` once `pendingBytesMax` waits. */
  append(parts: Uint8Array | readonly Uint8Array[]): Appended;
  /** The same, durable when it returns, with all that was accepted before, by one sync if nothing was under way; on the calling thread, new segments included. Returns the LSN. */
  appendSync(parts: Uint8Array | readonly Uint8Array[]): number;
  /** Resolves once `append` and `appendSync` take a record: there is room, and no new segment on its way. */
  ready(): Promise<void>;
  /** Resolves once all that was accepted so far is durable or has failed. */
  flush(): Promise<void>;
  /** Durable records in order. */
  cursor(options?: CursorOptions): AsyncGenerator<WalRecord, void, undefined>;
  /** Ends the segment, so that `release` can drop it whole. */
  rotate(): Promise<void>;
  rotateSync(): void;
  /** Deletes the segments of which every record is before this one; they must not be needed. Returns their number. */
  release(beforeLsn: number): Promise<number>;
  segments(): readonly WalSegment[];
  /** Gives up the room kept back for a full disk; false when there is none. */
  spendReserve(): Promise<boolean>;
  /** Waits for what was accepted, seals the log and lets others open it. */
  close(): Promise<void>;
}

/**
 * `tail` (the default): a last group that a crash cut short is cut off, other damage is refused. `strict`: all damage is
 * refused. `last-good`: the longest prefix that verifies is kept. `salvage`: whatever verifies can be read, nothing is changed.
 */
export type RecoveryMode = 'tail' | 'strict' | 'last-good' | 'salvage';

export interface RecoveryReport {
  readonly mode: RecoveryMode;
  /** `none` when there is nothing wrong; `planned` after a dry run. */
  readonly action: 'none' | 'cut' | 'planned' | 'salvage';
  readonly segments: number;
  readonly records: number;
  /** Of what was kept. `lastLsn` is 0 in a log without records. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** What was wrong, and where; the first place in the log. */
  readonly damage?: RecoveryDamage;
  /** Names of the files that hold what was cut, in the directory of the log. */
  readonly setAside: readonly string[];
  /** Damage that touches no record. */
  readonly notes: readonly LodeError[];
}

export interface RecoveryDamage {
  readonly segment: string;
  readonly offset: number;
  /** The record that should have been there. */
  readonly lsn: number;
  readonly reason: string;
  /** Checksums, masked, where they differ. */
  readonly expected?: number | undefined;
  readonly actual?: number | undefined;
  /** True for a write that a crash cut short: nothing of it had been acknowledged. */
  readonly isTorn: boolean;
  /** From the end of the last record kept to the end of the log. */
  readonly bytesCut: number;
  readonly error: LodeError;
}

/** A segment that counts, as far as it verifies. */
export interface InspectedSegment {
  readonly name: string;
  /** Of the file, and of what is in it up to the last record. */
  readonly bytes: number;
  readonly usedBytes: number;
  readonly records: number;
  readonly firstLsn: number;
  /** `firstLsn - 1` when there is no record. */
  readonly lastLsn: number;
  /** Of the writer: grows with every opening that writes. */
  readonly epoch: number;
  readonly logNumber: number;
  /** When it was begun, and when its last record was appended: milliseconds since the Unix epoch. */
  readonly begunMs: number;
  readonly timeMs: number;
  /** Over the checksums of everything up to its last record: what the next segment vouches for. */
  readonly checksum: number;
  /** False while it is written to, or when its writer was killed. */
  readonly isSealed: boolean;
  /** The log begins anew here, behind a snapshot that was newer than it. */
  readonly isRestart: boolean;
}

export interface WalInspection extends RecoveryReport {
  /** Undefined when no segment says. */
  readonly journalId: string | undefined;
  readonly files: readonly InspectedSegment[];
  /** Files that were never finished, which the next opening deletes. */
  readonly leftovers: readonly string[];
}
