/** The hybrid of run lengths and bit packing that levels, dictionary indexes and booleans are written in. */
import { corrupt } from './place.ts';
import type { Place } from './place.ts';

/** Fills `out` from `bytes`; each value is `width` bits. Every run is checked against both ends before it is taken. */
export function readRuns(
  bytes: Uint8Array,
  width: number,
  out: Uint8Array | Int32Array,
  place: Place,
): void {
  if (width > 31)
    throw corrupt(place, 'values are wider than the format allows', { actual: width });
  let at = 0;
  let done = 0;
  while (done < out.length) {
    let header = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 35)
        throw corrupt(place, 'a page has fewer values than its header says', {
          expected: out.length,
          actual: done,
        });
      header += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    const left = out.length - done;
    if (header % 2 === 1) {
      const groups = (header - 1) / 2;
      // The last group may be cut short by writers that drop its padding.
      const count = Math.min(groups * 8, left);
      if (Math.ceil((count * width) / 8) > bytes.length - at)
        throw corrupt(place, 'a bit-packed run is longer than its page');
      unpackBits(bytes, at, width, out, done, count);
      at += groups * width;
      done += count;
    } else {
      const count = Math.min(header / 2, left);
      const size = (width + 7) >> 3;
      if (size > bytes.length - at) throw corrupt(place, 'a run is longer than its page');
      let value = 0;
      for (let i = 0; i < size; i++) value |= (bytes[at + i] as number) << (8 * i);
      if (value >= 2 ** width) throw corrupt(place, 'a value is wider than its run');
      out.fill(value, done, done + count);
      at += size;
      done += count;
    }
  }
}

function unpackBits(
  bytes: Uint8Array,
  from: number,
  width: number,
  out: Uint8Array | Int32Array,
  start: number,
  count: number,
): void {
  if (width === 1) {
    for (let i = 0; i < count; i++)
      out[start + i] = ((bytes[from + (i >> 3)] as number) >> (i & 7)) & 1;
    return;
  }
  if (width === 8) {
    for (let i = 0; i < count; i++) out[start + i] = bytes[from + i] as number;
    return;
  }
  let at = from;
  let bits = 0;
  let have = 0;
  if (width <= 24) {
    const mask = 2 ** width - 1;
    for (let i = 0; i < count; i++) {
      while (have < width) {
        bits |= (bytes[at++] as number) << have;
        have += 8;
      }
      out[start + i] = bits & mask;
      bits >>>= width;
      have -= width;
    }
    return;
  }
  unpackWide(bytes, from, width, count, (i, value) => {
    out[start + i] = value;
  });
}

/** Up to 45 bits a value, by exact arithmetic on doubles. */
export function unpackWide(
  bytes: Uint8Array,
  from: number,
  width: number,
  count: number,
  take: (index: number, value: number) => void,
): void {
  const modulus = 2 ** width;
  let at = from;
  let bits = 0;
  let have = 0;
  for (let i = 0; i < count; i++) {
    while (have < width) {
      bits += (bytes[at++] as number) * 2 ** have;
      have += 8;
    }
    const value = bits % modulus;
    take(i, value);
    bits = (bits - value) / modulus;
    have -= width;
  }
}
