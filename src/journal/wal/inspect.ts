/** What a log is made of, for people and programs that look at it. */
import type { Examination } from './examine.ts';
import type { InspectedSegment, RecoveryReport, WalInspection } from './types.ts';

export function inspectionOf(examination: Examination, report: RecoveryReport): WalInspection {
  const { journalId, read, leftovers } = examination;
  const files = read.map(({ name, size, header, scan }): InspectedSegment => ({
    name,
    bytes: size,
    usedBytes: scan.end,
    records: scan.records,
    firstLsn: header.firstLsn,
    lastLsn: scan.lastLsn,
    epoch: header.epoch,
    logNumber: header.logNumber,
    begunMs: header.timeMs,
    timeMs: scan.timeMs,
    checksum: scan.running,
    isSealed: scan.isSealed,
    isRestart: header.restarts,
  }));
  return { ...report, journalId, files, leftovers };
}
