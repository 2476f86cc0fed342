/** Points in the past of a journal: which events are behind one, and which points there are. */
import type { Disk } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { listSnapshots } from '../snapshot/snapshot.ts';
import { examine } from '../wal/examine.ts';
import type { WalRecord } from '../wal/types.ts';
import type { JournalPoint } from './options.ts';
import { damageBefore, headerOf, isGap } from './saved-states.ts';
import type { FoundStates } from './saved-states.ts';

export function isBehind(
  until: JournalPoint | undefined,
  { lsn, timeMs }: Pick<WalRecord, 'lsn' | 'timeMs'>,
): boolean {
  return lsn > (until?.lsn ?? Infinity) || timeMs > (until?.timeMs ?? Infinity);
}

/**
 * Throws unless the log goes to the point that was asked for.
 *
 * @param at  How far it was read.
 * @param damage  What is wrong with the log. It only matters in front of that point.
 */
export async function assertReached(
  disk: Disk,
  dir: string,
  until: JournalPoint,
  at: { readonly lsn: number; readonly isPast: boolean },
  found: FoundStates,
  damage: LodeError | undefined,
): Promise<void> {
  if (at.isPast || until.lsn === at.lsn) return;
  const oldest = await oldestIn(disk, dir);
  const isTooEarly =
    oldest !== undefined && isGap(damage) && damageBefore(damage, found) === damage;
  if (damage !== undefined && !isTooEarly) throw damageBefore(damage, found);
  if (damage === undefined && until.lsn === undefined) return;
  let log = await examine(disk, dir, { after: 0 });
  const isCut = isGap(log.problem?.error);
  if (isCut) log = await examine(disk, dir, { after: oldest?.lsn });
  const newest = { lsn: 0, timeMs: 0, ...oldest };
  for (const { scan } of log.read) {
    if (scan.lastLsn > newest.lsn) [newest.lsn, newest.timeMs] = [scan.lastLsn, scan.timeMs];
  }
  const what = isTooEarly ? 'go back so far' : 'reach that event';
  throw new LodeError('LODE_NOT_FOUND', `this journal does not ${what}`, {
    key: dir,
    field: until.lsn === undefined ? 'until.timeMs' : 'until.lsn',
    expected: `${pointText(isCut ? oldest : undefined)} to ${pointText(newest)}`,
    actual: until.lsn ?? until.timeMs,
    next: isTooEarly
      ? 'Snapshots have replaced the log before. Ask for a later event, or restore an earlier export.'
      : 'Ask for an event that exists.',
  });
}

type Moment = Pick<WalRecord, 'lsn' | 'timeMs'>;

/** The oldest snapshot that can be read. */
async function oldestIn(disk: Disk, dir: string): Promise<Moment | undefined> {
  for (const { name } of (await listSnapshots(dir, { disk })).reverse()) {
    const header = await headerOf(disk, `${dir}/${name}`);
    if (header !== undefined) return header;
  }
  return undefined;
}

function pointText({ lsn, timeMs }: Moment = { lsn: 0, timeMs: 0 }): string {
  return timeMs === 0 ? `LSN ${lsn}` : `LSN ${lsn} (${new Date(timeMs).toISOString()})`;
}
