/** Everything in a damaged log that verifies, whatever is around it. Reads only. */
import type { Disk } from '../../disk/disk.ts';
import type { SegmentFile } from './examine.ts';
import { recordKinds, resolveLsn } from './record.ts';
import { SegmentReader } from './segment-reader.ts';
import type { WalRecord } from './segment-scan.ts';

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
  for (const [i, file] of files.entries()) {
    const before = files[i - 1]?.header?.logNumber;
    const numbers = new Set([
      file.header?.logNumber ?? (await storedLogNumber(disk, file)),
      ...(before === undefined ? [] : [before + 1]),
      ...(files[i + 1]?.header === undefined ? [] : [(files[i + 1]?.header?.logNumber ?? 0) - 1]),
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
  { path, firstLsn, header }: SegmentFile,
  logNumber: number,
  above: number,
): AsyncGenerator<readonly WalRecord[], void, undefined> {
  const file = await disk.open(path, 'read');
  try {
    const { size } = await file.info();
    const reader = new SegmentReader(file, { logNumber }, size, true);
    const { scanner } = reader;
    let lsn = firstLsn - 1;
    let timeMs = header?.timeMs ?? 0;
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
