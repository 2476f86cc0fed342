/** Snappy raw blocks, reading side. Output never exceeds the size the page declared. */
import { corrupt } from './place.ts';
import type { Place } from './place.ts';

export function snappyDecompress(input: Uint8Array, size: number, place: Place): Uint8Array {
  let at = 0;
  let declared = 0;
  let shift = 0;
  for (;;) {
    const byte = input[at++];
    if (byte === undefined || shift > 28) throw corrupt(place, 'a Snappy block has no length');
    declared += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) break;
  }
  if (declared !== size)
    throw corrupt(place, 'a Snappy block has another size than its page', {
      expected: size,
      actual: declared,
    });
  // An element of three bytes yields 64 at most: more than that is a lie, told before memory is taken for it.
  if (size > (input.length - at) * 24) throw corrupt(place, 'a Snappy block is too short');
  return expand(input, at, new Uint8Array(size), place);
}

function expand(input: Uint8Array, start: number, output: Uint8Array, place: Place): Uint8Array {
  let at = start;
  let to = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    let length = (tag >> 2) + 1;
    let distance = 0;
    if ((tag & 3) === 0) {
      if (length > 60) {
        const extra = length - 60;
        length = little(input, at, extra) + 1;
        at += extra;
      }
      if (at + length > input.length || to + length > output.length)
        throw corrupt(place, 'a Snappy literal runs past the end');
      if (length > 16) output.set(input.subarray(at, at + length), to);
      else for (let i = 0; i < length; i++) output[to + i] = input[at + i] as number;
      at += length;
      to += length;
      continue;
    }
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance = ((tag >> 5) << 8) | (input[at] ?? 0);
      at += 1;
    } else if ((tag & 3) === 2) {
      distance = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8);
      at += 2;
    } else {
      distance = little(input, at, 4);
      at += 4;
    }
    if (at > input.length || distance === 0 || distance > to || to + length > output.length)
      throw corrupt(place, 'a Snappy copy reaches outside the block');
    // Overlapping on purpose: a copy may repeat bytes it has just written.
    for (let i = 0; i < length; i++) output[to + i] = output[to + i - distance] as number;
    to += length;
  }
  if (to !== output.length) throw corrupt(place, 'a Snappy block ends early');
  return output;
}

function little(input: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += (input[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}
