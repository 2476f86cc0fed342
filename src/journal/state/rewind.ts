/**
 * A journal taken back to an earlier point: all that is behind it leaves the journal and stays beside it, in files that nothing reads.
 *
 * A note that lies there meanwhile keeps everybody from opening what is neither the one state nor the other. Cut short anywhere, the
 * same call goes on; nothing is deleted but the note.
 */
import type { Disk } from '../../disk/disk.ts';
import { listSnapshots } from '../snapshot/snapshot.ts';
import { examine } from '../wal/examine.ts';
import type { Examination } from '../wal/examine.ts';
import { asideName, cutName } from '../wal/names.ts';
import { assertJournal, makeSure, withReserve } from '../wal/open.ts';
import { Owner } from '../wal/owner.ts';
import {
  assertRecoverable,
  bytesBehind,
  filesBehind,
  moveAside,
  repair,
  reportOf,
} from '../wal/recover.ts';
import type { RecoveryMode, WalRecord } from '../wal/types.ts';
import type { JournalPoint } from './options.ts';
import { assertReached, isBehind } from './point.ts';
import { assertRestored, restoringName, rewindingName } from './restoring.ts';
import { damagedNames, findState, isGap } from './saved-states.ts';
import type { FoundStates } from './saved-states.ts';
import type { JournalRecovery } from './types.ts';

interface Plan {
  readonly found: FoundStates;
  /** The last record that stays. */
  readonly lsn: number;
  /** Of the log up to there. */
  readonly log: Examination;
  readonly removed: JournalRecovery['removed'];
  /** Snapshots that go: newer ones, the newest first, and damaged ones. */
  readonly snapshots: readonly string[];
}

export async function rewind(
  disk: Disk,
  dir: string,
  until: JournalPoint,
  { mode, dryRun }: { readonly mode: RecoveryMode; readonly dryRun: boolean },
): Promise<JournalRecovery> {
  await assertRestored(disk, dir, [restoringName]);
  if (dryRun) {
    const plan = await planOf(disk, dir, until, mode);
    return resultOf(plan, mode, 'planned', namesAside(plan));
  }
  const owner = await Owner.take(disk, dir);
  try {
    await makeSure(disk, dir);
    return await withReserve(disk, dir, async () => {
      const plan = await planOf(disk, dir, until, mode);
      return resultOf(plan, mode, 'cut', await carryOut(disk, dir, plan));
    });
  } finally {
    await owner.release();
  }
}

async function planOf(
  disk: Disk,
  dir: string,
  until: JournalPoint,
  mode: RecoveryMode,
): Promise<Plan> {
  const isStrict = mode === 'strict';
  const found = await findState(disk, dir, { until, isTrusted: () => true, isStrict });
  const after = found.chosen?.header.lsn ?? 0;
  const at = { lsn: after, isPast: false };
  let lastLsn = after;
  const visit = (record: WalRecord): void => {
    if (record.lsn <= after) return;
    lastLsn = record.lsn;
    at.isPast ||= isBehind(until, record);
    if (!at.isPast) at.lsn = record.lsn;
  };
  const whole = await examine(disk, dir, { after, visit });
  assertJournal(whole, found.chosen?.header.journalId, dir);
  if (isStrict) assertRecoverable(whole, mode);
  const { problem } = whole;
  const error = problem?.fault.isTorn === false ? problem.error : undefined;
  // The initial state is known, but a journal without anything of its own would be another one.
  const isNothing = found.chosen === undefined && isGap(error);
  await assertReached(disk, dir, until, isNothing ? { ...at, lsn: -1 } : at, found, error);
  const { lsn } = at;
  const log = at.isPast ? await examine(disk, dir, { after, to: lsn }) : whole;
  const newer = (await listSnapshots(dir, { disk })).filter((snapshot) => snapshot.lsn > lsn);
  const names = new Set([...newer.map(({ name }) => name), ...damagedNames(found.ignored)]);
  const plan = { found, lsn, log, snapshots: [...names] };
  const removed = { records: lastLsn - lsn, bytes: bytesBehind(log) };
  return { ...plan, removed: at.isPast ? removed : undefined };
}

/** Once the note is durable the order does not matter: whatever a crash leaves, the same plan but for what is done follows from it. */
async function carryOut(disk: Disk, dir: string, { lsn, log, snapshots }: Plan): Promise<string[]> {
  const note = await disk.open(`${dir}/${rewindingName}`, 'open-or-create');
  try {
    await note.write(new TextEncoder().encode(`${JSON.stringify({ lsn })}\n`), 0);
  } finally {
    await note.close();
  }
  // Its name is what counts; what it says is for people.
  await disk.syncDirectory(dir);
  const setAside = await repair(disk, dir, log);
  setAside.push(...(await moveAside(disk, dir, snapshots)));
  await disk.unlink(`${dir}/${rewindingName}`);
  await disk.syncDirectory(dir);
  return setAside;
}

function namesAside({ log, snapshots, removed }: Plan): string[] {
  const last = log.read.at(-1);
  const isCut = last?.scan.isSealed === false && last.size > last.scan.end;
  const isBlank = removed === undefined && log.problem === undefined;
  const cut = isCut && !isBlank ? [cutName(last.name, last.scan.end)] : [];
  const segments = filesBehind(log).map(({ name }) => asideName(name));
  return [...segments.reverse(), ...cut, ...snapshots.map(asideName)];
}

function resultOf(
  { found, lsn, log, removed }: Plan,
  mode: RecoveryMode,
  action: 'planned' | 'cut',
  setAside: readonly string[],
): JournalRecovery {
  const { chosen, ignored } = found;
  const base = chosen?.header.lsn ?? 0;
  const isDone = removed === undefined && log.problem === undefined;
  return {
    snapshot: chosen?.file,
    ignored,
    replayed: lsn - base,
    lsn,
    log: reportOf(log, mode, isDone ? 'none' : action, base),
    setAside,
    ...(removed && { removed }),
  };
}
