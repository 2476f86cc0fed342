/**
 * Group commit. Records that are appended while a sync is under way wait for the next one, all of them together. A group is
 * written only when the one before it is durable: recovery relies on it. Nothing runs while nothing is appended.
 *
 * A write that fails is taken back, durably, before anybody is told; the log goes on. After a sync that fails nobody knows
 * what is on the disk: this handle acknowledges nothing more.
 */
import type { DiskFile } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { Backlog } from './backlog.ts';
import { FrameChecksums } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import { AppendedRecord, Group } from './group.ts';
import type { LogPosition, NewSegment } from './group.ts';
import { uncertainWrite } from './live.ts';
import type { LiveSegment, LogOptions } from './log-options.ts';
import type { SegmentHeader } from './segment-header.ts';
import { headerOf } from './segment-writer.ts';
import { Segments } from './segments.ts';
import { run, runSync } from './steps.ts';
import type { Steps, Wait } from './steps.ts';

/**
 * Turns of the microtask queue between the end of a sync and the next group: callers that were waiting append again in them, and
 * share it. No timer, and less than a microsecond when there are none.
 */
const gatherTurns = 8;
/** Room for a full group is kept for the next one. */
const spareBytesMax = 8 * 1024 * 1024;

export class LogWriter {
  readonly backlog: Backlog;
  durableLsn: number;
  durableTimeMs: number;
  /** Told whenever `durableLsn` has grown or the log has ended. */
  readonly followers: Set<() => void> = new Set();
  readonly #options: LogOptions;
  readonly #segments: Segments;
  #position: LogPosition;
  #open: Group | undefined;
  readonly #queue: Group[] = [];
  #inFlight: Group | undefined;
  /** What the group in flight is written through, since a synchronous append has decided that group. */
  #overtaken: DiskFile | undefined;
  #running: Promise<void> | undefined;
  #wantsSegment = false;
  #failure: LodeError | undefined;
  #checksums: FrameChecksums | undefined;
  #spare: Uint8Array | undefined;

  constructor(options: LogOptions, position: LogPosition, sealed: readonly LiveSegment[]) {
    this.#options = options;
    this.#position = position;
    this.#segments = new Segments(options, sealed);
    this.backlog = new Backlog(options.pendingBytesMax, options.dir);
    this.durableLsn = position.nextLsn - 1;
    this.durableTimeMs = position.timeMs;
  }

  get nextLsn(): number {
    return this.#position.nextLsn + (this.#open?.count ?? 0);
  }

  /** Why nothing more can be appended. */
  get failure(): LodeError | undefined {
    return this.#failure;
  }

  /** In order. */
  get sealed(): LiveSegment[] {
    return this.#segments.sealed;
  }

  /** The segment being written, up to what is durable. */
  get active(): LiveSegment | undefined {
    const { active, durableEnd: end } = this.#segments;
    if (active === undefined) return undefined;
    const { header, path } = active;
    return { header, path, lastLsn: this.durableLsn, end };
  }

  append(parts: readonly Uint8Array[], bytes: number): AppendedRecord {
    this.backlog.assertRoom();
    const group = this.#groupFor(bytes);
    const lsn = group.add(parts);
    this.backlog.add(group, bytes);
    this.#running ??= this.#run();
    return new AppendedRecord(lsn, group.outcome);
  }

  /** What waits in the open group becomes durable with it, by the same sync. */
  appendSync(parts: readonly Uint8Array[], bytes: number): number {
    this.#overtake();
    const group = this.#groupFor(bytes);
    const lsn = group.add(parts);
    this.#commitSync(group);
    return lsn;
  }

