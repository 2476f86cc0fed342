/** The blocks of a compact manifest: references to runs, and the recent blocks it holds itself. */
import { LodeError } from '../../errors.ts';
import type { Members } from '../../manifest/index.ts';
import { UnreadStack } from '../block-stack.ts';
import type { RunRef } from '../block-stack.ts';
import type { BlockTable } from '../block-table.ts';
import { BlockTableBuilder, overlapIn } from '../block-table.ts';
import { isRunId } from '../keys.ts';

/** What the blocks of a manifest have to keep within. */
export interface Frame {
  readonly volumeId: string;
  readonly totalLength: number;
  readonly blocksMax: number;
  readonly bytesMax: number;
}

/** Far more than a writer of ours leaves: three of each size class. */
const runsMax = 1024;

export function stackOf(m: Members, frame: Frame): UnreadStack {
  // Whoever reads only that would take a part for the whole.
  if (m.value('blocks') !== undefined)
    throw m.fault('blocks', 'none beside runs', m.value('blocks'));
  const entries = m.array('runs');
  if (entries.length > runsMax) throw tooMany(m, 'runs', runsMax, entries.length);
  const refs = entries.map((entry, i) => runOf(m, entry, i, frame));
  if (new Set(refs.map(({ id }) => id)).size < refs.length)
    throw m.fault('runs', 'each run once', 'one twice');
  const stack = new UnreadStack(refs, recentOf(m, frame));
  assertCount(m, stack.count, frame.blocksMax);
  if (stack.bytes > frame.totalLength)
    throw m.fault('runs', 'no more bytes than the volume has', stack.bytes);
  return stack;
}

/** `[id, blocks, bytes of the object, bytes covered, checksum]`. */
function runOf(m: Members, entry: unknown, i: number, { bytesMax }: Frame): RunRef {
  const [id, count, sizeBytes, coveredBytes, checksum] = arrayOf(m, entry, `runs[${i}]`);
  const isWhole = [count, sizeBytes, coveredBytes].every(
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
  );
  const isNamed = typeof id === 'string' && isRunId(id) && typeof checksum === 'string';
  if (!isWhole || !isNamed || !/^crc32c:[0-9a-f]{8}$/.test(checksum))
    throw m.fault(`runs[${i}]`, 'the id, sizes and checksum of a run', entry);
  const run = { id, checksum, count: count as number, sizeBytes: sizeBytes as number };
  if (run.sizeBytes > bytesMax) throw tooMany(m, `runs[${i}]`, bytesMax, run.sizeBytes);
  return { ...run, coveredBytes: coveredBytes as number };
}

/** `[offset, length, checksum]`, the last if it has one. */
function recentOf(m: Members, { totalLength, blocksMax }: Frame): BlockTable {
  const entries = m.array('recent');
  assertCount(m, entries.length, blocksMax);
  const builder = new BlockTableBuilder(entries.length);
  entries.forEach((entry, i) => {
    const [offset, length, checksum] = arrayOf(m, entry, `recent[${i}]`);
    const isRange =
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(length) &&
      (offset as number) >= 0 &&
      (length as number) > 0 &&
      (length as number) <= totalLength - (offset as number);
    const isText = checksum === undefined || (typeof checksum === 'string' && checksum !== '');
    if (!isRange || !isText) throw m.fault(`recent[${i}]`, 'a block within the volume', entry);
    builder.add(offset as number, length as number, checksum);
  });
  return disjoint(m, builder.finish(), 'recent');
}

function arrayOf(m: Members, entry: unknown, field: string): readonly unknown[] {
  if (Array.isArray(entry)) return entry as readonly unknown[];
  throw m.fault(field, 'an array', entry);
}

export function assertCount(m: Members, count: number, blocksMax: number): void {
  if (count > blocksMax) throw tooMany(m, 'blocks', blocksMax, count);
}

function tooMany(m: Members, field: string, expected: number, actual: number): LodeError {
  return new LodeError('LODE_LIMIT_EXCEEDED', 'a manifest lists more than the limit', {
    key: m.key,
    field,
    expected,
    actual,
  });
}

export function disjoint(m: Members, blocks: BlockTable, field: string): BlockTable {
  const overlap = overlapIn(blocks);
  if (overlap === undefined) return blocks;
  const [{ offset, length }, second] = overlap;
  throw m.fault(field, `none before ${offset + length}`, second.offset);
}
