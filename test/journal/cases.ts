/** R8: segments that are missing, doubled, swapped, cut, stale or foreign, one by one, in every mode. */
import assert from 'node:assert/strict';
import { headerOf } from '../../src/journal/wal/segment-writer.ts';
import { decodeSegmentHeader } from '../../src/journal/wal/segment-header.ts';
import { FrameScanner } from '../../src/journal/wal/frame-scanner.ts';
import { FrameWriter } from '../../src/journal/wal/frame-writer.ts';
import { sealBytes } from '../../src/journal/wal/recover.ts';
import { diskWith, dir, look, modes, openAndGoOn, sampleLog } from './sample.ts';
import type { SampleSegment } from './sample.ts';
import type { Findings } from './truncation.ts';

interface File {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Indices of segments that are kept whole, with a number of records of one more; or the code of the refusal. */
type Kept =
  | string
  | { readonly whole: readonly number[]; readonly and?: readonly [number, number] };

interface Case {
  readonly name: string;
  readonly files: (log: readonly SampleSegment[], other: readonly SampleSegment[]) => File[];
  readonly after?: (log: readonly SampleSegment[]) => number;
  readonly tail: Kept;
  readonly strict: Kept;
  readonly lastGood: Kept;
  readonly salvage: Kept;
}

const all: Kept = { whole: [0, 1, 2, 3] };
const truncated = 'LODE_TRUNCATED';
const invalid = 'LODE_INVALID_FORMAT';
const tooNew = 'LODE_FORMAT_TOO_NEW';

const everywhere = (kept: Kept): Pick<Case, 'tail' | 'strict' | 'lastGood' | 'salvage'> => ({
  tail: kept,
  strict: kept,
  lastGood: kept,
  salvage: kept,
});
/** Only the end is torn: everything in front of it stays, and only the strictest mode objects. */
const torn = (
  kept: Kept,
  code: string,
): Pick<Case, 'tail' | 'strict' | 'lastGood' | 'salvage'> => ({
  ...everywhere(kept),
  strict: code,
});
const damaged = (
  code: string,
  lastGood: Kept,
  salvage: Kept,
): Pick<Case, 'tail' | 'strict' | 'lastGood' | 'salvage'> => ({
  tail: code,
  strict: code,
  lastGood,
  salvage,
});

export const cases: readonly Case[] = [
  {
    name: 'space made ahead',
    files: (log) => withTail(log, new Uint8Array(5000)),
    ...everywhere(all),
  },
  {
    name: 'old records of another segment behind the end',
    files: (log) => withTail(log, at(log, 0).bytes.subarray(at(log, 0).headerEnd)),
    ...torn(all, invalid),
  },
  {
    name: 'a recycled file: an older, longer segment below',
    // Of two segments, as one may be no longer than what is written over it.
    files: (log) =>
      withTail(log, joined(at(log, 0).bytes, at(log, 1).bytes).subarray(at(log, 3).bytes.length)),
    ...torn(all, invalid),
  },
  {
    name: 'old records behind zeros',
    files: (log) =>
      withTail(log, joined(new Uint8Array(700), at(log, 2).bytes.subarray(at(log, 2).headerEnd))),
    ...torn(all, truncated),
  },
  {
    name: 'nothing in front of the second segment',
    files: (log) => log.slice(1),
    ...everywhere({ whole: [1, 2, 3] }),
  },
  {
    name: 'nothing in front of the second segment, and no snapshot that covers it',
    files: (log) => log.slice(1),
    after: () => 0,
    ...damaged(truncated, { whole: [] }, { whole: [1, 2, 3] }),
  },
  {
    name: 'nothing in front of the second segment, but a snapshot that covers it',
    files: (log) => log.slice(1),
    after: (log) => at(log, 1).records[3]?.lsn ?? 0,
    ...everywhere({ whole: [1, 2, 3] }),
  },
  {
    name: 'damage below a snapshot',
    files: (log) => replaced(log, 0, flipped(at(log, 0).bytes, at(log, 0).end - 3)),
    after: (log) => at(log, 1).records[3]?.lsn ?? 0,
    ...everywhere({ whole: [1, 2, 3] }),
    salvage: { whole: [1, 2, 3], and: [0, -1] },
  },
  {
    name: 'a snapshot newer than the log',
    files: (log) => [...log],
    after: (log) => (at(log, 3).records.at(-1)?.lsn ?? 0) + 10,
    ...everywhere({ whole: [3] }),
    salvage: all,
  },
  {
    name: 'a missing segment',
    files: (log) => without(log, 1),
    ...damaged(truncated, { whole: [0] }, { whole: [0, 2, 3] }),
  },
  {
    name: 'two missing segments',
    files: (log) => without(without(log, 2) as SampleSegment[], 1),
    ...damaged(truncated, { whole: [0] }, { whole: [0, 3] }),
  },
  {
    // Nothing inside a log shows it; the journal above knows how far its snapshots reach.
    name: 'a missing last segment',
    files: (log) => log.slice(0, 3),
    ...everywhere({ whole: [0, 1, 2] }),
  },
  {
    name: 'a segment twice, the copy at the end',
    files: (log) => [...log, { path: nameAfter(log), bytes: at(log, 1).bytes }],
    ...damaged(invalid, all, all),
  },
  {
    name: 'a segment twice, the copy in the place of another',
    files: (log) => replaced(log, 2, at(log, 1).bytes),
    ...damaged(invalid, { whole: [0, 1] }, { whole: [0, 1, 3] }),
  },
  {
    name: 'two segments swapped',
    files: (log) => replaced(replaced(log, 1, at(log, 2).bytes), 2, at(log, 1).bytes),
    ...damaged(invalid, { whole: [0] }, all),
  },
  {
    name: 'a sealed segment cut between two groups',
    files: (log) => replaced(log, 1, at(log, 1).bytes.subarray(0, groupEnd(at(log, 1)))),
    ...damaged(truncated, { whole: [0], and: [1, -2] }, { whole: [0, 2, 3], and: [1, -2] }),
  },
  {
    name: 'a sealed segment cut between two groups and sealed again',
    files: (log) => replaced(log, 1, resealed(at(log, 1))),
    ...damaged(truncated, { whole: [0], and: [1, -2] }, { whole: [0, 2, 3], and: [1, -2] }),
  },
  {
    name: 'a record of a sealed segment taken out',
    files: (log) => replaced(log, 1, withoutRecord(at(log, 1), 4)),
    ...damaged(invalid, { whole: [0], and: [1, 4] }, { whole: [0, 2, 3], and: [1, -3] }),
  },
  {
    name: 'the segment of another journal',
    files: (log, other) => replaced(log, 1, at(other, 1).bytes),
    ...damaged(invalid, { whole: [0] }, { whole: [0, 2, 3] }),
  },
  {
    name: 'a file of something else',
    files: (log) => [...log, { path: nameAfter(log), bytes: new Uint8Array(300).fill(0x41) }],
    ...damaged(invalid, all, all),
  },
  {
    name: 'a last segment without content',
    files: (log) => [...log, { path: nameAfter(log), bytes: new Uint8Array(0) }],
    ...torn(all, invalid),
  },
  {
    name: 'a segment without content in the middle',
    files: (log) => replaced(log, 1, new Uint8Array(0)),
    ...damaged(invalid, { whole: [0] }, { whole: [0, 2, 3] }),
  },
  {
    name: 'a segment of zeros in the middle',
    files: (log) => replaced(log, 1, new Uint8Array(at(log, 1).bytes.length)),
    ...damaged(invalid, { whole: [0] }, { whole: [0, 2, 3] }),
  },
  {
    name: 'a newer format',
    files: (log) => replaced(log, 3, withHeaderByte(at(log, 3), 8, 2)),
    ...everywhere(tooNew),
  },
  {
    name: 'a flag that is not known',
    files: (log) => replaced(log, 1, withHeaderByte(at(log, 1), 11, 0x80)),
    ...everywhere(tooNew),
  },
  {
    name: 'an older epoch behind a newer one',
    files: (log) => replaced(log, 2, withHeaderByte(at(log, 2), 32, 0)),
    ...damaged(invalid, { whole: [0, 1] }, all),
  },
  {
    name: 'what a crash left unfinished',
    files: (log) => [...log, { path: `${nameAfter(log)}.tmp`, bytes: new Uint8Array(20) }],
    ...everywhere(all),
  },
  {
    name: 'damage in a group that a later one follows',
    files: (log) => replaced(log, 3, flipped(at(log, 3).bytes, at(log, 3).headerEnd + 12)),
    ...damaged('LODE_CHECKSUM_MISMATCH', { whole: [0, 1, 2] }, { whole: [0, 1, 2], and: [3, -3] }),
  },
];

export async function runCases(seed: number, findings: Findings): Promise<void> {
  const log = await fourSegments(seed);
  const other = await fourSegments(seed + 1);
  for (const { name, files, after, ...expected } of cases) {
    for (const mode of modes) {
      const wanted = expected[mode === 'last-good' ? 'lastGood' : mode];
      const disk = await diskWith(files(log, other));
      const told = `${name}, ${mode}`;
      const from = after?.(log);
      const { records, refused } = await look(disk, mode, from);
      findings.cases++;
      judge(log, wanted, records, refused, findings, told);
      if (from !== undefined) continue;
      const opened = await openAndGoOn(disk, mode);
      judge(log, wanted, opened.records, opened.refused, findings, `${told}, opened`);
    }
  }
}

/** The last of them not sealed, with enough in it to take something out. */
async function fourSegments(seed: number): Promise<SampleSegment[]> {
  for (let records = 40; ; records++) {
    const log = await sampleLog({ seed, records, segmentBytes: 1500, killed: true });
    assert.ok(log.length <= 4);
    if (log.length === 4 && at(log, 3).records.length >= 9) return log;
  }
}

function judge(
  log: readonly SampleSegment[],
  wanted: Kept,
  records: ReadonlyMap<number, string>,
  refused: string | undefined,
  findings: Findings,
  told: string,
): void {
  if (typeof wanted === 'string' || refused !== undefined) {
    if (refused !== wanted)
      findings.violations.push(`${told}: ${refused ?? `${records.size} records`}, not as written`);
    return;
  }
  const kept = wanted.whole.map((i) => at(log, i).records);
  const sizes = kept.reduce((sum, list) => sum + list.length, 0);
  if (wanted.and !== undefined) kept.push(at(log, wanted.and[0]).records);
  const contents = new Map(kept.flat().map(({ lsn, content }) => [lsn, content]));
  for (const [lsn, content] of records)
    if (contents.get(lsn) !== content) findings.violations.push(`${told}: record ${lsn} is wrong`);
  // Of the one that is not whole: so many, or all but at most so many.
  const extra = wanted.and === undefined ? 0 : wanted.and[1];
  const most = extra < 0 ? contents.size - 1 : sizes + extra;
  const least = extra < 0 ? contents.size - 8 : sizes + extra;
  if (records.size < least || records.size > most)
    findings.violations.push(`${told}: ${records.size} records, not ${least} to ${most}`);
}

function at(log: readonly SampleSegment[], index: number): SampleSegment {
  const segment = log[index];
  assert.ok(segment);
  return segment;
}

function replaced<T extends File>(log: readonly T[], index: number, bytes: Uint8Array): T[] {
  return log.map((segment, i) => (i === index ? { ...segment, bytes } : segment));
}

function without<T extends File>(log: readonly T[], index: number): T[] {
  return log.filter((_, i) => i !== index);
}

function withTail(log: readonly SampleSegment[], tail: Uint8Array): File[] {
  return replaced(log, 3, joined(at(log, 3).bytes, tail));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.map((byte, i) => (i === offset ? byte ^ 1 : byte));
}

function nameAfter(log: readonly SampleSegment[]): string {
  const lsn = (at(log, log.length - 1).records.at(-1)?.lsn ?? 0) + 1;
  return `${dir}/wal-${String(lsn).padStart(20, '0')}.log`;
}

/** Where the group before the last two records ends. */
function groupEnd({ records }: SampleSegment): number {
  return records.slice(0, -2).findLast(({ endsGroup }) => endsGroup)?.end ?? 0;
}

function resealed(segment: SampleSegment): Uint8Array {
  const end = groupEnd(segment);
  const { logNumber } = headerIn(segment);
  const scanner = scannerOf(segment, end);
  while (scanner.recordEnd < end) assert.equal(scanner.next(), 'record');
  const lastLsn = segment.records.findLast((record) => record.end <= end)?.lsn ?? 0;
  const seal = sealBytes(logNumber, end, scanner.running, lastLsn).bytes;
  return joined(segment.bytes.subarray(0, end), seal);
}

/** Cut out cleanly, with the rest laid out anew behind it. */
function withoutRecord(segment: SampleSegment, index: number): Uint8Array {
  const { logNumber } = headerIn(segment);
  const scanner = scannerOf(segment, segment.bytes.length);
  const start = segment.records[index]?.start ?? 0;
  let position = start;
  const parts = [segment.bytes.subarray(0, start)];
  while (scanner.next() === 'record') {
    if (scanner.recordStart <= start) continue;
    const { prefix, body } = scanner;
    const writer = new FrameWriter({ logNumber, position, running: 0 });
    const { kind, timeDelta } = prefix;
    writer.add({ kind: kind as 0, lsn: prefix.lsnLow, index: prefix.index, timeDelta }, [body]);
    parts.push(writer.take().bytes);
    position = writer.end;
  }
  return joined(...parts);
}

function withHeaderByte(segment: SampleSegment, offset: number, value: number): Uint8Array {
  const header = headerIn(segment);
  const scanner = scannerOf(segment, segment.headerEnd);
  assert.equal(scanner.next(), 'record');
  const body = scanner.body.slice();
  body[offset] = value;
  const start = { logNumber: header.logNumber, position: 0, running: header.previousRunning };
  const writer = new FrameWriter(start);
  writer.add({ kind: 1, lsn: header.firstLsn, index: 0, timeDelta: 0 }, [body]);
  const { bytes } = writer.take();
  assert.equal(bytes.length, headerOf(header).bytes.length);
  return joined(bytes, segment.bytes.subarray(segment.headerEnd));
}

function headerIn(segment: SampleSegment): ReturnType<typeof decodeSegmentHeader> {
  const scanner = scannerOf(segment, segment.headerEnd);
  assert.equal(scanner.next(), 'record');
  return decodeSegmentHeader(scanner.body, segment.path);
}

function scannerOf(segment: SampleSegment, end: number): FrameScanner {
  const view = new DataView(segment.bytes.buffer, segment.bytes.byteOffset);
  const logNumber = view.getUint32(7, true);
  const running = segment.bytes.length > 87 ? view.getUint32(16 + 56, true) : 0;
  const scanner = new FrameScanner(logNumber, 0, running);
  scanner.load(segment.bytes.subarray(0, end), 0, true);
  return scanner;
}
