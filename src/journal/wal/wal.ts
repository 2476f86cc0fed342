/**
 * A write-ahead log in a directory: records go in at the end, become durable in groups, and come out in order.
 *
 * - An acknowledged record survives a power loss; what was accepted and not acknowledged may or may not be there, and never in
 *   part.
 * - Records are numbered from 1 without gaps (`lsn`). They are bytes; what they mean is the caller's.
 * - One process owns a log at a time. Opening recovers it, and changes nothing when there is nothing to recover.
 */
import type { Disk } from '../../disk/disk.ts';
import { systemEnv } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { Turns } from '../../parallel.ts';
import { firstLsnIn, readLog } from './cursor.ts';
import type { Examination } from './examine.ts';
import { liveSegments, positionAfter, resolveWrite } from './live.ts';
import type { LiveSegment } from './log-options.ts';
import { LogWriter } from './log-writer.ts';
import { parentOf } from './names.ts';
import { assertLsn, recordBytesMax, walDefaults } from './options.ts';
import type { WalOptions } from './options.ts';
import type { Owner } from './owner.ts';
import { Reserve } from './reserve.ts';
import { salvage } from './salvage.ts';
import { namesIn } from './steps.ts';
import type {
  Appended,
  CursorOptions,
  RecoveryReport,
  Wal,
  WalRecord,
  WalSegment,
} from './types.ts';

interface Opened {
  readonly examination: Examination;
  readonly recovery: RecoveryReport;
  /** Undefined when it is only read. */
  readonly owner?: Owner;
}

export class OpenWal implements Wal {
  readonly journalId: string;
  readonly recovery: RecoveryReport;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #log: LogWriter | undefined;
  readonly #owner: Owner | undefined;
  readonly #reserve: Reserve;
  readonly #examination: Examination;
  readonly #releases = new Turns();
  /** The name of the segment deleted last may still be on the disk. */
  #isReleaseOpen = false;
  #closing: Promise<void> | undefined;

