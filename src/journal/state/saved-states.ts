/**
 * The snapshots of a journal: which one a state is rebuilt from, what is wrong with the others, and which may go.
 *
 * The newest that verifies wins. One that does not is never deleted: it goes aside, once the journal is opened to write.
 */
import { concat } from '../../bytes/index.ts';
import type { Disk } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { SnapshotHeader } from '../snapshot/header.ts';
import { listSnapshots, openSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotFile } from '../snapshot/snapshot.ts';
import { moveAside } from '../wal/recover.ts';
import type { JournalPoint } from './options.ts';
import { assertRestored } from './restoring.ts';

/** A snapshot that was passed over. */
export interface IgnoredSnapshot extends SnapshotFile {
  /** `version`: another version of the caller's code made it, and its state is not trusted. */
  readonly reason: 'damaged' | 'version';
  readonly error?: LodeError;
}

export interface SavedState {
  readonly file: SnapshotFile;
  readonly header: SnapshotHeader;
  readonly bytes: Uint8Array;
}

export interface FoundStates {
  readonly chosen: SavedState | undefined;
  readonly ignored: readonly IgnoredSnapshot[];
}

interface Wanted {
  readonly until: JournalPoint | undefined;
  /** False for a snapshot whose state must not be used. */
  readonly isTrusted: (header: SnapshotHeader) => boolean;
  /** Throw for the first one that is damaged. */
  readonly isStrict: boolean;
}

/** Reads snapshots, the newest first, until one verifies. Changes nothing. */
export async function findState(disk: Disk, dir: string, wanted: Wanted): Promise<FoundStates> {
  const { until, isTrusted, isStrict } = wanted;
  const ignored: IgnoredSnapshot[] = [];
  for (const file of await listSnapshots(dir, { disk })) {
    if (until?.lsn !== undefined && file.lsn > until.lsn) continue;
    try {
      const open = await openSnapshot(`${dir}/${file.name}`, { disk });
      try {
        const { header } = open;
        if (until?.timeMs !== undefined && header.timeMs > until.timeMs) continue;
        if (!isTrusted(header)) {
          ignored.push({ ...file, reason: 'version' });
          continue;
        }
        const parts: Uint8Array[] = [];
        for await (const chunk of open.chunks()) parts.push(chunk.slice());
        return { chosen: { file, header, bytes: concat(parts) }, ignored };
      } finally {
        await open.close();
      }
    } catch (error) {
      const isDamage = isLodeError(error) && error.kind === 'corrupt';
      if (!isDamage || isStrict) throw error;
      ignored.push({ ...file, reason: 'damaged', error });
    }
  }
  return { chosen: undefined, ignored };
}

/** The log does not go back to where it is wanted from. */
export function isGap(error: unknown): error is LodeError {
  return isLodeError(error, 'LODE_TRUNCATED') && error.details.field === 'first LSN';
}

/** When the log does not go back far enough because a snapshot is damaged, that is the error. */
export function damageBefore<E>(error: E, { ignored }: FoundStates): E | LodeError {
  const damaged = ignored.find(({ reason }) => reason === 'damaged')?.error;
  return isGap(error) && damaged !== undefined ? damaged : error;
}

export async function reachingBack<T>(found: FoundStates, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw damageBefore(error, found);
  }
}

/** For who has the lock by now: renames damaged snapshots, so that nobody takes them for one. Returns their new names. */
export async function takeOver(
  disk: Disk,
  dir: string,
  { ignored }: FoundStates,
): Promise<string[]> {
  // Looked for before; but one may have begun since, and have broken off before the lock was ours.
  await assertRestored(disk, dir);
  return moveAside(disk, dir, damagedNames(ignored));
}

export function damagedNames(ignored: readonly IgnoredSnapshot[]): string[] {
  return ignored.filter(({ reason }) => reason === 'damaged').map(({ name }) => name);
}

/**
 * Deletes all snapshots but the newest `keep` that can be used, of which the caller has just verified the first. Returns the LSN of the
 * oldest one left: the log behind it is needed. While there are fewer, the initial state counts as one, and all of the log is.
 */
export async function deleteOldStates(
  disk: Disk,
  dir: string,
  keep: number,
  isTrusted: (header: SnapshotHeader) => boolean,
): Promise<number> {
  const files = await listSnapshots(dir, { disk });
  let [kept, usable] = [0, 0];
  while (kept < files.length && usable < keep) {
    const header = await headerOf(disk, `${dir}/${files[kept++]?.name}`);
    if (header !== undefined && isTrusted(header)) usable++;
  }
  for (const { name } of files.slice(kept).reverse()) await disk.unlink(`${dir}/${name}`);
  if (files.length > kept) await disk.syncDirectory(dir);
  return usable < keep ? 0 : (files[kept - 1]?.lsn ?? 0);
}

/** Undefined when it is damaged. */
export async function headerOf(disk: Disk, path: string): Promise<SnapshotHeader | undefined> {
  try {
    const open = await openSnapshot(path, { disk });
    await open.close();
    return open.header;
  } catch (error) {
    if (!isLodeError(error) || error.kind !== 'corrupt') throw error;
    return undefined;
  }
}

/** Does it again when whoever has the journal open took a snapshot meanwhile, and dropped the log that was counted on. */
export async function despiteUpkeep<T>(disk: Disk, dir: string, run: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = await newestName(disk, dir);
    try {
      return await run();
    } catch (error) {
      const isStale = isLodeError(error, 'LODE_TRUNCATED', 'LODE_NOT_FOUND');
      if (!isStale || (await newestName(disk, dir)) === before) throw error;
    }
  }
}

async function newestName(disk: Disk, dir: string): Promise<string | undefined> {
  try {
    return (await listSnapshots(dir, { disk }))[0]?.name;
  } catch (error) {
    // That the directory is missing is for the log to say.
    if (isLodeError(error, 'LODE_NOT_FOUND', 'LODE_INVALID_ARGUMENT')) return undefined;
    throw error;
  }
}
