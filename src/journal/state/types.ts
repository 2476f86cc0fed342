/** What a journal gives. */
import type { Dataset } from '../../dataset/index.ts';
import type { LodeError } from '../../errors.ts';
import type { JournalExport } from '../export/export.ts';
import type { SnapshotFile } from '../snapshot/snapshot.ts';
import type { IgnoredSnapshot } from './saved-states.ts';
import type { RecoveryReport, WalSegment } from '../wal/types.ts';

export interface JournalEvent<Event> {
  readonly lsn: number;
  /** When it was appended, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly event: Event;
}

/** What opening a journal found and did. */
export interface JournalRecovery {
  /** What the state was rebuilt from; undefined for the initial state. */
  readonly snapshot: SnapshotFile | undefined;
  /** Newer snapshots that were not used. */
  readonly ignored: readonly IgnoredSnapshot[];
  /** Events applied on top of it. */
  readonly replayed: number;
  /** The last event in the state. */
  readonly lsn: number;
  readonly log: RecoveryReport;
  /** Names of all files that were moved out of the way. */
  readonly setAside: readonly string[];
  /** What was behind the point that `recover` was asked for: records, as far as they verify, and bytes of the log. */
  readonly removed?: { readonly records: number; readonly bytes: number };
}

export interface JournalSnapshot extends SnapshotFile {
  /** Of the file; 0 when it was there already. */
  readonly bytes: number;
  /** Segments of the log that it made superfluous. */
  readonly segmentsDeleted: number;
}

export interface JournalVerification {
  /** Nothing is wrong. */
  readonly ok: boolean;
  readonly snapshots: readonly SnapshotFile[];
  readonly segments: readonly WalSegment[];
  readonly records: number;
  readonly problems: readonly LodeError[];
}

/** State that survives crashes: every change is an event in a log, durable before it is acknowledged and before anybody sees it. */
export interface Journal<State, Event> extends AsyncDisposable {
  /** 32 hex digits. */
  readonly id: string;
  /** After all events that are durable, and no others. Belongs to the journal: copy what you keep. */
  readonly state: State;
  /** The same with events accepted and not yet durable, which a crash may take back. */
  readonly accepted: State;
  /** The last event in `state`; 0 before the first. */
  readonly lsn: number;
  /** What opening it found and did. */
  readonly recovery: JournalRecovery;
  /** Why it takes no more events. */
  readonly failure: LodeError | undefined;
  /** Why the last snapshot that was due by itself could not be taken; the next one clears it. */
  readonly snapshotFailure: unknown;

  /**
   * Resolves once the event is durable and in `state`. A rejection with another code than `LODE_WRITE_UNCERTAIN`, `LODE_POISONED` or
   * `LODE_FENCED` means that it is not in the log: with `LODE_NOT_READY`, because `pendingBytesMax` of others wait.
   */
  append(
    event: Event,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly lsn: number }>;
  /** Resolves once `append` takes an event; at once with `durability: 'each'`, where nothing waits. */
  ready(): Promise<void>;
  /** Writes the state, reads it back, and drops what it makes superfluous. One sync for the file, one for the directory. */
  snapshot(options?: { readonly signal?: AbortSignal }): Promise<JournalSnapshot>;
  /** Durable events in order, as far back as the log goes; `LODE_NOT_FOUND` for a `from` before that. */
  replay(options?: ReplayOptions): AsyncGenerator<JournalEvent<Event>, void, undefined>;
  /** The same, and those still to come, until the journal is closed. */
  follow(options?: ReplayOptions): AsyncGenerator<JournalEvent<Event>, void, undefined>;
  /** Adds to a dataset of its own, `openDataset(name, { store })`, what that lacks of this journal; `restoreJournal` makes a journal of it. */
  exportTo(
    dataset: Dataset<Uint8Array>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<JournalExport>;
  /** Reads and checks every snapshot and the whole log. */
  verify(options?: { readonly signal?: AbortSignal }): Promise<JournalVerification>;
  /** Waits for what was accepted, and lets others open it. */
  close(): Promise<void>;
}

export interface ReplayOptions {
  /** The first event wanted; the first in the log by default. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}
