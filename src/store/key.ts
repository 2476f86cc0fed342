/**
 * Object keys: one verdict for every store.
 *
 * A key is relative, `/`-separated and well-formed UTF-8. Redundant `//`, `/./`, `x/../` and trailing `/` are cleaned
 * away; what would leave the root, hide from people (control characters), collide once encoded (lone surrogates), mean a
 * path separator elsewhere (`\`), or collide with an adapter's own files is `LODE_INVALID_KEY` everywhere. What only some
 * file systems cannot hold (long parts, device names, case pairs) is legal here and limited by capabilities.
 */
import { isWellFormed, utf8Length } from '../bytes/text.ts';
import { LodeError } from '../errors.ts';

/** Longest key, in UTF-8 bytes: what every object store takes. */
export const keyBytesMax = 1024;

/** Start of names that adapters use for their own files; never part of a key. */
export const reservedStart = '.lode-';
/** End of the names of lock files that lie beside pointers; never the end of a key. */
export const reservedEnd = '.lock';

/** Character classes below 128: 0 ordinary, 1 needs the slow path or is forbidden. */
const special = new Uint8Array(128);
special.fill(1, 0, 0x20);
for (const char of './\\\x7f') special[char.charCodeAt(0)] = 1;

const slash = 0x2f;
const dot = 0x2e;

/** The one spelling of a key, or `LODE_INVALID_KEY`. A clean key costs one scan and comes back as it is. */
export function normaliseKey(key: string): string {
  return isClean(key) ? key : cleanKey(key);
}

/**
 * The one spelling of a list prefix: `''` for everything. A trailing `/` stays, since it asks for whole parts; the last
 * part may be the beginning of a name.
 */
export function normalisePrefix(prefix: string): string {
  if (prefix === '' || prefix === '.') return '';
  checkCharacters(prefix);
  const parts = resolve(prefix);
  const last = prefix.slice(prefix.lastIndexOf('/') + 1);
  const whole = last === '' || last === '.' || last === '..';
  const clean = parts.join('/') + (whole && parts.length > 0 ? '/' : '');
  checkParts(prefix, clean, parts);
  return clean;
}

/** True when a scan finds nothing to clean, forbid or count: ASCII, no empty part, no part that starts with a dot. */
function isClean(key: string): boolean {
  if (typeof key !== 'string' || key.length > keyBytesMax) return false;
  let before = slash;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if (unit > 127) return false;
    if (special[unit] === 1) {
      if (unit === slash || unit === dot) {
        if (before === slash) return false;
      } else return false;
    }
    before = unit;
  }
  return before !== slash && ((before | 0x20) !== 0x6b || !isReservedEnd(key));
}

function cleanKey(key: string): string {
  checkCharacters(key);
  const parts = resolve(key);
  if (parts.length === 0) throw invalid(key, 'key is empty');
  const clean = parts.join('/');
  checkParts(key, clean, parts);
  if (isReservedEnd(clean)) throw invalid(key, 'key ends in ".lock", which is reserved');
  return clean;
}

function checkCharacters(key: string): void {
  if (typeof key !== 'string') throw invalid(String(key), 'key is not a string');
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) {
      throw invalid(key, 'key contains a control character', i);
    }
    if (unit === 0x5c) throw invalid(key, 'key contains a backslash', i);
  }
  if (!isWellFormed(key)) throw invalid(key, 'key contains half of a surrogate pair');
}

/** Resolves `.`, `..` and empty parts without ever leaving the root, not even for a moment. */
function resolve(key: string): string[] {
  if (key.charCodeAt(0) === slash) throw invalid(key, 'key starts with a slash');
  const parts: string[] = [];
  for (const part of key.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw invalid(key, 'key leaves the root of the store');
  }
  return parts;
}

function isReservedEnd(key: string): boolean {
  return key.slice(-reservedEnd.length).toLowerCase() === reservedEnd;
}

function checkParts(key: string, clean: string, parts: readonly string[]): void {
  for (const part of parts) {
    // File systems that fold case would take `.LODE-x` for ours.
    if (part.toLowerCase().startsWith(reservedStart)) {
      throw invalid(key, 'key has a part that starts with ".lode-", which is reserved');
    }
  }
  const bytes = utf8Length(clean);
  if (bytes > keyBytesMax) {
    throw new LodeError('LODE_INVALID_KEY', 'key is too long', {
      key: shortened(key),
      expected: keyBytesMax,
      actual: bytes,
      next: 'Use a key of at most 1,024 UTF-8 bytes.',
    });
  }
}

function invalid(key: string, what: string, offset?: number): LodeError {
  return new LodeError('LODE_INVALID_KEY', what, {
    key: shortened(key),
    ...(offset === undefined ? {} : { offset }),
  });
}

/** A hostile key may be megabytes long; an error names its beginning. */
function shortened(key: string): string {
  return key.length <= 200 ? key : `${key.slice(0, 200)}…`;
}
