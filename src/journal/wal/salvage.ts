/** Everything in a damaged log that verifies, whatever is around it. Reads only. */
import type { Disk } from '../../disk/disk.ts';
import type { SegmentFile } from './examine.ts';
import { recordKinds, resolveLsn } from './record.ts';
import { SegmentReader } from './segment-reader.ts';
import type { WalRecord } from './types.ts';

/** So many records are handed over at once: a step of an asynchronous loop costs more than a record. */
const batchRecords = 256;

/**
 * Records in order of their LSN, in batches; a number that is left out is lost. Times behind a gap are those of the records found, added up.
 */
export async function* salvage(
  disk: Disk,
  files: readonly SegmentFile[],
): AsyncGenerator<readonly WalRecord[], void, undefined> {
  let last = 0;
  const journalId = mostCommon(files.flatMap(({ header }) => header?.journalId ?? []));
  // By what they say they are: names can be mixed up.
  const ours = files
    .filter(({ header }) => header === undefined || header.journalId === journalId)
    .sort((a, b) => startOf(a) - startOf(b));
  for (const [i, file] of ours.entries()) {
    const before = ours[i - 1]?.header?.logNumber;
    const after = ours[i + 1]?.header?.logNumber;
    const numbers = new Set([
      file.header?.logNumber ?? (await storedLogNumber(disk, file)),
      ...(before === undefined ? [] : [before + 1]),
      ...(after === undefined ? [] : [after - 1]),
    ]);
    for (const logNumber of numbers) {
      const before = last;
      for await (const records of salvageFile(disk, file, logNumber, last)) {
        last = records.at(-1)?.lsn ?? last;
        yield records;
      }
      if (last > before) break;
    }
  }
}

function startOf({ header, firstLsn }: SegmentFile): number {
  return header?.firstLsn ?? firstLsn;
}

function mostCommon(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

async function storedLogNumber(disk: Disk, { path }: SegmentFile): Promise<number> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = new Uint8Array(11);
    await file.read(bytes, 0);
    return new DataView(bytes.buffer).getUint32(7, true);
  } finally {
    await file.close();
  }
}

async function* salvageFile(
  disk: Disk,
  segment: SegmentFile,
  logNumber: number,
  above: number,
): AsyncGenerator<readonly WalRecord[], void, undefined> {
  const file = await disk.open(segment.path, 'read');
  try {
    const { size } = await file.info();
    const reader = new SegmentReader(file, { logNumber }, size, true);
    const { scanner } = reader;
    let lsn = startOf(segment) - 1;
    let timeMs = segment.header?.timeMs ?? 0;
    let batch: WalRecord[] = [];
    for (let isLost = false; ;) {
      const step = isLost ? scanner.seek() : scanner.next();
      if (step === 'end') {
        if (batch.length > 0) yield batch;
        return;
      }
      if (step === 'more') {
        await reader.fill();
        continue;
      }
      if (isLost || step !== 'record') {
        isLost = !isLost;
        continue;
      }
      const { kind, lsnLow, timeDelta } = scanner.prefix;
      if (kind !== recordKinds.data) continue;
      lsn = resolveLsn(lsnLow, lsn + 1);
      timeMs += timeDelta;
      if (lsn > above) batch.push({ lsn, timeMs, bytes: scanner.body.slice() });
      if (batch.length < batchRecords) continue;
      yield batch;
      batch = [];
    }
  } finally {
    await file.close();
  }
}
