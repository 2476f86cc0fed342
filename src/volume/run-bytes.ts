/** The bytes of a run, written and read: numbers of seven bits a byte, raw bytes, short texts. */
import { utf8Decode, utf8Encode } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';

/** Longest text. */
const textBytesMax = 1024;

/** Bytes that grow as they are written. */
export class Writer {
  #bytes = new Uint8Array(1024);
  #at = 0;

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** Seven bits a byte, the lowest first. Up to 2^53 - 1. */
  number(value: number): void {
    this.#room(8);
    for (; value >= 128; value = Math.floor(value / 128))
      this.#bytes[this.#at++] = (value % 128) + 128;
    this.#bytes[this.#at++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  text(text: string): void {
    const bytes = utf8Encode(text);
    this.number(bytes.length);
    this.raw(bytes);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Bytes of a run, read from the start; every fault names the key and the offset. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #key: string;
  #at = 0;

  constructor(bytes: Uint8Array, key: string) {
    this.#bytes = bytes;
    this.#key = key;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw this.fault('it ends early');
    return value;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (!Number.isSafeInteger(value)) throw this.fault('a number is past 2^53');
      if (byte < 128) return value;
    }
  }

  raw(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw this.fault('it ends early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  text(): string {
    const count = this.number();
    const text = count > textBytesMax ? undefined : utf8Decode(this.raw(count));
    if (text === undefined) throw this.fault('a checksum is no text');
    return text;
  }

  fault(why: string): LodeError {
    return new LodeError('LODE_MANIFEST_INVALID', `this is not a run of blocks: ${why}`, {
      key: this.#key,
      offset: this.#at,
    });
  }
}
