/** What a log is made of, for people and programs that look at it. */
import type { Examination } from './examine.ts';
import type { RecoveryReport } from './recover.ts';

/** A segment that counts, as far as it verifies. */
export interface InspectedSegment {
  readonly name: string;
  /** Of the file, and of what is in it up to the last record. */
  readonly bytes: number;
  readonly usedBytes: number;
  readonly records: number;
  readonly firstLsn: number;
  /** `firstLsn - 1` when there is no record. */
  readonly lastLsn: number;
  /** Of the writer: grows with every opening that writes. */
  readonly epoch: number;
  readonly logNumber: number;
  /** When it was begun, and when its last record was appended: milliseconds since the Unix epoch. */
  readonly begunMs: number;
  readonly timeMs: number;
  /** Over the checksums of everything up to its last record: what the next segment vouches for. */
  readonly checksum: number;
  /** False while it is written to, or when its writer was killed. */
  readonly isSealed: boolean;
}

export interface WalInspection extends RecoveryReport {
  /** Undefined when no segment says. */
  readonly journalId: string | undefined;
  readonly files: readonly InspectedSegment[];
  /** Files that were never finished, which the next opening deletes. */
  readonly leftovers: readonly string[];
}

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
  }));
  return { ...report, journalId, files, leftovers };
}
