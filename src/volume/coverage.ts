/** Which bytes of a snapshot are there, and which are not. Gaps are facts: nothing is ever filled in for them. */
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import type { VolumeBlocks } from './block-table.ts';
import type { VolumeManifest } from './manifest/index.ts';

/** What is there, neighbouring blocks joined. */
export function covered(blocks: VolumeBlocks): VolumeRange[] {
  const ranges: { offset: number; length: number }[] = [];
  for (const { offset, length } of blocks.from(0)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else ranges.push({ offset, length });
  }
  return ranges;
}

/** What is not there of `range`. */
export function gapsIn(blocks: VolumeBlocks, { offset, length }: VolumeRange): VolumeRange[] {
  const end = offset + length;
  const gaps: VolumeRange[] = [];
  let at = offset;
  for (const block of blocks.from(offset)) {
    if (block.offset >= end) break;
    if (block.offset > at) gaps.push({ offset: at, length: block.offset - at });
    at = block.offset + block.length;
  }
  if (at < end) gaps.push({ offset: at, length: end - at });
  return gaps;
}

/** Refuses to read bytes that are not there: `LODE_RANGE_MISSING` with every gap. */
export function assertCovered(manifest: VolumeManifest, range: VolumeRange): void {
  const gaps = gapsIn(manifest.blocks, range);
  const [first] = gaps;
  if (first === undefined) return;
  const what =
    gaps.length === 1 ? 'bytes are missing' : `bytes are missing in ${gaps.length} places`;
  throw new LodeError('LODE_RANGE_MISSING', what, {
    volume: manifest.volumeId,
    snapshot: manifest.snapshotId,
    offset: first.offset,
    expected: `bytes ${range.offset} to ${range.offset + range.length}`,
    actual: `none from ${first.offset} to ${first.offset + first.length}`,
    gaps,
  });
}
