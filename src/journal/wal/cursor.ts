/** Reads a log while it is written: never more than is durable, and on request whatever comes. */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { errorOf } from './examine.ts';
import type { LiveSegment } from './log-options.ts';
import type { LogWriter } from './log-writer.ts';
import { recordKinds } from './record.ts';
import type { SegmentHeader } from './segment-header.ts';
import { SegmentReader } from './segment-reader.ts';
import type { CursorOptions, WalRecord } from './types.ts';

/** Records with bytes of their own. */
export async function* readLog(
  disk: Disk,
  dir: string,
  log: LogWriter,
  { from, follow = false, signal }: CursorOptions,
): AsyncGenerator<WalRecord, void, undefined> {
  let first = from ?? firstLsnIn(log);
  let next = first;
  for (;;) {
    signal?.throwIfAborted();
    const segment = segmentWith(log, next);
    if (segment !== undefined) {
      try {
        for await (const records of readSegment(disk, log, segment, next, follow, signal)) {
          for (const record of records) {
            signal?.throwIfAborted();
            next = record.lsn + 1;
            yield record;
          }
        }
      } catch (error) {
        // Released before it was opened.
        if (!isLodeError(error, 'LODE_NOT_FOUND') || segmentWith(log, next) !== undefined)
          throw error;
        if (from === undefined && next === first) next = first = firstLsnIn(log);
        continue;
      }
      // Of segments that no recovery has read, only their names say how far they go.
      if (next <= segment.lastLsn) {
        throw errorOf(segment.path, { offset: segment.end, reason: 'truncated' });
      }
    } else if (next <= log.durableLsn) {
      throw new LodeError('LODE_NOT_FOUND', 'this record is no longer in the log', {
        key: dir,
        field: 'from',
        expected: firstLsnIn(log),
        actual: next,
        next: 'Start from a snapshot, and read the log behind it.',
      });
    } else if (!follow || log.failure !== undefined) {
      return;
    } else {
      await grown(log, signal);
    }
  }
}

/** The first record that counts: what is in front of a segment that begins the log anew does not. */
export function firstLsnIn(log: LogWriter): number {
  return segmentsOf(log)[0]?.header.firstLsn ?? log.durableLsn + 1;
}

function segmentsOf({ sealed, active }: LogWriter): LiveSegment[] {
  const all = [...sealed, ...(active ? [active] : [])];
  return all.slice(
    Math.max(
      0,
      all.findLastIndex(({ header }) => header.restarts),
    ),
  );
}

function segmentWith(log: LogWriter, lsn: number): LiveSegment | undefined {
  return segmentsOf(log).findLast(
    ({ header, lastLsn }) => header.firstLsn <= lsn && lsn <= lastLsn,
  );
}

/** A step of an asynchronous loop costs more than a record: so many are handed over at once, if they are there. */
const batchRecords = 256;
const batchBytes = 1024 * 1024;

/** The records of one segment that are durable by the time they are asked for. */
async function* readSegment(
  disk: Disk,
  log: LogWriter,
  segment: LiveSegment,
  from: number,
  follow: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly WalRecord[], void, undefined> {
  const { header, path } = segment;
  const file: DiskFile = await disk.open(path, 'read');
  try {
    let { end } = segment;
    const reader = new SegmentReader(file, header, end, false);
    const { scanner } = reader;
    let { timeMs } = header;
    let batch: WalRecord[] = [];
    let bytes = 0;
    for (let lsn = header.firstLsn - 1; ;) {
      const step = scanner.next();
      if (step === 'more') {
        if (await reader.fill()) continue;
        if (batch.length > 0) yield batch;
        batch = [];
        bytes = 0;
        // Waiting in here reads nothing twice.
        while (follow && isAtEnd(log, header, lsn)) await grown(log, signal);
        const now = segmentWith(log, lsn + 1);
        if (now?.header.logNumber !== header.logNumber || now.end === end) return;
        signal?.throwIfAborted();
        end = now.end;
        reader.extend(end, false);
        continue;
      }
      if (step !== 'record') {
        if (batch.length > 0) yield batch;
        // Behind the last record, a seal whose sync failed may have left anything.
        if (lsn >= segment.lastLsn) return;
        throw errorOf(path, scanner.damage ?? { offset: scanner.recordEnd, reason: 'truncated' });
      }
      const { kind, lsnLow, timeDelta } = scanner.prefix;
      if (kind !== recordKinds.data) continue;
      lsn++;
      timeMs += timeDelta;
      if (lsnLow !== (lsn & 0xffff)) {
        throw errorOf(path, { offset: scanner.recordStart, reason: 'sequence' });
      }
      if (lsn < from) continue;
      bytes += scanner.body.length;
      batch.push({ lsn, timeMs, bytes: scanner.body.slice() });
      if (batch.length < batchRecords && bytes < batchBytes) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  } finally {
    await file.close();
  }
}

/** More may come in this segment. */
function isAtEnd(
  { active, durableLsn, failure }: LogWriter,
  header: SegmentHeader,
  lsn: number,
): boolean {
  return active?.header === header && lsn === durableLsn && failure === undefined;
}

function grown(log: LogWriter, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // It may have happened while something else was waited for: nobody would say so again.
    signal?.throwIfAborted();
    const stop = (): void => {
      log.followers.delete(told);
      reject(signal?.reason as Error);
    };
    const told = (): void => {
      log.followers.delete(told);
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    log.followers.add(told);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
