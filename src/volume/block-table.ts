/**
 * The blocks of a volume in columns: 49 bytes a block where objects would take hundreds, sorted by offset, searched in
 * O(log B). A table does not change once it is made.
 */
import type { VolumeRange } from '../errors.ts';
import { Digests } from './digests.ts';
import type { Reader, Writer } from './run-bytes.ts';

/** A block without its key, which follows from its range. */
export interface Span extends VolumeRange {
  readonly checksum?: string | undefined;
}

/** Blocks in ascending order, none of which overlaps another. */
export interface VolumeBlocks {
  readonly count: number;
  /** Sum of the lengths. */
  readonly bytes: number;
  /** Those that end after `offset`, in order. */
  from(offset: number): Iterable<Span>;
}

export class BlockTable implements VolumeBlocks {
  readonly count: number;
  readonly bytes: number;
  readonly #offsets: Float64Array;
  readonly #lengths: Float64Array;
  readonly #digests: Digests;

  constructor(offsets: Float64Array, lengths: Float64Array, digests: Digests) {
    this.count = offsets.length;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#digests = digests;
    let bytes = 0;
    for (let i = 0; i < lengths.length; i++) bytes += lengths[i] ?? 0;
    this.bytes = bytes;
  }

  static of(spans: Iterable<Span>): BlockTable {
    const builder = new BlockTableBuilder();
    for (const { offset, length, checksum } of spans) builder.add(offset, length, checksum);
    return builder.finish();
  }

  *from(offset: number): Generator<Span> {
    for (let i = this.search(offset); i < this.count; i++) yield this.at(i);
  }

  at(i: number): Span {
    const checksum = this.#digests.get(i);
    const offset = this.#offsets[i] ?? 0;
    const length = this.#lengths[i] ?? 0;
    // Not spread: copying an object takes longer than everything else here.
    return checksum === undefined ? { offset, length } : { offset, length, checksum };
  }

  offsetAt(i: number): number {
    return this.#offsets[i] ?? 0;
  }

  endAt(i: number): number {
    return (this.#offsets[i] ?? 0) + (this.#lengths[i] ?? 0);
  }

  /** Index of the first block that ends after `offset`; `count` when there is none. */
  search(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.endAt(middle) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Both in one. They must not overlap. */
  merged(other: BlockTable): BlockTable {
    if (other.count === 0) return this;
    if (this.count === 0) return other;
    const builder = new BlockTableBuilder(this.count + other.count);
    let i = 0;
    for (let j = 0; j < other.count; j++) {
      while (i < this.count && this.offsetAt(i) < other.offsetAt(j)) builder.take(this, i++);
      builder.take(other, j);
    }
    while (i < this.count) builder.take(this, i++);
    return builder.finish();
  }

  /** The blocks at these indexes, in this order. */
  picked(indexes: Uint32Array): BlockTable {
    const builder = new BlockTableBuilder(indexes.length);
    for (const i of indexes) builder.take(this, i);
    return builder.finish();
  }

  digestTo(i: number, out: Writer): void {
    this.#digests.write(i, out);
  }

  digestInto(digests: Digests, at: number, i: number): void {
    digests.copy(at, this.#digests, i);
  }
}

/** Takes blocks in any order. */
export class BlockTableBuilder {
  #offsets: Float64Array;
  #lengths: Float64Array;
  readonly #digests: Digests;
  #count = 0;
  #isSorted = true;

  constructor(capacity = 16) {
    this.#offsets = new Float64Array(capacity);
    this.#lengths = new Float64Array(capacity);
    this.#digests = new Digests(capacity);
  }

  add(offset: number, length: number, checksum: string | undefined): void {
    this.#digests.set(this.#next(offset, length), checksum);
  }

  /** The checksum is ASCII text between these places; none where they are one. */
  addAscii(offset: number, length: number, bytes: Uint8Array, start: number, end: number): void {
    const i = this.#next(offset, length);
    if (end > start) this.#digests.setAscii(i, bytes, start, end);
  }

  /** The checksum is read from a run. */
  addFrom(offset: number, length: number, from: Reader): void {
    this.#digests.read(this.#next(offset, length), from);
  }

  take(table: BlockTable, i: number): void {
    const offset = table.offsetAt(i);
    table.digestInto(this.#digests, this.#next(offset, table.endAt(i) - offset), i);
  }

  finish(): BlockTable {
    const count = this.#count;
    if (count < this.#offsets.length) this.#resize(count);
    const table = new BlockTable(this.#offsets, this.#lengths, this.#digests);
    if (this.#isSorted) return table;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    return table.picked(order.sort((a, b) => table.offsetAt(a) - table.offsetAt(b)));
  }

  /** Makes room; answers the index of the block. */
  #next(offset: number, length: number): number {
    const i = this.#count++;
    if (i === this.#offsets.length) this.#resize(Math.max(16, i * 2));
    if (i > 0 && offset < (this.#offsets[i - 1] ?? 0)) this.#isSorted = false;
    this.#offsets[i] = offset;
    this.#lengths[i] = length;
    return i;
  }

  #resize(capacity: number): void {
    this.#offsets = resized(this.#offsets, capacity);
    this.#lengths = resized(this.#lengths, capacity);
    this.#digests.resize(capacity);
  }
}

function resized(column: Float64Array, capacity: number): Float64Array {
  if (capacity <= column.length) return column.slice(0, capacity);
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

/** The first two neighbours that share a byte. */
export function overlapIn(blocks: VolumeBlocks): readonly [Span, Span] | undefined {
  let last: Span | undefined;
  for (const block of blocks.from(0)) {
    // Not the sum of offset and length: in hostile data it may be past 2^53.
    if (last !== undefined && last.length > block.offset - last.offset) return [last, block];
    last = block;
  }
  return undefined;
}
