/** Delta-packed integers, and the string encodings built on them. */
import { corrupt, tooLarge } from './place.ts';
import type { Place } from './place.ts';
import { ByteSlices } from './slices.ts';
import { unpackWide } from './runs.ts';

const blockValuesMax = 1 << 16;

/** Walks over the bytes of one page. */
class Input {
  at = 0;
  readonly bytes: Uint8Array;
  readonly place: Place;

  constructor(bytes: Uint8Array, place: Place) {
    this.bytes = bytes;
    this.place = place;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw this.short();
    this.at++;
    return byte;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw corrupt(this.place, 'an integer does not end');
  }

  zigzag(): bigint {
    const raw = this.varint();
    return (raw >> 1n) ^ -(raw & 1n);
  }

  short(): Error {
    return corrupt(this.place, 'delta-packed values end early');
  }
}

interface Header {
  readonly miniblocks: number;
  readonly perMiniblock: number;
  readonly first: bigint;
}

function readHeader(input: Input, count: number): Header {
  const block = Number(input.varint());
  const miniblocks = Number(input.varint());
  const total = Number(input.varint());
  const first = input.zigzag();
  const perMiniblock = block / miniblocks;
  if (block < 8 || block > blockValuesMax || miniblocks < 1 || perMiniblock % 8 !== 0)
    throw corrupt(input.place, 'delta-packed values have an impossible block size');
  if (total !== count)
    throw corrupt(input.place, 'delta-packed values have another count than their page', {
      expected: count,
      actual: total,
    });
  return { miniblocks, perMiniblock, first };
}

/** Walks the blocks, handing each miniblock that holds values to `unpack`. */
function walkBlocks(
  input: Input,
  count: number,
  header: Header,
  unpack: (width: number, taken: number, done: number, least: bigint) => void,
): void {
  let done = 1;
  while (done < count) {
    const least = input.zigzag();
    const widthsAt = input.at;
    input.at += header.miniblocks;
    if (input.at > input.bytes.length) throw input.short();
    for (let i = 0; i < header.miniblocks && done < count; i++) {
      const width = input.bytes[widthsAt + i] as number;
      if (width > 64) throw corrupt(input.place, 'delta-packed values are wider than 64 bits');
      const taken = Math.min(header.perMiniblock, count - done);
      if (Math.ceil((taken * width) / 8) > input.bytes.length - input.at) throw input.short();
      unpack(width, taken, done, least);
      input.at += (header.perMiniblock * width) / 8;
      done += taken;
    }
  }
}

function int32s(input: Input, count: number): Int32Array {
  const header = readHeader(input, count);
  const out = new Int32Array(count);
  if (count === 0) return out;
  let value = Number(BigInt.asIntN(32, header.first));
  out[0] = value;
  walkBlocks(input, count, header, (width, taken, done, least) => {
    const step = Number(BigInt.asIntN(32, least));
    const take = (i: number, delta: number): void => {
      value = (value + step + delta) | 0;
      out[done + i] = value;
    };
    if (width === 0) for (let i = 0; i < taken; i++) take(i, 0);
    else if (width <= 32) unpackWide(input.bytes, input.at, width, taken, take);
    else
      for (let i = 0; i < taken; i++)
        take(i, Number(BigInt.asIntN(32, bitsAt(input.bytes, input.at, i * width, width))));
  });
  return out;
}

function bitsAt(bytes: Uint8Array, from: number, bit: number, width: number): bigint {
  let value = 0n;
  const last = (bit + width - 1) >> 3;
  for (let i = last; i >= bit >> 3; i--) value = (value << 8n) | BigInt(bytes[from + i] ?? 0);
  return BigInt.asUintN(width, value >> BigInt(bit & 7));
}

export function deltaInt32(bytes: Uint8Array, count: number, place: Place): Int32Array {
  return int32s(new Input(bytes, place), count);
}

export function deltaInt64(bytes: Uint8Array, count: number, place: Place): BigInt64Array {
  const input = new Input(bytes, place);
  const header = readHeader(input, count);
  const out = new BigInt64Array(count);
  if (count === 0) return out;
  let value = header.first;
  out[0] = value;
  walkBlocks(input, count, header, (width, taken, done, least) => {
    const take = (i: number, delta: bigint): void => {
      value = BigInt.asIntN(64, value + least + delta);
      out[done + i] = value;
    };
    if (width === 0) for (let i = 0; i < taken; i++) take(i, 0n);
    else if (width <= 45)
      unpackWide(input.bytes, input.at, width, taken, (i, delta) => take(i, BigInt(delta)));
    else for (let i = 0; i < taken; i++) take(i, bitsAt(input.bytes, input.at, i * width, width));
  });
  return out;
}

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. */
export function deltaLengths(bytes: Uint8Array, count: number, place: Place): ByteSlices {
  const input = new Input(bytes, place);
  const lengths = int32s(input, count);
  return slicesOf(bytes, Math.min(input.at, bytes.length), lengths, place);
}

/** DELTA_BYTE_ARRAY: how much of the value before to keep, then the rest of each. */
export function deltaStrings(
  bytes: Uint8Array,
  count: number,
  place: Place,
  bytesMax: number,
): ByteSlices {
  const input = new Input(bytes, place);
  const kept = int32s(input, count);
  const rest = bytes.subarray(Math.min(input.at, bytes.length));
  const suffixes = deltaLengths(rest, count, place);
  let size = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const prefix = kept[i] as number;
    if (prefix < 0 || prefix > previous)
      throw corrupt(place, 'a value keeps more of the value before than there is');
    previous = prefix + suffixes.length(i);
    size += previous;
    // Prefixes multiply: a few bytes can stand for any amount of text.
    if (size > bytesMax) throw tooLarge(place, 'a page decodes past the limit', bytesMax, size);
  }
  const out = new Uint8Array(size);
  const starts = new Int32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const prefix = kept[i] as number;
    const before = i === 0 ? 0 : (starts[i - 1] as number);
    out.copyWithin(at, before, before + prefix);
    out.set(suffixes.view(i), at + prefix);
    starts[i] = at;
    at += prefix + suffixes.length(i);
  }
  starts[count] = at;
  return new ByteSlices(out, starts, undefined);
}

function slicesOf(bytes: Uint8Array, from: number, lengths: Int32Array, place: Place): ByteSlices {
  const starts = new Int32Array(lengths.length + 1);
  let at = from;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i] as number;
    if (length < 0 || length > bytes.length - at)
      throw corrupt(place, 'a value is longer than its page');
    starts[i] = at;
    at += length;
  }
  starts[lengths.length] = at;
  return new ByteSlices(bytes, starts, undefined);
}
