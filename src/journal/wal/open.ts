/** Opening a log: lock, recovery, and only then a handle. */
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { examine } from './examine.ts';
import type { Examination } from './examine.ts';
import { inspectionOf } from './inspect.ts';
import { firstLsnOf } from './names.ts';
import { checkWalOptions, walDefaults } from './options.ts';
import type { WalOptions } from './options.ts';
import { Owner } from './owner.ts';
import { assertRecoverable, repair, reportOf } from './recover.ts';
import { Reserve } from './reserve.ts';
import { OpenWal } from './wal.ts';
import type { RecoveryMode, RecoveryReport, Wal, WalInspection, WalRecord } from './types.ts';

/** Opens the log in `dir`, a directory that exists, and recovers it. */
export async function openWal(dir: string | URL, options: WalOptions = {}): Promise<Wal> {
  checkWalOptions(options);
  const disk = options.disk ?? nodeDisk();
  const path = absolutePath(dir);
  await assertDirectory(disk, path);
  const { recovery: mode } = { ...walDefaults, ...options };
  if (mode === 'salvage') {
    const examination = await examine(disk, path, options);
    const action = actionOf(examination, mode, 'salvage');
    const recovery = reportOf(examination, mode, action, options.after);
    return new OpenWal(disk, path, options, { examination, recovery });
  }
  const owner = await Owner.take(disk, path);
  try {
    await makeSure(disk, path);
    const { examination, setAside } = await recover(disk, path, mode, options);
    const report = reportOf(examination, mode, actionOf(examination, mode, 'cut'), options.after);
    const recovery = { ...report, setAside };
    return new OpenWal(disk, path, options, { examination, recovery, owner });
  } catch (error) {
    await owner.release();
    throw error;
  }
}

/** What the log is made of, and what opening it with this mode would find and do. Changes nothing, takes no lock; throws what the mode refuses. */
export async function inspectWal(
  dir: string | URL,
  options: Pick<WalOptions, 'recovery' | 'after' | 'visit' | 'disk'> = {},
): Promise<WalInspection> {
  checkWalOptions(options);
  const disk = options.disk ?? nodeDisk();
  const path = absolutePath(dir);
  await assertDirectory(disk, path);
  const { recovery: mode } = { ...walDefaults, ...options };
  const examination = await examine(disk, path, options);
  assertRecoverable(examination, mode);
  const action = actionOf(examination, mode, 'planned');
  return inspectionOf(examination, reportOf(examination, mode, action, options.after));
}

function recover(
  disk: Disk,
  dir: string,
  mode: RecoveryMode,
  { after, visit, journalId }: WalOptions,
): Promise<{ readonly examination: Examination; readonly setAside: string[] }> {
  // Each record once, however often and however far the log is read.
  let visited = 0;
  const visitNew = (record: WalRecord): void => {
    if (record.lsn <= visited) return;
    visited = record.lsn;
    visit?.(record);
  };
  return withReserve(disk, dir, async () => {
    const examination = await examine(disk, dir, { after, visit: visit && visitNew });
    assertRecoverable(examination, mode);
    assertJournal(examination, journalId, dir);
    return { examination, setAside: await repair(disk, dir, examination) };
  });
}

/** On a disk without room for it, once more with the reserve. */
export async function withReserve<T>(disk: Disk, dir: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isLodeError(error, 'LODE_STORAGE_FULL')) throw error;
    if (!(await new Reserve(disk, dir, 0).spend())) throw error;
    return run();
  }
}

export async function assertDirectory(disk: Disk, dir: string): Promise<void> {
  const info = await disk.info(`${dir}/.`);
  if (info?.kind === 'directory') return;
  const isThere = (await disk.info(dir)) !== undefined;
  throw isThere
    ? new LodeError('LODE_INVALID_ARGUMENT', 'the place of the log is not a directory', {
        key: dir,
      })
    : new LodeError('LODE_NOT_FOUND', 'the directory of the log does not exist', {
        key: dir,
        next: 'Create the directory first: a log never makes it.',
      });
}

export function assertJournal(
  { journalId }: Examination,
  wanted: string | undefined,
  key: string,
): void {
  if (wanted === undefined || journalId === undefined || journalId === wanted) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this is the log of another journal', {
    key,
    field: 'journalId',
    expected: wanted,
    actual: journalId,
    next: 'Open the directory that the snapshots of this journal are in.',
  });
}

/**
 * Whoever wrote last may have been killed between a write and its sync: what we are about to read, and to count on, is made durable
 * first. Only the last segment can be less than that.
 */
export async function makeSure(disk: Disk, dir: string): Promise<void> {
  const names = (await disk.list(dir)).map(({ name }) => name).sort();
  const last = names.findLast((name) => firstLsnOf(name) !== undefined);
  if (last === undefined) return;
  const file = await disk.open(`${dir}/${last}`, 'write');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.syncDirectory(dir);
}

function actionOf(
  { problem }: Examination,
  mode: RecoveryMode,
  action: RecoveryReport['action'],
): RecoveryReport['action'] {
  if (problem === undefined) return 'none';
  return mode === 'salvage' ? 'salvage' : action;
}
