/** Reads everything a journal has on the disk, and says what is wrong with it. Changes nothing. */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError } from '../../errors.ts';
import type { LodeError } from '../../errors.ts';
import { listSnapshots, openSnapshot } from '../snapshot/snapshot.ts';
import { examine, firstMissing } from '../wal/examine.ts';
import type { Examination } from '../wal/examine.ts';
import { liveSegments } from '../wal/live.ts';
import type { JournalVerification } from './types.ts';

/** @param durableLsn  Of a journal that is being written to: what is behind that may be a write on its way. */
export async function verifyFiles(
  disk: Disk,
  dir: string,
  {
    durableLsn,
    signal,
  }: { readonly durableLsn?: number; readonly signal?: AbortSignal | undefined },
): Promise<JournalVerification> {
  const problems: LodeError[] = [];
  const snapshots = await listSnapshots(dir, { disk });
  for (const { name } of snapshots) {
    signal?.throwIfAborted();
    try {
      const open = await openSnapshot(`${dir}/${name}`, { disk });
      try {
        for await (const chunk of open.chunks()) void chunk;
      } finally {
        await open.close();
      }
    } catch (error) {
      if (!isLodeError(error) || error.kind !== 'corrupt') throw error;
      problems.push(error);
    }
  }
  const visit = (): void => signal?.throwIfAborted();
  const examination = await examine(disk, dir, { visit });
  problems.push(...faultsOf(examination, durableLsn));
  const { read } = examination;
  // A log that begins anew follows a snapshot; what is older than that one is not needed any more.
  const [first] = read;
  const start = first?.header.restarts === true ? first.firstLsn - 1 : 0;
  const gap = firstMissing(first, snapshots.findLast(({ lsn }) => lsn >= start)?.lsn ?? 0);
  if (gap !== undefined) problems.push(gap.error);
  const records = read.reduce((sum, { scan }) => sum + scan.records, 0);
  const segments = liveSegments(examination).map(({ path, header, lastLsn, end }) => ({
    name: path.slice(dir.length + 1),
    firstLsn: header.firstLsn,
    lastLsn,
    bytes: end,
    isSealed: read.find((segment) => segment.path === path)?.scan.isSealed ?? true,
  }));
  return { ok: problems.length === 0, snapshots, segments, records, problems };
}

function faultsOf(
  { problem, notes, read }: Examination,
  durableLsn: number | undefined,
): LodeError[] {
  if (problem === undefined) return [...notes];
  const isOnItsWay =
    problem.fault.isTorn &&
    durableLsn !== undefined &&
    (read.at(-1)?.scan.lastLsn ?? 0) >= durableLsn;
  return isOnItsWay ? [...notes] : [...notes, problem.error];
}
