/**
 * Small arrays cut from larger ones: an array of its own costs the engine about a microsecond to make and to collect.
 *
 * The price is that a slab stays in memory as long as anything cut from it does, so only small arrays are cut.
 */

const slabBytes = 64 * 1024;
/** Engines keep the smallest arrays on the heap, where making one costs next to nothing. */
export const inlineBytesMax: number = 64;
/** Larger ones are made on their own. */
export const cutBytesMax: number = 4 * 1024;

let slab = new Uint8Array(0);
let used = 0;

/** An array of `length` bytes whose content is undefined. */
export function cut(length: number): Uint8Array {
  if (length > cutBytesMax) return new Uint8Array(length);
  if (used + length > slab.length) {
    slab = new Uint8Array(slabBytes);
    used = 0;
  }
  const start = used;
  used += length;
  return slab.subarray(start, used);
}

/** A copy of `bytes`. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer is another view of the same bytes.
  if (bytes.length > cutBytesMax || bytes.length <= inlineBytesMax) return new Uint8Array(bytes);
  const copy = cut(bytes.length);
  copy.set(bytes);
  return copy;
}
