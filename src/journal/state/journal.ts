/**
 * A journal that is open: events go to the log, and once they are durable into the state.
 *
 * - `append` acknowledges in the order in which events were accepted, and an event is in `state` before it is acknowledged.
 * - `state` never holds what a crash could take back.
 * - A snapshot is whole and verified before anything that it replaces is deleted.
 */
import type { Dataset } from '../../dataset/index.ts';
import type { Disk } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { Turns } from '../../parallel.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { exportFrom, headOf } from '../export/export.ts';
import type { JournalExport } from '../export/export.ts';
import { writeSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotFile } from '../snapshot/snapshot.ts';
import { assertDone } from './machine.ts';
import type { Machine } from './machine.ts';
import type { JournalOptions, JournalSettings } from './options.ts';
import { deleteOldStates } from './saved-states.ts';
import type {
  Journal,
  JournalEvent,
  JournalRecovery,
  JournalSnapshot,
  JournalVerification,
  ReplayOptions,
} from './types.ts';
import { verifyFiles } from './verifying.ts';
import type { Wal } from '../wal/types.ts';

interface Parts<State, Event> {
  readonly disk: Disk;
  readonly dir: string;
  readonly env: Env;
  readonly wal: Wal;
  readonly machine: Machine<State, Event>;
  readonly settings: JournalSettings<State, Event>;
  readonly check: JournalOptions<State, Event>['check'];
  readonly recovery: JournalRecovery;
  /** Why it is only read; undefined when it is not. */
  readonly readOnly: string | undefined;
  /** The newest snapshot there is, if it can stand for the state. */
  readonly newest: SnapshotFile | undefined;
  /** When the last event in the state was appended. */
  readonly timeMs: number;
  /** Of the events behind that snapshot. */
  readonly since: { readonly bytes: number; readonly records: number };
}

