/**
 * Group commit. Records that are appended while a sync is under way wait for the next one, all of them together. A group is
 * written only when the one before it is durable: recovery relies on it. Nothing runs while nothing is appended.
 *
 * A write that fails is taken back, durably, before anybody is told; the log goes on. After a sync that fails nobody knows
 * what is on the disk: this handle acknowledges nothing more.
 */
import { isLodeError, LodeError } from '../../errors.ts';
import { FrameChecksums } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import { Group } from './group.ts';
import type { LogPosition, NewSegment } from './group.ts';
import type { LiveSegment, LogOptions } from './log-options.ts';
import type { SegmentHeader } from './segment-header.ts';
import { headerOf, SegmentWriter } from './segment-writer.ts';

/**
 * Turns of the microtask queue between the end of a sync and the next group: callers that were waiting append again in them, and
 * share it. No timer, and less than a microsecond when there are none.
 */
const gatherTurns = 8;

export class LogWriter {
  readonly sealed: LiveSegment[];
  durableLsn: number;
  durableTimeMs: number;
  /** Told whenever `durableLsn` has grown or the log has ended. */
  readonly followers: Set<() => void> = new Set();
  readonly #options: LogOptions;
  #active: SegmentWriter | undefined;
  #durableEnd = 0;
  #position: LogPosition;
  #open: Group | undefined;
  readonly #queue: Group[] = [];
  #inFlight: Group | undefined;
  #running: Promise<void> | undefined;
  #wantsSegment = false;
  #failure: LodeError | undefined;
  #checksums: FrameChecksums | undefined;
  #spare: Uint8Array | undefined;

