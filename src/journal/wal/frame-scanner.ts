/**
 * Finds records in the bytes of a file, window by window, and stops at whatever is no record. It reads nothing itself and
 * keeps its fields in place: a million records make no million objects.
 *
 * After damage it can look for the next frame that verifies. That is how a torn end is told from damage in the middle.
 */
import { concat } from '../../bytes/index.ts';
import { crc32cWord } from '../../encoding/checksums/crc32c.ts';
import { FrameChecksums, frameHeaderBytes, frameTypes, pageBytes } from './frame.ts';
import { PrefixDecoder } from './record.ts';

/**
 * `record`: one whole record. `more`: give it the bytes from `position` on. `blank`: zeros where a frame would be. `end`:
 * the file ends on a record. `damage`: anything else; `damage` says what.
 */
type ScanStep = 'record' | 'more' | 'blank' | 'end' | 'damage';

export interface Damage {
  readonly offset: number;
  readonly reason: 'checksum' | 'truncated' | 'header' | 'padding' | 'sequence' | 'record';
  /** Checksums, masked, where they differ. */
  readonly expected?: number;
  readonly actual?: number;
}

export class FrameScanner {
  /** Prefix of the record found. */
  readonly prefix: PrefixDecoder = new PrefixDecoder();
  /** Where the record found begins. */
  recordStart = 0;
  /** Where the last record found ends. */
  recordEnd: number;
  damage: Damage | undefined;
  /** Whether `prefix` is that of the record begun last, even if the record is damaged further on. */
  begunPrefix = false;
  readonly #logNumber: number;
  readonly #checksums: FrameChecksums;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** File offset of `#bytes`, and the next one to look at. */
  #base = 0;
  #at: number;
  #isFinal = false;
  /** Where the content of the record found is. */
  #found: Uint8Array = this.#bytes;
  #foundStart = 0;
  #foundEnd = 0;
  /** Pieces of a record whose last frame is still to come. */
  #pieces: Uint8Array[] | undefined;
  /** As signed numbers, which take no memory of their own. */
  #running: number;
  #nextRunning: number;

  constructor(logNumber: number, position: number, running: number) {
    this.#logNumber = logNumber;
    this.#checksums = new FrameChecksums(logNumber);
    this.#at = position;
    this.recordEnd = position;
    this.#running = running | 0;
    this.#nextRunning = running | 0;
  }

  /** Content of the record found, after its prefix; lent until the next call. Made when asked for: that takes as long as a checksum. */
  get body(): Uint8Array {
    return this.#found.subarray(this.#foundStart, this.#foundEnd);
  }

  /** Over the checksums of all frames up to `recordEnd`. */
  get running(): number {
    return this.#running >>> 0;
  }

  /** The first byte it has no use for yet. */
  get position(): number {
    return this.#at;
  }

  /** @param isFinal  The file ends with these bytes. */
  load(bytes: Uint8Array, offset: number, isFinal: boolean): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = offset;
    this.#isFinal = isFinal;
  }

  next(): ScanStep {
    const bytes = this.#bytes;
    for (;;) {
      const at = this.#at - this.#base;
      const available = bytes.length - at;
      const room = pageBytes - (this.#at % pageBytes);
      if (room < frameHeaderBytes) {
        if (available < room && !this.#isFinal) return 'more';
        const end = Math.min(at + room, bytes.length);
        if (!isBlank(bytes, at, end)) return this.#damaged({ reason: 'padding' });
        if (available <= room && this.#isFinal) return this.#ended(true);
        this.#at += room;
        continue;
      }
      if (available < frameHeaderBytes) {
        if (!this.#isFinal) return 'more';
        return this.#ended(isBlank(bytes, at, bytes.length));
      }
      const size = this.#view.getUint16(at + 4, true);
      const type = bytes[at + 6] as number;
      const stored = this.#view.getUint32(at, true);
      if (type === 0 && isBlank(bytes, at, at + frameHeaderBytes)) {
        return this.#pieces === undefined ? 'blank' : this.#damaged({ reason: 'truncated' });
      }
      if (!this.#isHeader(at, room)) return this.#damaged({ reason: 'header' });
      const start = at + frameHeaderBytes;
      if (start + size > bytes.length) {
        return this.#isFinal ? this.#damaged({ reason: 'truncated' }) : 'more';
      }
      const actual = this.#checksums.of(type, bytes, start, start + size);
      if (actual !== stored) {
        return this.#damaged({ reason: 'checksum', expected: stored, actual });
      }
      const begins = type === frameTypes.full || type === frameTypes.first;
      if (begins !== (this.#pieces === undefined)) return this.#damaged({ reason: 'sequence' });
      if (begins) {
        this.recordStart = this.#at;
        this.begunPrefix =
          type === frameTypes.first && this.prefix.decode(bytes, start, start + size);
      }
      this.#nextRunning = crc32cWord(this.#nextRunning, stored) | 0;
      this.#at += frameHeaderBytes + size;
      if (type === frameTypes.full) return this.#complete(bytes, start, start + size);
      this.#pieces ??= [];
      this.#pieces.push(bytes.slice(start, start + size));
      if (type !== frameTypes.last) continue;
      const whole = concat(this.#pieces);
      return this.#complete(whole, 0, whole.length);
    }
  }

  /**
   * Goes on after damage to the next frame that begins a record and verifies: `record` when `next` will find it there. Bytes
   * that merely look like one are not taken: the log number and the checksum must fit.
   */
  seek(): 'record' | 'more' | 'end' {
    this.#pieces = undefined;
    const bytes = this.#bytes;
    for (;;) {
      const at = this.#at - this.#base;
      const room = pageBytes - (this.#at % pageBytes);
      if (at + frameHeaderBytes > bytes.length) return this.#isFinal ? 'end' : 'more';
      if (room < frameHeaderBytes) {
        this.#at += room;
        continue;
      }
      const type = bytes[at + 6] as number;
      const begins = type === frameTypes.full || type === frameTypes.first;
      if (begins && this.#isHeader(at, room)) {
        const start = at + frameHeaderBytes;
        const end = start + this.#view.getUint16(at + 4, true);
        if (end > bytes.length && !this.#isFinal) return 'more';
        const fits = end <= bytes.length;
        const stored = this.#view.getUint32(at, true);
        if (fits && this.#checksums.of(type, bytes, start, end) === stored) return 'record';
      }
      this.#at++;
    }
  }

  #isHeader(at: number, room: number): boolean {
    const type = this.#bytes[at + 6] as number;
    if (type < frameTypes.full || type > frameTypes.last) return false;
    if (this.#view.getUint32(at + 7, true) !== this.#logNumber) return false;
    return frameHeaderBytes + this.#view.getUint16(at + 4, true) <= room;
  }

  #complete(bytes: Uint8Array, start: number, end: number): ScanStep {
    this.#pieces = undefined;
    if (!this.prefix.decode(bytes, start, end)) {
      return this.#damaged({ reason: 'record', offset: this.recordStart });
    }
    this.#found = bytes;
    this.#foundStart = start + this.prefix.length;
    this.#foundEnd = end;
    this.recordEnd = this.#at;
    this.#running = this.#nextRunning;
    return 'record';
  }

  #ended(clean: boolean): ScanStep {
    return clean && this.#pieces === undefined ? 'end' : this.#damaged({ reason: 'truncated' });
  }

  #damaged(damage: Omit<Damage, 'offset'> & { readonly offset?: number }): ScanStep {
    this.#nextRunning = this.#running;
    this.damage = { offset: this.#at, ...damage };
    return 'damage';
  }
}

export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
