/**
 * Lays out records in frames, a group at a time, for one write to the file.
 *
 * The checksum of a record's first frame is made when the next record begins or the group is taken: only then is it known whether it
 * is the last of its group, which it says itself. Those of its other frames are made at once, while their bytes are at hand.
 */
import { crc32cWord } from '../../encoding/checksums/crc32c.ts';
import { FrameChecksums, frameHeaderBytes, frameTypes, pageBytes } from './frame.ts';
import { encodePrefix, lastOfGroup, prefixBytesMax } from './record.ts';
import type { RecordPrefix } from './record.ts';

/** Where a group begins in a file. */
interface GroupStart {
  readonly logNumber: number;
  readonly position: number;
  /** Running checksum of the file before the group. */
  readonly running: number;
}

export class FrameWriter {
  readonly logNumber: number;
  /** Offset in the file of the first byte. */
  readonly position: number;
  readonly #checksums: FrameChecksums;
  readonly #prefix: Uint8Array = new Uint8Array(prefixBytesMax);
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  #running: number;
  /** Start of the record whose checksums are still to be made, and where its first byte of content is. */
  #openAt = -1;
  #flagsAt = 0;

  /** @param buffer  To write into, for as long as it suffices; its content does not matter. */
  constructor(start: GroupStart, checksums?: FrameChecksums, buffer?: Uint8Array) {
    this.logNumber = start.logNumber;
    this.position = start.position;
    this.#running = start.running;
    this.#checksums = checksums ?? new FrameChecksums(start.logNumber);
    this.#bytes = buffer ?? new Uint8Array(4096);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  get end(): number {
    return this.position + this.#length;
  }

  add(prefix: RecordPrefix, parts: readonly Uint8Array[]): void {
    this.#finish(false);
    let left = encodePrefix(this.#prefix, prefix);
    const first = this.#prefix.subarray(0, left);
    for (const part of parts) left += part.length;
    this.#reserve(left);
    this.#openAt = this.#length;
    this.#flagsAt = -1;
    let part: Uint8Array = first;
    let index = -1;
    let taken = 0;
    for (let begun = false; !begun || left > 0; begun = true) {
      const room = this.#pad() - frameHeaderBytes;
      const size = Math.min(room, left);
      left -= size;
      const type =
        left === 0
          ? begun
            ? frameTypes.last
            : frameTypes.full
          : begun
            ? frameTypes.middle
            : frameTypes.first;
      const at = this.#length;
      this.#header(type, size);
      // Content: the prefix, then the parts, in as many pieces as the frame takes.
      for (let free = size; free > 0;) {
        if (taken === part.length) {
          part = parts[++index] as Uint8Array;
          taken = 0;
          continue;
        }
        const count = Math.min(free, part.length - taken);
        if (this.#flagsAt === -1) this.#flagsAt = this.#length;
        this.#bytes.set(
          taken === 0 && count === part.length ? part : part.subarray(taken, taken + count),
          this.#length,
        );
        this.#length += count;
        taken += count;
        free -= count;
      }
      if (begun) this.#seal(at, this.#length);
    }
  }

  /** The group's bytes, its last record marked as such, and the running checksum behind it. */
  take(): { readonly bytes: Uint8Array; readonly running: number } {
    this.#finish(true);
    return { bytes: this.#bytes.subarray(0, this.#length), running: this.#running };
  }

  /** Zeros to the end of the page when no frame fits there. Returns the room in the page. */
  #pad(): number {
    const left = pageBytes - (this.end % pageBytes);
    if (left >= frameHeaderBytes) return left;
    this.#bytes.fill(0, this.#length, this.#length + left);
    this.#length += left;
    return pageBytes;
  }

  #header(type: number, size: number): void {
    const at = this.#length;
    this.#view.setUint16(at + 4, size, true);
    this.#bytes[at + 6] = type;
    this.#view.setUint32(at + 7, this.logNumber, true);
    this.#length = at + frameHeaderBytes;
  }

  #finish(isLast: boolean): void {
    if (this.#openAt === -1) return;
    const bytes = this.#bytes;
    if (isLast) bytes[this.#flagsAt] = (bytes[this.#flagsAt] as number) | lastOfGroup;
    for (let at = this.#openAt; at < this.#length;) {
      const left = pageBytes - ((this.position + at) % pageBytes);
      if (left < frameHeaderBytes) {
        at += left;
        continue;
      }
      const end = at + frameHeaderBytes + this.#view.getUint16(at + 4, true);
      if (at <= this.#flagsAt) this.#seal(at, end);
      this.#running = crc32cWord(this.#running, this.#view.getUint32(at, true));
      at = end;
    }
    this.#openAt = -1;
  }

  /** Makes the checksum of a frame. */
  #seal(at: number, end: number): void {
    const bytes = this.#bytes;
    const type = bytes[at + 6] as number;
    const checksum = this.#checksums.of(type, bytes, at + frameHeaderBytes, end);
    this.#view.setUint32(at, checksum, true);
  }

  /** Room for a record of `size` bytes with all its frame headers and page ends. */
  #reserve(size: number): void {
    const frames = Math.ceil(size / (pageBytes - frameHeaderBytes)) + 2;
    const needed = this.#length + size + frames * 2 * frameHeaderBytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
