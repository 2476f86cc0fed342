/**
 * Snappy raw blocks, writing side: greedy matches found by a hash of four bytes, within blocks of 64 KiB so that every copy
 * fits two bytes of distance; quick to give up on what does not repeat.
 */

const blockBytes = 1 << 16;
const tableBits = 14;
/** Input this near the end of a block is not searched: a match needs bytes to extend into. */
const margin = 15;

export function snappyCompress(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6));
  let to = 0;
  for (let rest = input.length; ; rest = Math.floor(rest / 128)) {
    out[to++] = rest > 127 ? (rest & 127) | 128 : rest;
    if (rest <= 127) break;
  }
  const table = new Uint16Array(1 << tableBits);
  for (let start = 0; start < input.length; start += blockBytes) {
    const end = Math.min(start + blockBytes, input.length);
    if (start > 0) table.fill(0);
    to = compressBlock(input, start, end, table, out, to);
  }
  return out.slice(0, to);
}

function load(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function compressBlock(
  input: Uint8Array,
  start: number,
  end: number,
  table: Uint16Array,
  out: Uint8Array,
  from: number,
): number {
  const last = end - margin;
  let to = from;
  let literal = start;
  let at = start + 1;
  let misses = 32;
  while (at < last) {
    const word = load(input, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits);
    const candidate = start + (table[slot] as number);
    table[slot] = at - start;
    if (candidate >= at || load(input, candidate) !== word) {
      // The longer nothing matches, the larger the steps.
      at += misses++ >> 5;
      continue;
    }
    if (at > literal) to = putLiteral(input, literal, at, out, to);
    let length = 4;
    while (at + length < end && input[candidate + length] === input[at + length]) length++;
    to = putCopy(at - candidate, length, out, to);
    at += length;
    literal = at;
    misses = 32;
  }
  return literal < end ? putLiteral(input, literal, end, out, to) : to;
}

function putLiteral(
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
): number {
  const length = end - start - 1;
  let to = from;
  if (length < 60) out[to++] = length << 2;
  else if (length < 256) {
    out[to++] = 60 << 2;
    out[to++] = length;
  } else {
    out[to++] = 61 << 2;
    out[to++] = length & 255;
    out[to++] = length >> 8;
  }
  if (length < 24) for (let i = start; i < end; i++) out[to++] = input[i] as number;
  else {
    out.set(input.subarray(start, end), to);
    to += length + 1;
  }
  return to;
}

function putCopy(distance: number, total: number, out: Uint8Array, from: number): number {
  let to = from;
  let length = total;
  // Copies are of 64 at most; what is left over must not fall below four, the least a short copy holds.
  while (length >= 68) {
    to = putFar(distance, 64, out, to);
    length -= 64;
  }
  if (length > 64) {
    to = putFar(distance, 60, out, to);
    length -= 60;
  }
  if (length >= 12 || distance >= 2048) return putFar(distance, length, out, to);
  out[to++] = ((distance >> 8) << 5) | ((length - 4) << 2) | 1;
  out[to++] = distance & 255;
  return to;
}

function putFar(distance: number, length: number, out: Uint8Array, to: number): number {
  out[to] = ((length - 1) << 2) | 2;
  out[to + 1] = distance & 255;
  out[to + 2] = distance >> 8;
  return to + 3;
}
