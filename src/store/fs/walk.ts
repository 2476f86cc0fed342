/**
 * Keys below a prefix in ascending UTF-8 byte order, as a flat store would list them.
 *
 * A directory sorts as its name with a `/`, since that is how the keys below it go on (`a.b` < `a/c` < `a0`). Memory is
 * bounded by the entries of the directories on one way down. Staged files, lock files and links are not objects.
 */
import { compareUtf8 } from '../../bytes/index.ts';
import type { DirectoryEntry, Disk } from '../../disk/disk.ts';
import { isLodeError } from '../../errors.ts';
import type { CommonPrefix } from '../store.ts';
import { directoryOf } from './directories.ts';
import { isKeyPart, isObjectKey } from './names.ts';

interface WalkOptions {
  readonly disk: Disk;
  /** Path on disk of a directory of the store. */
  readonly path: (directory: string) => string;
  readonly prefix: string;
  readonly startAfter: string | undefined;
  /** Fold what lies below the next `/` after the prefix. */
  readonly fold: boolean;
}

/** Yields keys of files and, with `fold`, prefixes. The directory of the prefix is there. */
export function walk(options: WalkOptions): AsyncGenerator<string | CommonPrefix> {
  return descend(directoryOf(options.prefix), options);
}

async function* descend(
  directory: string,
  options: WalkOptions,
): AsyncGenerator<string | CommonPrefix> {
  const { prefix, startAfter, fold } = options;
  for (const key of await keysIn(directory, options)) {
    if (!key.startsWith(prefix)) continue;
    if (!key.endsWith('/')) {
      if (startAfter === undefined || compareUtf8(key, startAfter) > 0) yield key;
    } else if (isPassed(key, startAfter)) {
      continue;
    } else if (!fold) {
      yield* descend(key.slice(0, -1), options);
    } else if (
      (startAfter === undefined || compareUtf8(key, startAfter) > 0) &&
      (await holdsObjects(key.slice(0, -1), options))
    ) {
      yield { prefix: key };
    }
  }
}

/** True when every key that starts with `folder`, which ends in `/`, comes before `startAfter` or is it. */
function isPassed(folder: string, startAfter: string | undefined): boolean {
  if (startAfter === undefined || startAfter.startsWith(folder)) return false;
  return compareUtf8(folder, startAfter) < 0;
}

/** An empty directory is no prefix of anything. */
async function holdsObjects(directory: string, options: WalkOptions): Promise<boolean> {
  for (const key of await keysIn(directory, options)) {
    if (!key.endsWith('/') || (await holdsObjects(key.slice(0, -1), options))) return true;
  }
  return false;
}

/** Keys of objects, and of directories with a `/`, in order. Nothing when the directory has gone. */
async function keysIn(directory: string, { disk, path }: WalkOptions): Promise<string[]> {
  let entries: DirectoryEntry[];
  try {
    entries = await disk.list(path(directory));
  } catch (error) {
    if (isLodeError(error, 'LODE_NOT_FOUND')) return [];
    throw error;
  }
  const start = directory === '' ? '' : `${directory}/`;
  const keys: string[] = [];
  for (const { name, kind } of entries) {
    const key = start + name;
    if (kind === 'file' && isObjectKey(key)) keys.push(key);
    else if (kind === 'directory' && isKeyPart(name)) keys.push(`${key}/`);
  }
  return keys.sort(compareUtf8);
}
