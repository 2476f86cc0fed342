/** Reads a log while it is written: never more than is durable, and on request whatever comes. */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { errorOf } from './examine.ts';
import type { LiveSegment } from './log-options.ts';
import type { LogWriter } from './log-writer.ts';
import { recordKinds } from './record.ts';
import { SegmentReader } from './segment-reader.ts';
import type { CursorOptions, WalRecord } from './types.ts';

/** Records with bytes of their own. */
export async function* readLog(
  disk: Disk,
  dir: string,
  log: LogWriter,
  { from, follow = false, signal }: CursorOptions,
): AsyncGenerator<WalRecord, void, undefined> {
  let next = from ?? firstLsnOf(log);
  for (;;) {
    signal?.throwIfAborted();
    const segment = segmentWith(log, next);
    if (segment !== undefined) {
      for await (const records of readSegment(disk, log, segment, next, signal)) {
        for (const record of records) {
          signal?.throwIfAborted();
          next = record.lsn + 1;
          yield record;
        }
      }
    } else if (next <= log.durableLsn) {
      throw new LodeError('LODE_NOT_FOUND', 'this record is no longer in the log', {
        key: dir,
        field: 'from',
        expected: firstLsnOf(log),
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

function firstLsnOf(log: LogWriter): number {
  return (log.sealed[0] ?? log.active)?.header.firstLsn ?? log.nextLsn;
}

function segmentWith(log: LogWriter, lsn: number): LiveSegment | undefined {
  const active = log.active;
  return [...log.sealed, ...(active ? [active] : [])].findLast(
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
        const now = segmentWith(log, lsn + 1);
        if (now === undefined || now.header.logNumber !== header.logNumber) return;
        signal?.throwIfAborted();
        end = now.end;
        reader.extend(end, false);
        continue;
      }
      if (step !== 'record') {
        if (batch.length > 0) yield batch;
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

function grown(log: LogWriter, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
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
