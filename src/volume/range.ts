/** Ranges of a volume: whole numbers, within it, not empty. */
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import { kindOf } from '../options.ts';

/** Refuses what is not a range of a volume of `totalLength` bytes. */
export function assertRange(volume: string, totalLength: number, range: VolumeRange): void {
  // Neither may be there: ranges come from other processes, as JSON.
  const { offset, length } = (range ?? {}) as VolumeRange;
  const wrong =
    fault('offset', offset, 0, totalLength - 1) ?? fault('length', length, 1, totalLength - offset);
  if (wrong === undefined) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this is not a range of the volume', {
    volume,
    ...wrong,
  });
}

function fault(
  field: string,
  value: unknown,
  min: number,
  max: number,
): { field: string; expected: string; actual: string | number } | undefined {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    return undefined;
  const actual = typeof value === 'number' ? value : kindOf(value);
  return { field, expected: `an integer from ${min} to ${max}`, actual };
}
