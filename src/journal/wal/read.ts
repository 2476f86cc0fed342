/**
 * Reads a log that another process may be writing to, without its lock. What it yields was written whole; whether it is
 * durable only the writer knows: after a power loss the last records may be gone, and others have their numbers.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { systemEnv } from '../../env.ts';
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { errorOf } from './examine.ts';
import { firstLsnOf } from './names.ts';
import { inspectWal } from './open.ts';
import { assertLsn } from './options.ts';
import { recordKinds } from './record.ts';
import { decodeSegmentHeader } from './segment-header.ts';
import { SegmentReader } from './segment-reader.ts';
import type { WalRecord } from './types.ts';

export interface ReadWalOptions {
  /** The first record wanted; the first there is by default. */
  readonly from?: number;
  /** Waits for what others append, until the signal aborts. */
  readonly follow?: boolean;
  /** How often to look for more; 200 by default. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
  readonly env?: Env;
  readonly disk?: Disk;
}

interface Segment {
  readonly path: string;
  readonly firstLsn: number;
  /** First LSN of the one behind it. */
  readonly until: number;
}

/** How far a segment was read. */
interface Place {
  readonly path: string;
  readonly logNumber: number;
  position: number;
  lsn: number;
  timeMs: number;
}

/** Durable and newer records in order, with bytes of their own. Throws at once when the log is damaged. */
export async function* readWal(
  dir: string | URL,
  options: ReadWalOptions = {},
): AsyncGenerator<WalRecord, void, undefined> {
  const { disk = nodeDisk() } = options;
  assertLsn(options.from ?? 0, 'from');
  const path = absolutePath(dir);
  const { firstLsn } = await inspectWal(path, { disk });
  yield* readRecords(disk, path, { ...options, from: options.from ?? firstLsn });
}

/** The same for whoever has looked at the log already. */
export async function* readRecords(
  disk: Disk,
  path: string,
  { from = 1, follow = false, everyMs = 200, signal, env = systemEnv }: ReadWalOptions,
): AsyncGenerator<WalRecord, void, undefined> {
  let next = from;
  let place: Place | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const segment = await segmentWith(disk, path, next);
    if (segment !== undefined) {
      const file = await disk.open(segment.path, 'read');
      try {
        place = await placeIn(file, segment, place);
        for await (const record of recordsFrom(file, segment, place)) {
          signal?.throwIfAborted();
          if (record.lsn < next) continue;
          next = record.lsn + 1;
          yield record;
        }
      } finally {
        await file.close();
      }
      if (next === segment.until) continue;
      // Whoever began the segment behind it had read this one to its end.
      if (segment.until < Infinity) {
        throw errorOf(segment.path, { offset: place.position, reason: 'truncated' });
      }
    }
    if (!follow) return;
    await env.sleep(everyMs, signal);
  }
}

async function segmentWith(disk: Disk, dir: string, lsn: number): Promise<Segment | undefined> {
  const found = (await disk.list(dir)).flatMap(({ name, kind }) => {
    const firstLsn = kind === 'file' ? firstLsnOf(name) : undefined;
    return firstLsn === undefined ? [] : { path: `${dir}/${name}`, firstLsn };
  });
  found.sort((a, b) => a.firstLsn - b.firstLsn);
  const at = found.findLastIndex(({ firstLsn }) => firstLsn <= lsn);
  const segment = found[at];
  if (segment !== undefined) return { ...segment, until: found[at + 1]?.firstLsn ?? Infinity };
  if (found.length === 0) return undefined;
  throw new LodeError('LODE_NOT_FOUND', 'this record is no longer in the log', {
    key: dir,
    field: 'from',
    expected: found[0]?.firstLsn,
    actual: lsn,
    next: 'Start from a snapshot, and read the log behind it.',
  });
}

/** Where to go on; at the start when the file is another one, as when a segment without records was replaced. */
async function placeIn(
  file: DiskFile,
  { path, firstLsn }: Segment,
  before: Place | undefined,
): Promise<Place> {
  const first = new Uint8Array(11);
  await file.read(first, 0);
  const logNumber = new DataView(first.buffer).getUint32(7, true);
  if (before?.path === path && before.logNumber === logNumber) return before;
  return { path, logNumber, position: 0, lsn: firstLsn - 1, timeMs: 0 };
}

/** Whole records from `place` on, which moves with them. What is not whole yet may be the next time. */
async function* recordsFrom(
  file: DiskFile,
  { path, until }: Segment,
  place: Place,
): AsyncGenerator<WalRecord, void, undefined> {
  const { size } = await file.info();
  const { logNumber, position } = place;
  const reader = new SegmentReader(file, { logNumber, position }, size, true);
  const { scanner } = reader;
  while (place.lsn + 1 < until) {
    const step = scanner.next();
    if (step === 'more') {
      await reader.fill();
      continue;
    }
    if (step !== 'record') return;
    const { kind, lsnLow, timeDelta } = scanner.prefix;
    const isHeader = kind === recordKinds.header;
    if (isHeader) place.timeMs = decodeSegmentHeader(scanner.body, path).timeMs;
    if (kind === recordKinds.data) {
      place.lsn++;
      place.timeMs += timeDelta;
      if (lsnLow !== (place.lsn & 0xffff)) {
        throw errorOf(path, { offset: scanner.recordStart, reason: 'sequence' });
      }
    }
    place.position = scanner.recordEnd;
    if (kind === recordKinds.data) {
      yield { lsn: place.lsn, timeMs: place.timeMs, bytes: scanner.body.slice() };
    }
  }
}
