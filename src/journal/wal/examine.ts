/**
 * Reads a whole log and says what is there and what is wrong, changing nothing. What a recovery does about it is decided
 * in `recover.ts`.
 */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { LodeErrorCode } from '../../errors.ts';
import { firstLsnOf, unfinished } from './names.ts';
import { recordKinds } from './record.ts';
import { decodeSegmentHeader } from './segment-header.ts';
import type { SegmentHeader } from './segment-header.ts';
import { SegmentReader } from './segment-reader.ts';
import { scanSegment } from './segment-scan.ts';
import type { Anchor, Fault, SegmentScan } from './segment-scan.ts';
import type { VisitRecord } from './types.ts';

/** A segment as its name, its size and its header tell. */
export interface SegmentFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** By its name. */
  readonly firstLsn: number;
  /** Undefined when the file does not begin as a segment does. */
  readonly header: SegmentHeader | undefined;
  readonly fault?: Fault;
}

/** A segment that was read, up to its end or to what is wrong with it. */
export interface ReadSegment extends SegmentFile {
  readonly header: SegmentHeader;
  readonly scan: SegmentScan;
}

/** What keeps the log from being read on. */
interface Problem {
  /** Index in `files` of the segment at fault. */
  readonly at: number;
  readonly fault: Fault;
  readonly error: LodeError;
}

export interface Examination {
  /** All segments, in order. */
  readonly files: readonly SegmentFile[];
  /** Those that make up the log, in order; the last one up to the problem, if there is one. */
  readonly read: readonly ReadSegment[];
  readonly problem?: Problem;
  /** Damage where no record is lost by it. */
  readonly notes: readonly LodeError[];
  /** Files that a crash left unfinished. */
  readonly leftovers: readonly string[];
  readonly journalId: string | undefined;
  /** The greatest in use. */
  readonly epoch: number;
  readonly logNumber: number;
}

interface ExamineOptions {
  /** Everything up to this record is safe elsewhere: what the log has of it need not be there. */
  readonly after?: number | undefined;
  readonly visit?: VisitRecord | undefined;
  /** The last record wanted: nothing behind it is looked at, and all of it counts as not there. */
  readonly to?: number | undefined;
}

export async function examine(
  disk: Disk,
  dir: string,
  { after, visit, to }: ExamineOptions = {},
): Promise<Examination> {
  const names = (await disk.list(dir)).filter(({ kind }) => kind === 'file');
  const leftovers = names.map(({ name }) => name).filter((name) => name.endsWith(unfinished));
  const files: SegmentFile[] = [];
  for (const { name } of names) {
    const firstLsn = firstLsnOf(name);
    if (firstLsn === undefined) continue;
    const file = await unlessReleased(readHeader(disk, dir, name, firstLsn));
    if (file !== undefined) files.push(file);
  }
  files.sort((a, b) => a.firstLsn - b.firstLsn);
  const headers = files.flatMap(({ header }) => header ?? []);
  const facts = {
    files,
    leftovers,
    journalId: headers[0]?.journalId,
    epoch: Math.max(0, ...headers.map(({ epoch }) => epoch)),
    logNumber: Math.max(0, ...headers.map(({ logNumber }) => logNumber)),
  };
  const start = startOf(files, after);
  const read: ReadSegment[] = [];
  const notes: LodeError[] = [];
  const from = start === -1 ? files.length : start;
  const missing = firstMissing(files[from], after);
  if (missing !== undefined) return { ...facts, read, notes, problem: { at: from, ...missing } };
  for (const [i, file] of files.entries()) {
    if (i < from) continue;
    const fault = file.fault ?? faultBetween(read.at(-1)?.header, file.header);
    const next = files[i + 1];
    if (fault !== undefined || file.header === undefined) {
      const isTorn = fault?.isTorn === true && next === undefined;
      const found = { ...(fault ?? headerFault), isTorn };
      return { ...facts, read, notes, problem: problemOf(i, file, found) };
    }
    const opening = disk.open(file.path, 'read');
    const opened = read.length > 0 ? await opening : await unlessReleased(opening);
    if (opened === undefined) return examine(disk, dir, { after, visit, to });
    try {
      const anchor = anchorOf(next, file.header);
      const scan = await scanSegment(
        { file: opened, size: file.size, header: file.header, path: file.path },
        anchor,
        visit,
        to,
      );
      read.push({ ...file, header: file.header, scan });
      if (scan.lastLsn === to) break;
      if (scan.behind !== undefined) notes.push(errorOf(file.path, scan.behind));
      if (scan.fault !== undefined) {
        // A segment that another one follows had been synced to its end.
        const isTorn = scan.fault.isTorn && next === undefined;
        return { ...facts, read, notes, problem: problemOf(i, file, { ...scan.fault, isTorn }) };
      }
    } finally {
      await opened.close();
    }
  }
  return { ...facts, read, notes };
}