  constructor(disk: Disk, dir: string, options: WalOptions, opened: Opened) {
    const { examination, recovery, owner } = opened;
    const { env = systemEnv, after } = options;
    const { durability = walDefaults.durability } = options;
    const { segmentBytes = walDefaults.segmentBytes } = options;
    const { preallocateBytes = walDefaults.preallocateBytes } = options;
    const { reserveBytes = walDefaults.reserveBytes } = options;
    const { pendingBytesMax = walDefaults.pendingBytesMax } = options;
    this.#disk = disk;
    this.#dir = dir;
    this.#owner = owner;
    this.#examination = examination;
    const reserve = new Reserve(disk, dir, reserveBytes);
    this.#reserve = reserve;
    this.journalId = examination.journalId ?? options.journalId ?? env.id();
    this.recovery = recovery;
    if (owner === undefined) return;
    const sealed = liveSegments(examination);
    const epoch = Math.max(owner.epoch, examination.epoch + 1);
    let isNew = examination.files.length === 0;
    this.#log = new LogWriter(
      {
        disk,
        dir,
        env,
        owner,
        journalId: this.journalId,
        epoch,
        segmentBytes,
        preallocateBytes,
        syncs: durability === 'group',
        resolveWrite: (logNumber, lsn) => resolveWrite(disk, dir, { logNumber, epoch }, lsn),
        pendingBytesMax,
        beforeSegment: function* () {
          // Whoever made the directory may not have synced its name.
          if (isNew) yield namesIn(disk, parentOf(dir));
          isNew = false;
          yield* reserve.keep();
        },
      },
      positionAfter(examination, recovery.lastLsn, after ?? 0),
      sealed,
    );
  }

  get firstLsn(): number {
    const log = this.#log;
    if (log === undefined) return this.recovery.firstLsn;
    return firstLsnIn(log);
  }

  get durableLsn(): number {
    return this.#log?.durableLsn ?? this.recovery.lastLsn;
  }

  get durableTimeMs(): number {
    return this.#log?.durableTimeMs ?? this.#examination.read.at(-1)?.scan.timeMs ?? 0;
  }

  get nextLsn(): number {
    return this.#log?.nextLsn ?? this.recovery.lastLsn + 1;
  }

  get pendingBytes(): number {
    return this.#log?.backlog.bytes ?? 0;
  }

  get failure(): LodeError | undefined {
    return this.#log?.failure;
  }

  append(parts: Uint8Array | readonly Uint8Array[]): Appended {
    const log = this.#writable();
    const list = listOf(parts);
    return log.append(list, this.#checkedLength(list));
  }

  appendSync(parts: Uint8Array | readonly Uint8Array[]): number {
    const log = this.#writable();
    const list = listOf(parts);
    return log.appendSync(list, this.#checkedLength(list));
  }

  async ready(): Promise<void> {
    await this.#writable().ready();
  }

  async flush(): Promise<void> {
    await this.#log?.flush();
  }

  cursor(options: CursorOptions = {}): AsyncGenerator<WalRecord, void, undefined> {
    assertLsn(options.from ?? 0, 'from');
    if (this.#log !== undefined) return readLog(this.#disk, this.#dir, this.#log, options);
    return fromLsn(salvage(this.#disk, this.#examination.files), options);
  }

  async rotate(): Promise<void> {
    await this.#writable().rotate();
  }

  rotateSync(): void {
    this.#writable().rotateSync();
  }

  async release(beforeLsn: number): Promise<number> {
    assertLsn(beforeLsn, 'beforeLsn');
    return this.#releases.take(() => this.#release(beforeLsn));
  }

  async #release(beforeLsn: number): Promise<number> {
    const log = this.#writable();
    const { sealed } = log;
    let count = 0;
    await this.#syncReleased();
    // The last segment says where the log is: it stays until another one does. Segments are sealed and made meanwhile.
    while (sealed.length > (log.active === undefined ? 1 : 0)) {
      const [oldest] = sealed;
      if (oldest === undefined || oldest.lastLsn >= beforeLsn) break;
      // First of all: whoever begins to read now begins behind it.
      sealed.shift();
      try {
        await this.#disk.unlink(oldest.path);
      } catch (error) {
        sealed.unshift(oldest);
        throw error;
      }
      this.#isReleaseOpen = true;
      await this.#syncReleased();
      count++;
    }
    return count;
  }

  /** Each on its own: two deletions may reach the disk in any order, and what is left must have no gap. */
  async #syncReleased(): Promise<void> {
    if (this.#isReleaseOpen) await this.#disk.syncDirectory(this.#dir);
    this.#isReleaseOpen = false;
  }

  segments(): readonly WalSegment[] {
    const log = this.#log;
    const active = log?.active;
    const shown = ({ path, header, lastLsn, end }: LiveSegment): WalSegment => ({
      name: path.slice(this.#dir.length + 1),
      firstLsn: header.firstLsn,
      lastLsn,
      bytes: end,
      isSealed: path !== active?.path,
    });
    const sealed = log?.sealed ?? liveSegments(this.#examination);
    return [...sealed, ...(active ? [active] : [])].map(shown);
  }

  async spendReserve(): Promise<boolean> {
    return this.#log !== undefined && this.#reserve.spend();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#releases.ended();
    try {
      await this.#log?.close(() => this.#reserve.spend());
    } finally {
      await this.#owner?.release();
    }
  }

  #writable(): LogWriter {
    const log = this.#log;
    if (log === undefined) {
      throw new LodeError('LODE_READ_ONLY', 'a log opened for salvage takes no records', {
        key: this.#dir,
        next: "Copy what it yields to a new log, or open this one with recovery 'last-good'.",
      });
    }
    if (this.#closing !== undefined || log.failure !== undefined) {
      const closed = { key: this.#dir };
      throw log.failure ?? new LodeError('LODE_CLOSED', 'this log has been closed', closed);
    }
    return log;
  }

  #checkedLength(parts: readonly Uint8Array[]): number {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length <= recordBytesMax) return length;
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'this record is too long for the log', {
      key: this.#dir,
      expected: recordBytesMax,
      actual: length,
      next: 'Split it into several records.',
    });
  }
}

/** Anything else would be logged as something else. */
function listOf(parts: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  const list = parts instanceof Uint8Array ? [parts] : parts;
  if (Array.isArray(list) && list.every((part) => part instanceof Uint8Array)) return list;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'a record of a log is bytes', {
    field: 'parts',
    expected: 'a Uint8Array or an array of them',
  });
}

async function* fromLsn(
  batches: AsyncGenerator<readonly WalRecord[], void, undefined>,
  { from = 1, signal }: CursorOptions,
): AsyncGenerator<WalRecord, void, undefined> {
  for await (const records of batches) {
    signal?.throwIfAborted();
    for (const record of records) if (record.lsn >= from) yield record;
  }
}
