/** Byte ranges: checked before anything else, clipped to the object once its size is known. */
import { LodeError } from '../errors.ts';
import type { ByteRange } from './store.ts';

export interface ClippedRange {
  readonly offset: number;
  readonly length: number;
}

/** Throws `LODE_INVALID_ARGUMENT` unless every number is a safe integer from 0 and the end is one too. */
export function checkRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  if ('suffix' in range) return checkNumber('range.suffix', range.suffix);
  checkNumber('range.offset', range.offset);
  if (!('length' in range)) return;
  checkNumber('range.length', range.length);
  checkNumber('range.offset + range.length', range.offset + range.length);
}

/** The part of an object of `size` bytes that a (checked) range names; empty past the end. */
export function clipRange(range: ByteRange | undefined, size: number): ClippedRange {
  if (range === undefined) return { offset: 0, length: size };
  if ('suffix' in range) {
    const length = Math.min(range.suffix, size);
    return { offset: size - length, length };
  }
  const offset = Math.min(range.offset, size);
  const rest = size - offset;
  return { offset, length: 'length' in range ? Math.min(range.length, rest) : rest };
}

function checkNumber(field: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'range is not one of bytes', {
    field,
    expected: 'an integer from 0 to 2^53 - 1',
    actual: String(value),
  });
}