/** Whoever only reads a log looks on while its owner releases the oldest segments: those that were just listed may be gone. */
async function unlessReleased<T>(opening: Promise<T>): Promise<T | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (isLodeError(error, 'LODE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Where the log begins: the segment that holds the first record wanted, else the last one that begins it anew. */
function startOf(files: readonly SegmentFile[], after: number | undefined): number {
  if (after !== undefined) {
    const at = files.findLastIndex(({ firstLsn }) => firstLsn <= after + 1);
    return at === -1 ? 0 : at;
  }
  return Math.max(
    0,
    files.findLastIndex(({ header }) => header?.restarts === true),
  );
}

/** Of a log that has to go on behind record `after`. */
export function firstMissing(
  file: SegmentFile | undefined,
  after: number | undefined,
): Omit<Problem, 'at'> | undefined {
  if (file === undefined || after === undefined || file.firstLsn <= after + 1) return undefined;
  const fault: Fault = { offset: 0, reason: 'truncated', isTorn: false };
  const error = new LodeError('LODE_TRUNCATED', 'records before this segment are missing', {
    key: file.path,
    field: 'first LSN',
    expected: after + 1,
    actual: file.firstLsn,
  });
  return { fault, error };
}

/** A file that does not begin as a segment: only one cut short there can be a crash's doing. */
const headerFault: Fault = { offset: 0, reason: 'header', isTorn: false };

async function readHeader(
  disk: Disk,
  dir: string,
  name: string,
  firstLsn: number,
): Promise<SegmentFile> {
  const path = `${dir}/${name}`;
  const opened = await disk.open(path, 'read');
  try {
    const { size } = await opened.info();
    const facts = { name, path, size, firstLsn };
    const first = new Uint8Array(Math.min(size, 128));
    await opened.read(first, 0);
    const logNumber = size < 11 ? 0 : new DataView(first.buffer).getUint32(7, true);
    const reader = new SegmentReader(opened, { logNumber }, Math.min(size, 4096), size <= 4096);
    await reader.fill();
    const step = reader.scanner.next();
    const { prefix, body, damage } = reader.scanner;
    if (step !== 'record' || prefix.kind !== recordKinds.header) {
      const isShort = step === 'end' || damage?.reason === 'truncated';
      const fault: Fault = { ...headerFault, ...damage, isTorn: isShort && size < 128 };
      return { ...facts, header: undefined, fault };
    }
    const header = decodeSegmentHeader(body, path);
    if (header.logNumber !== logNumber || header.firstLsn !== firstLsn) {
      const fault: Fault = { offset: 0, reason: 'sequence', isTorn: false };
      return { ...facts, header, fault: { ...fault, expected: firstLsn, actual: header.firstLsn } };
    }
    return { ...facts, header };
  } catch (error) {
    // One that a newer version wrote is not damaged: nobody may cut it.
    if (!isLodeError(error, 'LODE_INVALID_FORMAT')) throw error;
    return { name, path, size: 0, firstLsn, header: undefined, fault: headerFault };
  } finally {
    await opened.close();
  }
}

/** Whether the second can follow the first at all; whether it does is for the running checksum to say. */
function faultBetween(
  before: SegmentHeader | undefined,
  header: SegmentHeader | undefined,
): Fault | undefined {
  if (before === undefined || header === undefined) return undefined;
  const follows =
    header.journalId === before.journalId &&
    header.epoch >= before.epoch &&
    header.logNumber > before.logNumber;
  return follows ? undefined : { offset: 0, reason: 'sequence', isTorn: false };
}

function anchorOf(next: SegmentFile | undefined, header: SegmentHeader): Anchor | undefined {
  if (next?.header === undefined) return undefined;
  return {
    lastLsn: next.firstLsn - 1,
    running: next.header.previousRunning,
    tookOver: next.header.epoch > header.epoch,
  };
}

function problemOf(at: number, file: SegmentFile, fault: Fault): Problem {
  return { at, fault, error: errorOf(file.path, fault) };
}

const sentences: Readonly<Record<Fault['reason'], readonly [LodeErrorCode, string]>> = {
  checksum: ['LODE_CHECKSUM_MISMATCH', 'the checksum of a frame of the log does not match'],
  truncated: ['LODE_TRUNCATED', 'the log ends in the middle'],
  header: ['LODE_INVALID_FORMAT', 'there is no frame of the log where one has to be'],
  padding: ['LODE_INVALID_FORMAT', 'the end of a page of the log is not empty'],
  sequence: ['LODE_INVALID_FORMAT', 'this part of the log does not follow what is before it'],
  record: ['LODE_INVALID_FORMAT', 'a record of the log cannot be read'],
};

export function errorOf(
  key: string,
  { offset, reason, expected, actual }: Omit<Fault, 'isTorn'>,
): LodeError {
  const [code, what] = sentences[reason];
  return new LodeError(code, what, {
    key,
    offset,
    expected,
    actual,
    next: "Restore the file from a copy, or open the log with recovery 'last-good' or 'salvage'.",
  });
}
