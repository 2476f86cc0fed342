/** What the `lode journal` commands have in common: the directory they look at, and how its facts look. */
import { existsSync } from 'node:fs';
import { isLodeError, LodeError } from 'lode';
import { inspectWal, listSnapshots, openSnapshot } from 'lode/journal';
import type { RecoveryDamage, SnapshotFile, SnapshotHeader, WalInspection } from 'lode/journal';
import type { Call } from './command.ts';
import { usage } from './command.ts';
import { errorFacts } from './failure.ts';
import { timeText } from './text.ts';

/** The directory of the call. */
export function directoryOf(call: Call): string {
  const dir = call.arg(0);
  if (/^[a-z][a-z0-9+.-]+:/i.test(dir))
    throw usage('a journal is a directory of this machine', dir);
  return dir;
}

interface JournalFiles {
  readonly dir: string;
  readonly log: WalInspection;
  readonly snapshots: SnapshotFile[];
  /** What there is is not all: nobody can open it. */
  readonly unfinished: LodeError | undefined;
}

/** What is in it; `LODE_NOT_FOUND` when that is no journal. */
export async function journalOf(call: Call): Promise<JournalFiles> {
  const dir = directoryOf(call);
  const log = await inspectWal(dir, { recovery: 'last-good' });
  const snapshots = await listSnapshots(dir);
  const unfinished = unfinishedIn(dir);
  const isEmpty = log.files.length === 0 && log.damage === undefined && snapshots.length === 0;
  if (!isEmpty || unfinished !== undefined) return { dir, log, snapshots, unfinished };
  throw new LodeError('LODE_NOT_FOUND', 'there is no journal in this directory', { key: dir });
}

/** The notes of docs/formats/journal.md, section 1. */
function unfinishedIn(dir: string): LodeError | undefined {
  for (const [name, what] of [
    ['restoring', 'this journal has not been restored to its end'],
    ['rewinding', 'this journal has not been taken back to its end'],
  ] as const) {
    const key = `${dir}/${name}`;
    const next = 'Repeat the call that was begun: it goes on where it broke off.';
    if (existsSync(key)) return new LodeError('LODE_TRUNCATED', what, { key, next });
  }
  return undefined;
}

export interface CheckedSnapshot extends SnapshotFile {
  readonly header?: SnapshotHeader;
  readonly stateBytes: number;
  /** What is wrong with it. */
  readonly error?: LodeError;
}

/** Reads a snapshot to its end. */
export async function checkSnapshot(
  dir: string,
  { name, lsn }: SnapshotFile,
  journalId: string | undefined,
): Promise<CheckedSnapshot> {
  let stateBytes = 0;
  const path = `${dir}/${name}`;
  try {
    await using snapshot = await openSnapshot(path);
    const { header } = snapshot;
    for await (const chunk of snapshot.chunks()) stateBytes += chunk.length;
    if (journalId === undefined || header.journalId === journalId)
      return { name, lsn, header, stateBytes };
    throw new LodeError('LODE_INVALID_FORMAT', 'this snapshot is of another journal', {
      key: path,
      expected: journalId,
      actual: header.journalId,
    });
  } catch (error) {
    if (!isLodeError(error) || error.kind !== 'corrupt') throw error;
    return { name, lsn, stateBytes, error };
  }
}

export function damageFacts(damage: RecoveryDamage | undefined): object | undefined {
  if (damage === undefined) return undefined;
  const { segment, lsn, reason, bytesCut, error } = damage;
  return {
    file: segment,
    ...placeOf(error, damage),
    lsn,
    reason,
    bytesCut,
    error: errorFacts(error),
  };
}

/** Of the last write, which a crash cut short: nothing that anybody has to do anything about. */
export function tornText({ offset, segment }: RecoveryDamage): string {
  return `a crash cut the last write short, at offset ${offset} of ${segment}: never acknowledged, the next opening cuts it off`;
}

interface Place {
  readonly offset: number;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** Where something is wrong, with checksums as they are in the file: those of frames masked. */
export function placeOf(error: LodeError, damage?: RecoveryDamage): Place {
  const { offset = 0, expected, actual } = damage ?? error.details;
  const isChecksum = error.code === 'LODE_CHECKSUM_MISMATCH';
  const shown = (value: typeof actual): string | undefined =>
    isChecksum && typeof value === 'number' ? hexText(value) : value?.toString();
  return { offset, expected: shown(expected), actual: shown(actual) };
}

export function hexText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

/** Times of a journal are milliseconds; none was ever 0. */
export function whenText(ms: number): string {
  return ms === 0 ? '-' : timeText(ms);
}
