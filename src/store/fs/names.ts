/** Keys as names of files: which parts fit, and which names in a directory are objects. */
import { utf8Length } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { normaliseKey, reservedEnd, reservedStart } from '../key.ts';

/** What file systems take, in UTF-8 bytes. */
const nameBytesMax = 255;

/** Longest part of a key that can be written: the lock file beside it has a longer name. */
export const componentBytesMax: number = nameBytesMax - reservedEnd.length;

/** The one spelling of a key that may be written. */
export function keyToWrite(key: string): string {
  return withPartsUpTo(componentBytesMax, normaliseKey(key));
}

/** The one spelling of a key that may be there, whoever wrote it. */
export function keyToRead(key: string): string {
  return withPartsUpTo(nameBytesMax, normaliseKey(key));
}

function withPartsUpTo(bytesMax: number, key: string): string {
  // No UTF-16 unit takes more than three bytes.
  if (key.length * 3 <= bytesMax) return key;
  for (const part of key.split('/')) {
    const bytes = utf8Length(part);
    if (bytes <= bytesMax) continue;
    throw new LodeError('LODE_INVALID_KEY', 'a part of this key is too long for a file name', {
      key,
      expected: bytesMax,
      actual: bytes,
      next: `Use parts of at most ${bytesMax} UTF-8 bytes.`,
    });
  }
  return key;
}

/** Beside the object. Go Lode takes the same. */
export function lockPathOf(path: string): string {
  return path + reservedEnd;
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
