/**
 * Thrift compact protocol, reading side: what footers and page headers are written in.
 *
 * Built for hostile bytes: nothing is allocated for a declared size before the bytes are there, depth is bounded, and
 * members nobody asked for are skipped without being materialised.
 */
import { corrupt } from './place.ts';
import type { Place } from './place.ts';

const thriftType = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** Parquet's own metadata nests to 7 at most. */
const depthMax = 24;

export class ThriftReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #place: Place;
  #depth = 0;

  constructor(bytes: Uint8Array, at: number, place: Place) {
    this.#bytes = bytes;
    this.at = at;
    this.#place = place;
  }

  /** Reads a struct; `visit` answers true for a field it has consumed, others are skipped. */
  struct(visit: (id: number, type: number) => boolean): void {
    if (++this.#depth > depthMax) throw this.#fail('metadata nests too deep');
    let id = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 0x0f;
      if (type === 0) break;
      const step = head >> 4;
      id = step === 0 ? this.int() : id + step;
      if (!visit(id, type)) this.#skip(type);
    }
    this.#depth--;
  }

  /** Reads a list of elements that take at least one byte each. */
  list<T>(type: number, read: (type: number) => T): T[] {
    this.#want(type, thriftType.list);
    if (++this.#depth > depthMax) throw this.#fail('metadata nests too deep');
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    if (count > this.#bytes.length - this.at) throw this.#fail('a list is longer than its bytes');
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(head & 0x0f));
    this.#depth--;
    return items;
  }

  binary(type: number): Uint8Array {
    this.#want(type, thriftType.binary);
    const length = this.#varint();
    if (length > this.#bytes.length - this.at)
      throw this.#fail('a string is longer than its bytes');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** A zigzag integer of any declared width, refused when not exact as a number. */
  int(type: number = thriftType.i64): number {
    if (type === thriftType.byte) return (this.#byte() << 24) >> 24;
    if (type < thriftType.i16 || type > thriftType.i64) throw this.#fail('expected an integer');
    const raw = this.#varint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** An integer that counts or locates something. */
  count(type: number): number {
    const value = this.int(type);
    if (value < 0 || !Number.isSafeInteger(value))
      throw this.#fail('a count or offset is negative');
    return value;
  }

  bool(type: number): boolean {
    if (type !== thriftType.true && type !== thriftType.false)
      throw this.#fail('expected a boolean');
    return type === thriftType.true;
  }

  #want(type: number, wanted: number): void {
    if (type !== wanted) throw this.#fail('metadata has a member of another type');
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw this.#fail('metadata ends early');
    this.at++;
    return byte;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.#fail('an integer is absurdly large');
        return value;
      }
      scale *= 128;
    }
    throw this.#fail('an integer does not end');
  }

  #skip(type: number): void {
    if (type === thriftType.true || type === thriftType.false) return;
    if (type === thriftType.byte) this.#byte();
    else if (type >= thriftType.i16 && type <= thriftType.i64) this.#skipVarint();
    else if (type === thriftType.double) this.#advance(8);
    else if (type === thriftType.binary) this.binary(type);
    else if (type === thriftType.list || type === thriftType.set) this.#skipList();
    else if (type === thriftType.struct) this.struct(() => false);
    else throw this.#fail('metadata has a member of an unknown type');
  }

  /** Unknown members may hold any 64-bit integer. */
  #skipVarint(): void {
    for (let i = 0; i < 10; i++) if (this.#byte() < 0x80) return;
    throw this.#fail('an integer does not end');
  }

  #skipList(): void {
    this.list(thriftType.list, (item) => {
      if (item === thriftType.true || item === thriftType.false) this.#byte();
      else this.#skip(item);
      return undefined;
    });
  }

  #advance(count: number): void {
    if (count > this.#bytes.length - this.at) throw this.#fail('metadata ends early');
    this.at += count;
  }

  #fail(what: string): Error {
    return corrupt({ ...this.#place, offset: this.#place.offset + this.at }, what);
  }
}
