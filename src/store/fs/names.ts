/** Keys as names of files: which parts fit, and which names in a directory are objects. */
import { utf8Length } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { normaliseKey, reservedEnd, reservedStart } from '../key.ts';

/** Longest part of a key, in UTF-8 bytes: what file systems take as a name. */
export const componentBytesMax = 255;

/** The one spelling of a key, if its parts can be names of files. */
export function fileKey(key: string): string {
  const name = normaliseKey(key);
  // No UTF-16 unit takes more than three bytes.
  if (name.length * 3 <= componentBytesMax) return name;
  for (const part of name.split('/')) {
    const bytes = utf8Length(part);
    if (bytes <= componentBytesMax) continue;
    throw new LodeError('LODE_INVALID_KEY', 'a part of this key is too long for a file name', {
      key: name,
      expected: componentBytesMax,
      actual: bytes,
      next: `Use parts of at most ${componentBytesMax} UTF-8 bytes.`,
    });
  }
  return name;
}

/**
 * The lock file of an object lies beside it. Go Lode takes the same, and fails where that name would be too long; ours
 * is then named after the end of the key, which names with the same end share.
 */
export function lockPathOf(path: string): string {
  const start = path.lastIndexOf('/') + 1;
  const name = path.slice(start);
  if (name.length * 3 <= componentBytesMax - reservedEnd.length) return path + reservedEnd;
  if (utf8Length(name) <= componentBytesMax - reservedEnd.length) return path + reservedEnd;
  const end = Array.from(name).slice(-50).join('');
  return path.slice(0, start) + reservedStart + end + reservedEnd;
}

/** False for staged files, lock files and names that no key can have: they are not objects. */
export function isObjectKey(key: string): boolean {
  try {
    return normaliseKey(key) === key;
  } catch {
    return false;
  }
}

/** False for directories that no key can lead through. */
export function isKeyPart(name: string): boolean {
  return !name.startsWith(reservedStart);
}