  /** Resolves once there is room for what comes next. Somebody else may be quicker to take it. */
  async ready(): Promise<void> {
    while (this.backlog.isFull || this.#segments.isRotating) {
      const waiting = [this.#inFlight, ...this.#queue, this.#open];
      const first = waiting.find((group) => group?.isSettled === false);
      if (first === undefined) break;
      await first.outcome.durable.catch(() => {});
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Later records go to a segment of their own. */
  async rotate(): Promise<void> {
    await this.flush();
    this.#wantsSegment = this.#position.firstLsn < this.nextLsn;
    while (!this.#position.hasSegment || this.#isDue()) {
      const group = (this.#open ??= this.#begin());
      this.#running ??= this.#run();
      await group.outcome.durable;
    }
  }

  rotateSync(): void {
    this.#overtake();
    this.#commitSync(this.#open);
    this.#wantsSegment = this.#position.firstLsn < this.nextLsn;
    if (!this.#position.hasSegment || this.#isDue()) this.#commitSync(this.#begin());
  }

  /** Resolves once all that was appended so far is decided, whichever way. */
  async flush(): Promise<void> {
    const last = this.#open ?? this.#queue.at(-1) ?? this.#inFlight;
    await last?.outcome.durable.catch(() => {});
  }

  /** Ends the segment for good. `retry` makes room on a full disk, if it can. */
  async close(retry: () => Promise<boolean>): Promise<void> {
    // Calls of a group that a synchronous append has settled may be under way longer than that.
    while (this.#running !== undefined) await this.#running;
    const place = { before: this.#position };
    const seal = (): Steps => this.#segments.seal(place, (sync) => this.#syncing(undefined, sync));
    const isSound = this.#failure === undefined;
    // Whoever still waits for a segment gets none: it would be made when others have the log.
    const { dir } = this.#options;
    this.#failure ??= new LodeError('LODE_CLOSED', 'this log has been closed', { key: dir });
    try {
      if (isSound) {
        await run(seal()).catch(async (error: unknown) => {
          if (!isLodeError(error, 'LODE_STORAGE_FULL') || !(await retry())) throw error;
          await run(seal());
        });
      }
    } finally {
      this.#tell();
      this.#segments.active?.close();
    }
  }

  #unready(): LodeError {
    const what = 'a new segment of the log is being made';
    return new LodeError('LODE_NOT_READY', what, { key: this.#options.dir });
  }

  /** Never while the segment has no records: the next one would take its name, and vouch for what is gone. */
  #isDue(): boolean {
    const { firstLsn, nextLsn, position } = this.#position;
    const isWanted = this.#wantsSegment || position >= this.#options.segmentBytes;
    return isWanted && firstLsn < nextLsn;
  }

  /** The open group, or a new one where so much more does not fit into it. */
  #groupFor(bytes: number): Group {
    if (this.#open?.isFull(bytes) === true) this.#queue.push(this.#closeGroup(this.#open));
    return (this.#open ??= this.#begin());
  }

  #begin(): Group {
    const before = this.#position;
    const timeMs = Number(this.#options.env.now() / 1_000_000n);
    if (before.hasSegment && !this.#isDue()) {
      const writer = new FrameWriter(before, this.#checksumsOf(before.logNumber), this.#spare);
      this.#spare = undefined;
      return new Group(before, timeMs, writer, undefined);
    }
    const newSegment = this.#headerOf(before, timeMs);
    const { header, bytes, running } = newSegment;
    const start = { logNumber: header.logNumber, position: bytes.length, running };
    const writer = new FrameWriter(start, this.#checksumsOf(header.logNumber));
    return new Group(before, timeMs, writer, newSegment);
  }

  /** Made once a segment. One that could not be made hands its number back. */
  #checksumsOf(logNumber: number): FrameChecksums {
    if (this.#checksums?.logNumber !== logNumber) this.#checksums = new FrameChecksums(logNumber);
    return this.#checksums;
  }

  #headerOf(before: LogPosition, timeMs: number): NewSegment {
    const { journalId, epoch } = this.#options;
    const header: SegmentHeader = {
      logNumber: before.logNumber + 1,
      journalId,
      epoch,
      firstLsn: before.nextLsn,
      previousRunning: before.restarts ? 0 : before.running,
      restarts: before.restarts,
      timeMs,
    };
    return { header, ...headerOf(header) };
  }

  #closeGroup(group: Group): Group {
    this.#position = group.close();
    if (group === this.#open) this.#open = undefined;
    if (group.newSegment !== undefined) this.#wantsSegment = false;
    return group;
  }

  /** Never rejects: what goes wrong is the group's. */
  async #run(): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < gatherTurns; turn++) await Promise.resolve();
      const group = this.#queue.shift() ?? (this.#open && this.#closeGroup(this.#open));
      if (group === undefined) break;
      this.#inFlight = group;
      try {
        await run(this.#commit(group));
      } catch (error) {
        this.#fail(group, error);
      }
      this.#inFlight = undefined;
      // What it wrote was synced through another one.
      await this.#overtaken?.close().catch(() => {});
      this.#overtaken = undefined;
    }
    this.#running = undefined;
  }

  /** Wherever it waits, a synchronous append may overtake it and decide the group: then nothing is left to do. */
  *#commit(group: Group): Steps {
    if (this.#failure !== undefined) throw this.#failure;
    const { newSegment, bytes } = group;
    // One that is overtaken may have made its segment already.
    const isMade = this.#segments.active?.header.logNumber === group.writer.logNumber;
    if (!isMade && newSegment !== undefined) {
      yield* this.#segments.rotate(group, newSegment, (sync) => this.#syncing(group, sync));
    }
    const active = this.#segments.active;
    if (active?.header.logNumber !== group.writer.logNumber) throw this.#unready();
    const { position, end } = group.writer;
    if (bytes.length > 0) {
      try {
        yield active.write(bytes, position);
      } catch (error) {
        if (group.isSettled) return;
        // A write that was overtaken may still land, behind the cut too.
        if (this.#overtaken && active.isWriting) throw this.#poison(group, error, 'a write failed');
        yield* this.#syncing(group, active.cutBack(position));
        throw error;
      }
      if (group.isSettled) return;
      active.extend(bytes.length, end);
      if (this.#options.syncs) yield* this.#syncing(group, active.datasync());
    }
    this.#acknowledge(group);
  }

  #acknowledge(group: Group): void {
    if (group.isSettled) return;
    try {
      this.#options.owner.check();
    } catch (error) {
      // Whoever has the log now may have found the group, and counted it.
      const isFenced = isLodeError(error, 'LODE_FENCED');
      throw isFenced ? error : this.#poison(group, error, 'the owner of this log cannot be read');
    }
    if (group.lastLsn > this.durableLsn) {
      this.durableLsn = group.lastLsn;
      this.durableTimeMs = group.timeMs;
    }
    this.#segments.durableEnd = group.writer.end;
    const { buffer } = group.bytes;
    // To be written over: room made anew takes as long as the write. A call that was overtaken still reads it.
    if (buffer.byteLength <= spareBytesMax && this.#segments.active?.isWriting !== true)
      this.#spare = new Uint8Array(buffer as ArrayBuffer);
    this.#settle(group, group.outcome.resolve);
    this.#tell();
  }

  /** What is under way is decided on the calling thread, first of all. Where this fails, nothing was taken. */
  #overtake(): void {
    if (this.#segments.isRotating) throw this.#unready();
    if (this.#inFlight?.isSettled !== false) return;
    this.#overtaken = this.#segments.active?.reopen(this.#options);
    this.#queue.unshift(this.#inFlight);
  }

  /** Everything accepted so far becomes durable on the calling thread, `last` at the end. */
  #commitSync(last: Group | undefined): void {
    const queue = this.#queue;
    if (last !== undefined) queue.push(this.#closeGroup(last));
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
      try {
        runSync(this.#commit(group));
      } catch (error) {
        this.#fail(group, error);
        // What comes after a group that failed was never written: its error is not theirs.
        throw group === last ? error : (this.#failure ?? error);
      }
    }
  }

  #fail(group: Group, error: unknown): void {
    if (group.isSettled) return;
    if (isLodeError(error, 'LODE_FENCED')) this.#failure ??= error;
    const waiting = [...this.#queue.splice(0), ...(this.#open ? [this.#open] : [])];
    this.#open = undefined;
    this.#position = group.before;
    this.#settle(group, () => group.outcome.reject(error));
    // What comes after it was never written.
    const told = this.#failure ?? error;
    for (const other of waiting) this.#settle(other, () => other.outcome.reject(told));
    this.#tell();
  }

  #settle(group: Group, tell: () => void): void {
    group.isSettled = true;
    this.backlog.remove(group);
    tell();
  }

  *#syncing(group: Group | undefined, sync: Wait | Steps): Steps {
    try {
      if ('now' in sync) yield sync;
      else yield* sync;
    } catch (error) {
      throw this.#poison(group, error);
    }
  }

  /** From here on nothing is acknowledged. Returns what the group in question is told. */
  #poison(
    group: Group | undefined,
    cause: unknown,
    what = 'a sync of this log has failed',
  ): LodeError {
    const { dir: key, resolveWrite } = this.#options;
    const poisoned = new LodeError('LODE_POISONED', what, { key }, { cause });
    this.#failure ??= poisoned;
    if (group === undefined || group.count === 0) return poisoned;
    const { logNumber } = group.writer;
    const errorOf = (lsn: number): LodeError =>
      uncertainWrite(what, key, cause, () => resolveWrite(logNumber, lsn));
    if (!group.isSettled) group.outcome.errorOf = errorOf;
    return errorOf(group.lastLsn);
  }

  #tell(): void {
    for (const told of this.followers) told();
  }
}
