/**
 * A growing buffer of UTF-8 text.
 *
 * Most strings of a record are short and plain: copying their units one by one is cheaper than any call that encodes.
 * That, and no string being built, is what makes the writer faster than `JSON.stringify`.
 */

import { copyOf } from '../../bytes/index.ts';

const encoder = new TextEncoder();

/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const bytesPerUnitMax = 3;
/** Below this, room for the worst case is cheaper than knowing the exact length. */
const roomyUnitsMax = 65_536;
const firstBytes = 1024;
const keptBytesMax = 262_144;

/** 1 for each ASCII character that stands for itself in a JSON string as Go writes it. */
const plain: Uint8Array = new Uint8Array(128).map((_, code) =>
  code >= 0x20 && !'"\\<>&'.includes(String.fromCharCode(code)) ? 1 : 0,
);

export class ByteSink {
  #bytes = new Uint8Array(firstBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written since the last `take`, as bytes of its own. */
  take(): Uint8Array {
    const taken = copyOf(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = new Uint8Array(firstBytes);
    return taken;
  }

  /** Forgets what was written past `length`. */
  rewind(length: number): void {
    this.#length = length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    const target = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < values.length; i++) target[at++] = values[i] as number;
    this.#length = at;
  }

  /** The text as it is. */
  text(text: string): void {
    if (text.length > roomyUnitsMax) {
      const bytes = encoder.encode(text);
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
      return;
    }
    this.#reserve(text.length * bytesPerUnitMax);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** Text that is known to be short and ASCII. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const target = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) target[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** A short string in quotes; false, and nothing written, when it is not plain. */
  plainString(text: string): boolean {
    const { length } = text;
    this.#reserve(length + 2);
    const target = this.#bytes;
    let at = this.#length;
    target[at++] = 0x22;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f || plain[code] === 0) return false;
      target[at++] = code;
    }
    target[at++] = 0x22;
    this.#length = at;
    return true;
  }

  /** An integer of 32 bits. */
  integer(value: number): void {
    this.#reserve(11);
    let rest = value;
    if (rest < 0) {
      this.#bytes[this.#length++] = 0x2d;
      rest = -rest;
    }
    let at = this.#length + digits(rest);
    this.#length = at;
    do {
      const tenth = (rest / 10) | 0;
      this.#bytes[--at] = 0x30 + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function digits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}
