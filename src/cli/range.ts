/** Sizes and ranges as a caller types them: 4096, 64KiB; 0-4096, 4096+512, 1MiB-. */
import type { VolumeRange } from 'lode';
import { usage } from './command.ts';

const powers = { '': 0, k: 1, m: 2, g: 3, t: 4 } as const;

/** A number of bytes: kB, MB, GB, TB count in thousands, KiB, MiB, GiB, TiB in 1024s. */
export function sizeOf(text: string): number {
  const [, count, unit = '', binary] = /^(\d{1,16})(?:([kmgt])(i?))?b?$/i.exec(text) ?? [];
  const power = powers[unit.toLowerCase() as keyof typeof powers];
  const bytes = Number(count) * (binary ? 1024 : 1000) ** power;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw usage('a size is a number of bytes such as 4096, 64KiB or 1GB', text);
}

/** `A-B` ends before `B`, `A-` at the end of the volume, `A+L` is `L` bytes long. */
export function rangeOf(text: string, length: number): VolumeRange {
  const [, from = '', sign, to = ''] = /^([^-+]+)([-+])([^-+]*)$/.exec(text) ?? [];
  if (sign === undefined || (sign === '+' && to === ''))
    throw usage('a range is FROM-TO, FROM- or OFFSET+LENGTH', text);
  const offset = sizeOf(from);
  if (sign === '+') return { offset, length: sizeOf(to) };
  const end = to === '' ? length : sizeOf(to);
  if (end > offset) return { offset, length: end - offset };
  throw usage('a range ends after it begins: TO is not a part of it', text);
}

export function rangeText({ offset, length }: VolumeRange): string {
  return `${offset}+${length}`;
}
