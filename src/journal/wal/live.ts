/** From what a recovery read to what is written on: the segments there are, and where the next record goes. */
import type { Disk } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { examine } from './examine.ts';
import type { Examination } from './examine.ts';
import type { LogPosition } from './group.ts';
import type { LiveSegment } from './log-options.ts';

/** The segments that opening it leaves, those that were skipped as not needed included. */
export function liveSegments({ files, read }: Examination): LiveSegment[] {
  const first = read[0];
  const skipped =
    first === undefined
      ? []
      : files.slice(
          0,
          files.findIndex((f) => f.name === first.name),
        );
  const live: LiveSegment[] = [];
  for (const [i, { header, path, size }] of skipped.entries()) {
    const next = files[i + 1];
    if (header === undefined || next === undefined) continue;
    live.push({ header, path, lastLsn: next.firstLsn - 1, end: size });
  }
  for (const { header, path, scan } of read)
    live.push({ header, path, lastLsn: scan.lastLsn, end: scan.end });
  return live;
}

/** @param after  The record that the log goes on behind, if its own end is in front of that. */
export function positionAfter(
  { read, logNumber, files }: Examination,
  recoveredLsn: number,
  after: number,
): LogPosition {
  const last = read.at(-1);
  const isEmpty = last !== undefined && last.scan.records === 0;
  // A log of which nothing could be read goes on where its files say.
  const nextLsn = Math.max(
    recoveredLsn + 1,
    after + 1,
    last === undefined ? (files[0]?.firstLsn ?? 1) : 1,
  );
  return {
    nextLsn,
    firstLsn: nextLsn,
    logNumber,
    position: 0,
    // An empty one is replaced: the next follows what it followed.
    running: isEmpty ? last.header.previousRunning : (last?.scan.running ?? 0),
    timeMs: last?.scan.timeMs ?? 0,
    hasSegment: false,
    restarts: recoveredLsn < after || (isEmpty && last.header.restarts),
  };
}

/** Whether a write whose sync failed is in the log: known once somebody has recovered and so sealed its segment. */
export async function resolveWrite(
  disk: Disk,
  dir: string,
  logNumber: number,
  lsn: number,
): Promise<'landed' | 'not-landed'> {
  const { read } = await examine(disk, dir);
  const segment = read.find(({ header }) => header.logNumber === logNumber);
  if (segment?.scan.isSealed === true || (segment === undefined && read.length > 0)) {
    return segment !== undefined && segment.scan.lastLsn >= lsn ? 'landed' : 'not-landed';
  }
  throw new LodeError('LODE_UNAVAILABLE', 'nobody has recovered this log yet', {
    key: dir,
    next: 'Close the log, open it again, and ask once more.',
  });
}