  constructor(options: LogOptions, position: LogPosition, sealed: readonly LiveSegment[]) {
    this.#options = options;
    this.#position = position;
    this.sealed = [...sealed];
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

  /** The segment being written, up to what is durable. */
  get active(): LiveSegment | undefined {
    const active = this.#active;
    if (active === undefined) return undefined;
    const { header, path } = active;
    return { header, path, lastLsn: this.durableLsn, end: this.#durableEnd };
  }

  append(parts: readonly Uint8Array[], bytes: number): { lsn: number; group: Group } {
    const open = this.#open;
    if (open?.isFull(bytes) === true) this.#queue.push(this.#closeGroup(open));
    const group = (this.#open ??= this.#begin(false));
    const lsn = group.add(parts);
    this.#start();
    return { lsn, group };
  }

  appendSync(parts: readonly Uint8Array[]): number {
    const waiting = [this.#inFlight, this.#open, ...this.#queue];
    if (waiting.some((group) => group?.isSettled === false && this.#segmentOf(group) === undefined))
      throw this.#unready();
    this.#settleSync();
    const group = this.#begin(true);
    const lsn = group.add(parts);
    this.#closeGroup(group);
    try {
      this.#commitSync(group);
    } catch (error) {
      this.#fail(group, error);
      throw error;
    }
    return lsn;
  }

  /** Resolves once there is a segment to append to, so that `appendSync` can. */
  async ready(): Promise<void> {
    await this.flush();
    while (!this.#position.hasSegment || this.#isDue()) {
      const group = (this.#open ??= this.#begin(false));
      this.#start();
      await group.durable;
    }
  }

  /** Later records go to a segment of their own. */
  async rotate(): Promise<void> {
    await this.flush();
    const active = this.#active;
    this.#wantsSegment = active === undefined || active.header.firstLsn < this.nextLsn;
    await this.ready();
  }

  /** Resolves once all that was appended so far is decided, whichever way. */
  async flush(): Promise<void> {
    const last = this.#open ?? this.#queue.at(-1) ?? this.#inFlight;
    await last?.durable.catch(() => {});
  }

  /** Ends the segment for good. `retry` makes room on a full disk, if it can. */
  async close(retry: () => Promise<boolean>): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    const active = this.#active;
    const isSound = this.#failure === undefined;
    // Whoever still waits for a segment gets none: it would be made when others have the log.
    const { dir } = this.#options;
    this.#failure ??= new LodeError('LODE_CLOSED', 'this log has been closed', { key: dir });
    try {
      if (active !== undefined && isSound) {
        await this.#sealActive(active).catch(async (error: unknown) => {
          if (!isLodeError(error, 'LODE_STORAGE_FULL') || !(await retry())) throw error;
          await this.#sealActive(active);
        });
      }
    } finally {
      this.#tell();
      if (this.#active !== undefined) await this.#active.close();
    }
  }

  /** Where the group was laid out to go; undefined while that is still to be made. */
  #segmentOf({ writer }: Group): SegmentWriter | undefined {
    return this.#active?.header.logNumber === writer.logNumber ? this.#active : undefined;
  }

  #unready(): LodeError {
    return new LodeError('LODE_UNAVAILABLE', 'a new segment of the log is being made', {
      key: this.#options.dir,
      next: 'Await ready(), then append again.',
    });
  }

  #isDue(): boolean {
    return this.#wantsSegment || this.#position.position >= this.#options.segmentBytes;
  }

  /** @param stays  In the segment there is, however long that has become. */
  #begin(stays: boolean): Group {
    const before = this.#position;
    const timeMs = Number(this.#options.env.now() / 1_000_000n);
    if (before.hasSegment && (stays || !this.#isDue())) {
      const writer = new FrameWriter(before, this.#checksumsOf(before.logNumber), this.#spare);
      this.#spare = undefined;
      return new Group(before, timeMs, writer, undefined);
    }
    if (stays) {
      throw new LodeError('LODE_INVALID_ARGUMENT', 'there is no segment to append to yet', {
        key: this.#options.dir,
        next: 'Await ready() once before the first appendSync().',
      });
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

  #start(): void {
    this.#running ??= this.#run();
  }

  /** Never rejects: what goes wrong is the group's. */
  async #run(): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < gatherTurns; turn++) await Promise.resolve();
      const group = this.#queue.shift() ?? (this.#open && this.#closeGroup(this.#open));
      if (group === undefined) break;
      this.#inFlight = group;
      try {
        await this.#commit(group);
      } catch (error) {
        this.#fail(group, error);
      }
      this.#inFlight = undefined;
    }
    this.#running = undefined;
  }

  async #commit(group: Group): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (group.newSegment !== undefined) await this.#newSegment(group, group.newSegment);
    if (group.isSettled) return;
    const active = this.#segmentOf(group);
    if (active === undefined) throw this.#unready();
    const { position } = group.writer;
    if (group.bytes.length > 0) {
      try {
        await active.write(group.bytes, position);
      } catch (error) {
        if (!group.isSettled) await this.#syncing(group, () => active.cutBack(position));
        throw error;
      }
      if (this.#options.syncs) await this.#syncing(group, () => active.datasync());
    }
    this.#acknowledge(group);
  }

  async #newSegment(group: Group, { header, bytes, running }: NewSegment): Promise<void> {
    const { disk, dir, preallocateBytes, beforeSegment } = this.#options;
    if (this.#active !== undefined) await this.#sealActive(this.#active, group);
    await beforeSegment();
    this.#active = await SegmentWriter.create(
      disk,
      dir,
      header,
      bytes,
      preallocateBytes,
      (sync) => this.#syncing(group, sync),
      () => this.#options.owner.checkPlace(),
    );
    // One of the same name, without a record, is gone.
    if (this.sealed.at(-1)?.header.firstLsn === header.firstLsn) this.sealed.pop();
    this.#durableEnd = bytes.length;
    const { position } = group.writer;
    const { logNumber, timeMs } = header;
    group.before = { ...group.before, logNumber, position, running, timeMs };
    group.before = { ...group.before, hasSegment: true, restarts: false };
  }

  async #sealActive(active: SegmentWriter, group?: Group): Promise<void> {
    const { header, path } = active;
    const { position, running, nextLsn } = group?.before ?? this.#position;
    const lastLsn = nextLsn - 1;
    try {
      await active.writeSeal(position, running, lastLsn);
    } catch (error) {
      await this.#syncing(group, () => active.cutBack(position));
      throw error;
    }
    await this.#syncing(group, () => active.datasync());
    this.sealed.push({ header, path, lastLsn, end: position });
    this.#active = undefined;
    // Before anything else can fail: nobody may append to a segment that is gone.
    if (group !== undefined) group.before = { ...group.before, hasSegment: false };
    await active.close();
  }

  #acknowledge(group: Group): void {
    if (group.isSettled) return;
    try {
      this.#options.owner.check();
    } catch (error) {
      // Whoever has the log now may have found the group, and counted it.
      throw isLodeError(error, 'LODE_FENCED') ? error : this.#poison(group, error);
    }
    group.isSettled = true;
    if (group.lastLsn > this.durableLsn) {
      this.durableLsn = group.lastLsn;
      this.durableTimeMs = group.timeMs;
    }
    this.#durableEnd = group.writer.end;
    // Short ones only: a long one would be kept for nothing.
    if (group.bytes.buffer.byteLength <= 256 * 1024) {
      this.#spare = new Uint8Array(group.bytes.buffer as ArrayBuffer);
    }
    group.resolve();
    this.#tell();
  }

