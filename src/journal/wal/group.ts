/** Records that become durable together: one write, one sync. */
import type { FrameWriter } from './frame-writer.ts';
import { recordKinds } from './record.ts';
import type { SegmentHeader } from './segment-header.ts';

/** A group is closed when it has so much, whoever else waits. LSNs of one group differ in their low 16 bits. */
const groupBytesMax = 4 * 1024 * 1024;
const groupRecordsMax = 32 * 1024;

/** A segment that begins with a group. */
export interface NewSegment {
  readonly header: SegmentHeader;
  readonly bytes: Uint8Array;
  readonly running: number;
}

export class Group {
  readonly firstLsn: number;
  readonly timeMs: number;
  readonly writer: FrameWriter;
  readonly newSegment: NewSegment | undefined;
  /** Where the log was before the group; once its segment is made, where that begins. */
  before: LogPosition;
  readonly outcome: Outcome = new Outcome();
  count = 0;
  /** Acknowledged or refused: by itself, or by a synchronous append that came after it. */
  isSettled = false;
  /** What its records count for, against the bound of those that wait. */
  pendingBytes = 0;
  bytes: Uint8Array = new Uint8Array(0);
  running = 0;

  constructor(
    before: LogPosition,
    timeMs: number,
    writer: FrameWriter,
    newSegment: NewSegment | undefined,
  ) {
    this.before = before;
    this.firstLsn = before.nextLsn;
    this.timeMs = timeMs;
    this.writer = writer;
    this.newSegment = newSegment;
  }

  get lastLsn(): number {
    return this.firstLsn + this.count - 1;
  }

  isFull(bytesToCome: number): boolean {
    const length = this.writer.length + bytesToCome;
    return this.count > 0 && (this.count >= groupRecordsMax || length > groupBytesMax);
  }

  /** Returns the LSN of the record. */
  add(parts: readonly Uint8Array[]): number {
    const lsn = this.firstLsn + this.count;
    // One look at the clock a group; a segment's header has the time of its first one.
    const isTimed = this.count === 0 && this.newSegment === undefined;
    const timeDelta = isTimed ? this.timeMs - this.before.timeMs : 0;
    this.writer.add({ kind: recordKinds.data, lsn, index: this.count, timeDelta }, parts);
    this.count++;
    return lsn;
  }

  /** No more records: makes its bytes. */
  close(): LogPosition {
    const { bytes, running } = this.writer.take();
    this.bytes = bytes;
    this.running = running;
    return {
      nextLsn: this.firstLsn + this.count,
      firstLsn: this.newSegment?.header.firstLsn ?? this.before.firstLsn,
      logNumber: this.writer.logNumber,
      position: this.writer.end,
      running,
      timeMs: this.timeMs,
      hasSegment: true,
      restarts: false,
    };
  }
}

/** What becomes of a group. Apart from it: whoever keeps this does not keep its bytes. */
class Outcome {
  /** Resolves when the group is durable. */
  readonly durable: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};
  /** What the caller of one of its records is told instead, if that differs. */
  errorOf: ((lsn: number) => Error) | undefined;

  constructor() {
    this.durable = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.durable.catch(() => {});
  }
}

/** A record of a group. Who appends many waits for the last: a promise of its own is made for one that is asked after. */
export class AppendedRecord {
  readonly lsn: number;
  readonly #outcome: Outcome;
  #durable: Promise<void> | undefined;

  constructor(lsn: number, outcome: Outcome) {
    this.lsn = lsn;
    this.#outcome = outcome;
  }

  /** What is left of a group that failed may be its first records: each is told what is true of itself. */
  get durable(): Promise<void> {
    if (this.#durable !== undefined) return this.#durable;
    const durable = this.#outcome.durable.catch((error: unknown) => {
      throw this.#outcome.errorOf?.(this.lsn) ?? error;
    });
    // Whoever has it may not wait for it.
    durable.catch(() => {});
    return (this.#durable = durable);
  }
}

/** Where the next record goes. */
export interface LogPosition {
  readonly nextLsn: number;
  /** Of the segment written last: `nextLsn` while it has no records. */
  readonly firstLsn: number;
  /** Of the segment written last. */
  readonly logNumber: number;
  readonly position: number;
  readonly running: number;
  readonly timeMs: number;
  /** False when the segment written last is another writer's, or sealed. */
  readonly hasSegment: boolean;
  /** What comes next does not follow the last segment there is. */
  readonly restarts: boolean;
}
