/**
 * Reads a segment to its end and judges how it ends: sealed, cleanly, in a torn group, or damaged.
 *
 * A group is written only once the one before it is durable. So a record of a later group behind damage proves that the
 * damaged bytes had been durable: that is corruption. Without such a record the damage is a write that a crash cut short,
 * wherever in the group it is, as sectors arrive in any order (docs/formats/journal.md, section 5).
 */
import type { DiskFile } from '../../disk/disk.ts';
import { isBlank } from './frame-scanner.ts';
import type { Damage } from './frame-scanner.ts';
import { recordKinds, resolveLsn } from './record.ts';
import { decodeSeal } from './segment-header.ts';
import type { SegmentHeader } from './segment-header.ts';
import { SegmentReader } from './segment-reader.ts';
import type { VisitRecord } from './types.ts';

/** What the segment behind says about the end of this one. */
export interface Anchor {
  readonly lastLsn: number;
  readonly running: number;
  /** True when a later writer took over there: whatever the earlier one still wrote counts for nothing. */
  readonly tookOver: boolean;
}

export interface Fault extends Damage {
  /** A write that a crash cut short, and nothing else. */
  readonly isTorn: boolean;
}

export interface SegmentScan {
  readonly lastLsn: number;
  readonly records: number;
  /** Offset behind the last record, and the running checksum there. */
  readonly end: number;
  readonly running: number;
  readonly timeMs: number;
  /** Where the last group begins: only what follows may be less than durable. */
  readonly groupStart: number;
  /** The last record in front of it. */
  readonly settledLsn: number;
  readonly isSealed: boolean;
  readonly fault?: Fault;
  /** Damage behind the last record, where no record was. */
  readonly behind?: Damage;
}

interface Segment {
  readonly file: DiskFile;
  readonly size: number;
  readonly header: SegmentHeader;
  readonly path: string;
}

export async function scanSegment(
  segment: Segment,
  anchor?: Anchor,
  visit?: VisitRecord,
  to?: number,
): Promise<SegmentScan> {
  return new Scan(segment, anchor, visit, to).run();
}

class Scan {
  readonly #segment: Segment;
  readonly #anchor: Anchor | undefined;
  readonly #visit: VisitRecord | undefined;
  /** The last record wanted. */
  readonly #to: number | undefined;
  #reader: SegmentReader;
  #lsn: number;
  #end = 0;
  /** Signed: see `FrameScanner`. */
  #running: number;
  #timeMs: number;
  #groupStart = 0;
  #settledLsn: number;
  #isGroupOpen = false;
  #index = 0;

  constructor(
    segment: Segment,
    anchor: Anchor | undefined,
    visit: VisitRecord | undefined,
    to: number | undefined,
  ) {
    this.#segment = segment;
    this.#anchor = anchor;
    this.#visit = visit;
    this.#to = to;
    const { logNumber, firstLsn, timeMs, previousRunning } = segment.header;
    this.#running = previousRunning | 0;
    this.#reader = this.#readerAt(logNumber);
    this.#lsn = this.#settledLsn = firstLsn - 1;
    this.#timeMs = timeMs;
  }