  /** Everything accepted so far becomes durable on the calling thread. */
  #settleSync(): void {
    const flying = this.#inFlight;
    const waiting = [
      ...this.#queue.splice(0),
      ...(this.#open ? [this.#closeGroup(this.#open)] : []),
    ];
    for (const group of flying === undefined || flying.isSettled ? waiting : [flying, ...waiting]) {
      try {
        this.#commitSync(group);
      } catch (error) {
        this.#fail(group, error);
        group.isSettled = true;
        // Those behind it were encoded for places that no longer follow.
        for (const other of waiting) if (!other.isSettled) other.reject(error);
        throw error;
      }
    }
  }

  #commitSync(group: Group): void {
    const active = this.#segmentOf(group);
    if (this.#failure !== undefined) throw this.#failure;
    if (active === undefined) throw this.#unready();
    const { position } = group.writer;
    try {
      active.writeSync(group.bytes, position);
    } catch (error) {
      // Another thread may be writing it, too, and later than what comes next.
      if (group === this.#inFlight) throw this.#poison(group, error);
      this.#orPoison(group, () => active.blankSync(position, group.bytes.length));
      throw error;
    }
    if (this.#options.syncs) this.#orPoison(group, () => active.datasyncSync());
    this.#acknowledge(group);
  }

  #fail(group: Group, error: unknown): void {
    if (group.isSettled) return;
    if (isLodeError(error, 'LODE_FENCED')) this.#failure ??= error;
    const waiting = [...this.#queue.splice(0), ...(this.#open ? [this.#open] : [])];
    this.#open = undefined;
    this.#position = group.before;
    group.reject(error);
    // What comes after it was never written.
    for (const other of waiting) other.reject(this.#failure ?? error);
    this.#tell();
  }

  async #syncing(group: Group | undefined, sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (error) {
      throw this.#poison(group, error);
    }
  }

  #orPoison(group: Group, sync: () => void): void {
    try {
      sync();
    } catch (error) {
      throw this.#poison(group, error);
    }
  }

  /** From here on nothing is acknowledged. Returns what the group in question is told. */
  #poison(group: Group | undefined, cause: unknown): LodeError {
    const { dir, resolveWrite } = this.#options;
    const poisoned = new LodeError(
      'LODE_POISONED',
      'a sync of this log has failed',
      { key: dir },
      { cause },
    );
    this.#failure ??= poisoned;
    if (group === undefined || group.count === 0) return poisoned;
    const { logNumber } = group.writer;
    const resolve = (): Promise<'landed' | 'not-landed'> => resolveWrite(logNumber, group.lastLsn);
    return new LodeError(
      'LODE_WRITE_UNCERTAIN',
      'a sync of this log has failed: nobody knows what of the last write is on the disk',
      {
        key: dir,
        resolve,
        next: 'Close this log and open it again, which settles it; then ask details.resolve().',
      },
      { cause },
    );
  }

  #tell(): void {
    for (const told of this.followers) told();
  }
}
