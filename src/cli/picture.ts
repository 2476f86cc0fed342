/** Coverage as lines of characters. What is there in part never looks whole, nor empty. */
import type { VolumeRange } from 'lode';

const rowsMax = 8;
const partly = ['░', '▒', '▓'] as const;

interface Picture {
  readonly lines: readonly string[];
  /** Bytes that one character stands for: a power of two, as blocks mostly are. */
  readonly cellBytes: number;
}

/** @param covered  Ascending, none of which overlaps another. */
export function pictureOf(
  covered: readonly VolumeRange[],
  length: number,
  columns: number,
): Picture {
  const labelChars = String(length).length + 2;
  // In eights: lines begin at rounder offsets.
  const width = Math.max(8, Math.floor((columns - labelChars) / 8) * 8);
  let cellBytes = 1;
  while (Math.ceil(length / cellBytes) > width * rowsMax) cellBytes *= 2;
  const cells = cellsOf(covered, length, cellBytes);
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += width) {
    const label = String(at * cellBytes).padStart(labelChars - 2);
    lines.push(`${label}  ${cells.slice(at, at + width).join('')}`);
  }
  return { lines, cellBytes };
}

function cellsOf(covered: readonly VolumeRange[], length: number, cellBytes: number): string[] {
  const bytes = new Float64Array(Math.ceil(length / cellBytes));
  for (const { offset, length: count } of covered) {
    const end = offset + count;
    for (let at = offset; at < end;) {
      const cell = Math.floor(at / cellBytes);
      const next = Math.min(end, (cell + 1) * cellBytes);
      bytes[cell] = (bytes[cell] ?? 0) + next - at;
      at = next;
    }
  }
  return Array.from(bytes, (there, cell) => {
    const whole = Math.min(cellBytes, length - cell * cellBytes);
    if (there === 0) return '·';
    return there === whole ? '█' : (partly[Math.floor((there / whole) * partly.length)] ?? '▓');
  });
}