  async run(): Promise<SegmentScan> {
    for (let lookedAt = -1; ;) {
      const stop = this.#readOn();
      if (stop === 'more') {
        await this.#reader.fill();
        continue;
      }
      if (stop !== 'end') return stop;
      const result = await this.#atEnd(this.#reader.scanner.damage);
      const isOnItsWay = this.#anchor === undefined && result.fault?.isTorn === false;
      if (!isOnItsWay || lookedAt === this.#end) return result;
      // Another process may have gone on writing in between: what is damaged is so when it is read again.
      lookedAt = this.#end;
      this.#reader = this.#readerAt(this.#segment.header.logNumber);
    }
  }

  /** Through what is loaded. Not asynchronous: every record goes through here. */
  #readOn(): SegmentScan | Promise<SegmentScan> | 'more' | 'end' {
    const { scanner } = this.#reader;
    const anchor = this.#anchor;
    for (;;) {
      if (this.#lsn === this.#to && this.#end > 0) return this.#result(false);
      if (anchor !== undefined && this.#lsn === anchor.lastLsn && this.#end > 0) {
        if (this.#running >>> 0 === anchor.running) return this.#atAnchor(anchor);
        return this.#fault('sequence', { expected: anchor.running, actual: this.#running >>> 0 });
      }
      const step = scanner.next();
      if (step !== 'record') return step === 'more' ? step : 'end';
      const { kind } = scanner.prefix;
      if (kind === recordKinds.seal) return this.#atSeal();
      const isHeader = scanner.recordStart === 0;
      if (isHeader ? kind !== recordKinds.header : kind !== recordKinds.data || !this.#follows()) {
        return this.#fault('sequence');
      }
      if (!isHeader) this.#take();
      this.#end = scanner.recordEnd;
      this.#running = scanner.running | 0;
      if (isHeader) this.#groupStart = this.#end;
    }
  }

  #readerAt(logNumber: number): SegmentReader {
    const { file, size } = this.#segment;
    const from = { logNumber, position: this.#end, running: this.#running };
    return new SegmentReader(file, from, size, true);
  }

  #follows(): boolean {
    const { lsnLow, index } = this.#reader.scanner.prefix;
    if (lsnLow !== ((this.#lsn + 1) & 0xffff)) return false;
    return index === (this.#isGroupOpen ? this.#index + 1 : 0);
  }

  #take(): void {
    const { scanner } = this.#reader;
    const { prefix } = scanner;
    if (prefix.index === 0) {
      this.#groupStart = scanner.recordStart;
      this.#settledLsn = this.#lsn;
    }
    this.#lsn++;
    if (prefix.timeDelta !== 0) this.#timeMs += prefix.timeDelta;
    this.#index = prefix.index;
    this.#isGroupOpen = !prefix.isLast;
    this.#visit?.({ lsn: this.#lsn, timeMs: this.#timeMs, bytes: scanner.body });
  }

  /** All that the next segment counts on is there. Behind it only a seal and zeros make sense. */
  async #atAnchor({ tookOver }: Anchor): Promise<SegmentScan> {
    const { scanner } = this.#reader;
    for (let sealed = false; ;) {
      const step = scanner.next();
      if (step === 'more') {
        await this.#reader.fill();
        continue;
      }
      if (step === 'record' && !sealed && scanner.prefix.kind === recordKinds.seal) {
        sealed = true;
        continue;
      }
      if (step === 'record' && !tookOver) return this.#fault('sequence');
      const behind = step === 'damage' && !tookOver ? scanner.damage : undefined;
      return { ...this.#result(true), ...(behind && { behind }) };
    }
  }

  async #atSeal(): Promise<SegmentScan> {
    const { scanner } = this.#reader;
    const { lastLsn, running } = decodeSeal(scanner.body, this.#segment.path);
    if (lastLsn !== this.#lsn || running !== this.#running >>> 0 || this.#end === 0) {
      return this.#fault('sequence', { expected: lastLsn, actual: this.#lsn });
    }
    const anchor = this.#anchor;
    if (anchor !== undefined) {
      return this.#fault('truncated', { expected: anchor.lastLsn, actual: this.#lsn });
    }
    const rest = await this.#rest(scanner.recordEnd);
    const behind: Damage | undefined = rest.isBlank
      ? undefined
      : { offset: scanner.recordEnd, reason: 'header' };
    return { ...this.#result(true), ...(behind && { behind }) };
  }

  /** The records end here without a seal. */
  async #atEnd(damage: Damage | undefined): Promise<SegmentScan> {
    if (this.#anchor !== undefined) {
      return { ...this.#result(false), fault: { ...(damage ?? this.#missing()), isTorn: false } };
    }
    const offset = damage?.offset ?? this.#reader.scanner.position;
    const rest = await this.#rest(offset);
    if (damage === undefined && rest.isBlank && !this.#isGroupOpen) return this.#result(false);
    const isTorn = rest.isBlank || !(await this.#isLaterGroupAhead());
    return { ...this.#result(false), fault: { ...(damage ?? this.#missing()), isTorn } };
  }

  #missing(): Damage {
    return { offset: this.#end, reason: 'truncated' };
  }

  /** Whether a record that was written after the damaged group had become durable follows. */
  async #isLaterGroupAhead(): Promise<boolean> {
    const { scanner } = this.#reader;
    const group = this.#isGroupOpen ? this.#lsn - this.#index : this.#lsn + 1;
    for (;;) {
      const found = scanner.seek();
      if (found === 'end') return false;
      if (found === 'more') {
        await this.#reader.fill();
        continue;
      }
      for (let step = scanner.next(); ; step = scanner.next()) {
        const { kind, lsnLow, index } = scanner.prefix;
        if (step === 'more') {
          await this.#reader.fill();
          continue;
        }
        // Of a record cut short, too, the prefix was read.
        const known = step === 'record' || scanner.begunPrefix;
        if (known && kind === recordKinds.seal) return true;
        if (known && resolveLsn(lsnLow, this.#lsn + 1) - index !== group) return true;
        break;
      }
    }
  }

  async #rest(from: number): Promise<{ readonly isBlank: boolean }> {
    const { file, size } = this.#segment;
    const window = new Uint8Array(Math.min(64 * 1024, Math.max(0, size - from)));
    for (let at = from; at < size; at += window.length) {
      const count = await file.read(window.subarray(0, Math.min(window.length, size - at)), at);
      if (!isBlank(window, 0, count)) return { isBlank: false };
    }
    return { isBlank: true };
  }

  #fault(reason: Damage['reason'], facts: Partial<Damage> = {}): SegmentScan {
    const offset = this.#end;
    return { ...this.#result(false), fault: { offset, reason, ...facts, isTorn: false } };
  }

  #result(isSealed: boolean): SegmentScan {
    return {
      lastLsn: this.#lsn,
      records: this.#lsn - this.#segment.header.firstLsn + 1,
      end: this.#end,
      running: this.#running >>> 0,
      timeMs: this.#timeMs,
      groupStart: this.#groupStart,
      settledLsn: this.#settledLsn,
      isSealed,
    };
  }
}