export class OpenJournal<State, Event> implements Journal<State, Event> {
  readonly id: string;
  readonly recovery: JournalRecovery;
  snapshotFailure: unknown;
  readonly #parts: Parts<State, Event>;
  readonly #firstLsn: number;
  #newest: SnapshotFile | undefined;
  #since: { bytes: number; records: number };
  /** Snapshots and checks, one after the other. */
  readonly #upkeep = new Turns();
  #isSnapshotDue = false;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts<State, Event>) {
    this.#parts = parts;
    this.id = parts.wal.journalId;
    this.recovery = parts.recovery;
    this.#newest = parts.newest;
    this.#since = { ...parts.since };
    this.#firstLsn = parts.wal.nextLsn;
  }

  get state(): State {
    return this.#parts.machine.state;
  }

  get accepted(): State {
    this.#forgetFailed();
    return this.#parts.machine.accepted;
  }

  get lsn(): number {
    return this.#parts.machine.lsn;
  }

  get failure(): LodeError | undefined {
    return this.#parts.machine.failure ?? this.#parts.wal.failure;
  }

  async append(
    event: Event,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly lsn: number }> {
    signal?.throwIfAborted();
    this.#assertWritable();
    return this.#parts.settings.durability === 'each'
      ? this.#appendAlone(event)
      : this.#appendToGroup(event);
  }

  async ready(): Promise<void> {
    this.#assertWritable();
    await this.#parts.wal.ready();
  }

  /** Up to the append to the log nothing waits: events are logged in the order in which they came. */
  async #appendToGroup(event: Event): Promise<{ readonly lsn: number }> {
    const { wal, machine } = this.#parts;
    const bytes = this.#accept(event);
    const { lsn, durable } = wal.append(bytes);
    machine.accept(lsn, bytes);
    try {
      await durable;
    } catch (error) {
      // The log took back this one and all behind it, unless others have their places by now.
      if (wal.nextLsn <= lsn || wal.failure !== undefined) machine.dropFrom(lsn);
      throw error;
    }
    this.#count(bytes);
    machine.settle(lsn);
    return { lsn };
  }

  #appendAlone(event: Event): { readonly lsn: number } {
    const { wal, machine } = this.#parts;
    const bytes = this.#accept(event);
    const lsn = wal.appendSync(bytes);
    machine.accept(lsn, bytes);
    this.#count(bytes);
    machine.settle(lsn);
    return { lsn };
  }

  /** The bytes of an event that may be logged. */
  #accept(event: Event): Uint8Array {
    const { check, machine, settings } = this.#parts;
    this.#forgetFailed();
    if (check !== undefined) assertDone(check(machine.accepted, event), 'check');
    return settings.codecs.event.encode(event);
  }

  /** Of a group that failed, not all callers may have been told yet: their events are gone all the same. */
  #forgetFailed(): void {
    this.#parts.machine.dropFrom(this.#parts.wal.nextLsn);
  }

  #count(bytes: Uint8Array): void {
    this.#since.bytes += bytes.length;
    this.#since.records++;
    const { everyBytes, everyRecords } = this.#parts.settings.snapshot;
    const isDue =
      (everyBytes > 0 && this.#since.bytes >= everyBytes) ||
      (everyRecords > 0 && this.#since.records >= everyRecords);
    if (!isDue || this.#isSnapshotDue) return;
    this.#isSnapshotDue = true;
    void this.#snapshotByItself();
  }

  /** Never rejects: appends do not depend on it. One that fails is tried again when as much has been logged once more. */
  async #snapshotByItself(): Promise<void> {
    try {
      await this.snapshot();
      this.snapshotFailure = undefined;
    } catch (error) {
      this.snapshotFailure = error;
      this.#since = { bytes: 0, records: 0 };
    } finally {
      this.#isSnapshotDue = false;
    }
  }

  snapshot({ signal }: { readonly signal?: AbortSignal } = {}): Promise<JournalSnapshot> {
    return this.#upkeep.take(() => this.#takeSnapshot(signal));
  }

  async #takeSnapshot(signal: AbortSignal | undefined): Promise<JournalSnapshot> {
    signal?.throwIfAborted();
    this.#assertWritable();
    const { wal, machine } = this.#parts;
    machine.settle(wal.durableLsn);
    const existing = this.#newest;
    if (existing?.lsn === machine.lsn) return { ...existing, bytes: 0, segmentsDeleted: 0 };
    const { name, lsn, bytes } = await this.#writeState(signal);
    this.#newest = { name, lsn };
    return { name, lsn, bytes, segmentsDeleted: await this.#compact() };
  }

  exportTo(
    dataset: Dataset<Uint8Array>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<JournalExport> {
    return this.#upkeep.take(async () => {
      signal?.throwIfAborted();
      this.#assertWritable();
      const { disk, dir, wal } = this.#parts;
      const takeSnapshot = (): Promise<SnapshotFile> => this.#takeSnapshot(signal);
      const source = { disk, dir, wal, lastLsn: wal.durableLsn, takeSnapshot, signal };
      return exportFrom(source, dataset, await headOf(dataset));
    });
  }

  async #writeState(signal: AbortSignal | undefined): Promise<SnapshotFile & { bytes: number }> {
    const { disk, dir, env, wal, machine, settings } = this.#parts;
    const { name: codec } = settings.codecs.state;
    const state = settings.codecs.state.encode(machine.state);
    const timeMs = wal.nextLsn > this.#firstLsn ? wal.durableTimeMs : this.#parts.timeMs;
    const { lsn } = machine;
    const { version } = settings;
    const header = { journalId: wal.journalId, lsn, timeMs, codec, version };
    const options = { ...header, disk, env, ...(signal && { signal }) };
    this.#since = { bytes: 0, records: 0 };
    try {
      return await writeSnapshot(dir, [state], options);
    } catch (error) {
      // On a full disk there is room for one, kept back for this.
      if (!isLodeError(error, 'LODE_STORAGE_FULL') || !(await wal.spendReserve())) throw error;
      return writeSnapshot(dir, [state], options);
    }
  }

  /**
   * Drops what nobody needs any more. A crash in between leaves too much, never too little: snapshots go first, and the log stays
   * from the oldest of the others on.
   */
  async #compact(): Promise<number> {
    const { disk, dir, wal, settings } = this.#parts;
    // A state that this code does not take is no help when a newer one is damaged.
    const isTrusted = ({ version }: { readonly version: string }): boolean =>
      version === settings.version || settings.upgrades;
    const needed = await deleteOldStates(disk, dir, settings.snapshot.keep, isTrusted);
    try {
      // Segments are dropped whole: the log goes on in one of its own. Where appends wait for nothing, nor does that.
      if (settings.durability === 'each') wal.rotateSync();
      else await wal.rotate();
    } catch (error) {
      if (!isLodeError(error, 'LODE_STORAGE_FULL')) throw error;
    }
    return wal.release(needed + 1);
  }

  async *replay(
    { from, signal }: ReplayOptions = {},
    follow = false,
  ): AsyncGenerator<JournalEvent<Event>, void, undefined> {
    const { wal, settings } = this.#parts;
    const start = { ...(from !== undefined && { from }), ...(signal && { signal }) };
    for await (const { lsn, timeMs, bytes } of wal.cursor({ ...start, follow })) {
      if (this.#parts.readOnly === 'until' && lsn > this.lsn) return;
      yield { lsn, timeMs, event: settings.codecs.event.decode(bytes) };
    }
  }

  follow(options: ReplayOptions = {}): AsyncGenerator<JournalEvent<Event>, void, undefined> {
    return this.replay(options, true);
  }

  verify({ signal }: { readonly signal?: AbortSignal } = {}): Promise<JournalVerification> {
    return this.#upkeep.take(async () => {
      const { disk, dir, wal, readOnly } = this.#parts;
      if (readOnly !== undefined) return verifyFiles(disk, dir, { signal });
      await wal.flush();
      return verifyFiles(disk, dir, { durableLsn: wal.durableLsn, signal });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#upkeep.ended();
    await this.#parts.wal.close();
  }

  #assertWritable(): void {
    const { dir, readOnly } = this.#parts;
    if (this.failure !== undefined) throw this.failure;
    if (this.#closing !== undefined) {
      throw new LodeError('LODE_CLOSED', 'this journal has been closed', { key: dir });
    }
    if (readOnly === undefined) return;
    throw new LodeError('LODE_READ_ONLY', `this journal was opened to be read (${readOnly})`, {
      key: dir,
    });
  }
}
