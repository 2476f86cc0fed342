/** From what a recovery read to what is written on: the segments there are, and where the next record goes. */
import type { Disk } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { examine } from './examine.ts';
import type { Examination } from './examine.ts';
import type { LogPosition } from './group.ts';
import type { LiveSegment } from './log-options.ts';
import type { SegmentHeader } from './segment-header.ts';

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

/**
 * Whether a write whose sync failed is in the log: known once somebody has recovered and so sealed its segment. A segment is known by its
 * number and its writer's epoch: one that never got its name leaves its number to another.
 */
export async function resolveWrite(
  disk: Disk,
  dir: string,
  { logNumber, epoch }: Pick<SegmentHeader, 'logNumber' | 'epoch'>,
  lsn: number,
): Promise<'landed' | 'not-landed'> {
  const { read, problem } = await examine(disk, dir);
  const segment = read.find(
    ({ header }) => header.logNumber === logNumber && header.epoch === epoch,
  );
  if (segment?.scan.isSealed === true) return segment.scan.lastLsn >= lsn ? 'landed' : 'not-landed';
  // Where segments of a later writer were read, so was all that is in front of them.
  const isRead = problem === undefined || (read.at(-1)?.header.epoch ?? 0) > epoch;
  if (segment === undefined && isRead) {
    const firstLsn = read[0]?.firstLsn ?? lsn;
    if (firstLsn <= lsn) return 'not-landed';
    throw new LodeError('LODE_NOT_FOUND', 'this part of the log has been released', {
      key: dir,
      expected: firstLsn,
      actual: lsn,
    });
  }
  throw new LodeError('LODE_UNAVAILABLE', 'nobody has recovered this log yet', {
    key: dir,
    next: 'Close the log, open it again, and ask once more.',
  });
}

/** What the callers of a write are told whose sync failed. */
export function uncertainWrite(
  what: string,
  key: string,
  cause: unknown,
  resolve: () => Promise<'landed' | 'not-landed'>,
): LodeError {
  const next = 'Close this log and open it again, which settles it; then ask details.resolve().';
  const told = `${what}: nobody knows whether the last write counts`;
  return new LodeError('LODE_WRITE_UNCERTAIN', told, { key, resolve, next }, { cause });
}
