/** Compression levels are checked when a compressor is made, not when the first file is written. */
import { LodeError } from '../../errors.ts';

export function levelWithin(level: number, min: number, max: number): void {
  if (Number.isInteger(level) && level >= min && level <= max) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'there is no such compression level', {
    field: 'level',
    expected: `an integer from ${min} to ${max}`,
    actual: String(level),
  });
}
