/** Deleting objects: names go one by one, then each directory is synced once. Directories and lock files stay. */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError } from '../../errors.ts';
import { directoryOf, type Directories } from './directories.ts';
import { lockPathOf } from './names.ts';
import type { Target } from './publish.ts';
import type { NameSyncs } from './sync-names.ts';
import type { Turns } from './turn.ts';

interface DeleteOptions {
  readonly disk: Disk;
  readonly directories: Directories;
  readonly names: NameSyncs | undefined;
  readonly turns: Turns;
  readonly signal: AbortSignal | undefined;
}

/** The failures by key; what is not among them is gone. An abort rejects: some may be gone by then. */
export async function deleteObjects(
  targets: readonly Target[],
  options: DeleteOptions,
): Promise<Map<string, Error>> {
  const { directories, names, signal } = options;
  const failures = new Map<string, Error>();
  const touched = new Map<string, string[]>();
  for (const target of targets) {
    signal?.throwIfAborted();
    try {
      if (!(await directories.isThere(directoryOf(target.key)))) continue;
      await deleteOne(target, options);
      // Also when nothing was there: its removal may be what a failed sync left open.
      const keys = touched.get(target.directory);
      if (keys === undefined) touched.set(target.directory, [target.key]);
      else keys.push(target.key);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      failures.set(target.key, error as Error);
    }
  }
  if (names === undefined) return failures;
  for (const [directory, keys] of touched) {
    try {
      await names.sync(directory);
    } catch (error) {
      for (const key of keys) failures.set(key, error as Error);
    }
  }
  return failures;
}

async function deleteOne(target: Target, { disk, turns, signal }: DeleteOptions): Promise<void> {
  const endTurn = await turns.takeIfUsed(lockPathOf(target.path), signal);
  try {
    await disk.unlink(target.path);
  } catch (error) {
    if (isLodeError(error, 'LODE_NOT_FOUND')) return;
    // A directory is no object; how the platform refuses to unlink one differs.
    if ((await disk.info(target.path))?.kind !== 'directory') throw error;
  } finally {
    await endTurn?.();
  }
}
