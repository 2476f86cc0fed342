/**
 * JSON from storage: limits checked before parsing, typed errors with the key and the byte offset.
 *
 * `JSON.parse` builds the value whenever it would build the right one. A cheap look at the text decides: numbers that
 * float64 cannot hold, or a text that `JSON.parse` refuses, go to the exact parser. Members called `__proto__` come
 * back as members, and change no prototype.
 */
import { utf8Decode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type { JsonPlace } from './parser.ts';
import { parseExactly } from './parser.ts';

interface JsonLimits {
  /** Larger texts are refused. */
  readonly bytesMax: number;
  /** Deeper values are refused; default `readDepthMax`. */
  readonly depthMax?: number;
}

export interface JsonReadOptions extends JsonLimits {
  /** `exact`: integers beyond 2^53 become bigints. `number` (the default): they lose digits, as in `JSON.parse`. */
  readonly integers?: 'number' | 'exact';
  /** `ignore`: what follows the first value is not looked at, as Go reads manifests. Default `refuse`. */
  readonly trailing?: 'refuse' | 'ignore';
}

/** Deep enough for any document people write; shallow enough for the recursion of those who walk it. */
export const readDepthMax = 1000;

/** Integers of 16 digits and more may be beyond 2^53, exponents of three beyond float64. May see numbers in strings. */
const maybeInexact = /(?:[:[,]|^)[ \t\n\r]*-?(?:[0-9]{16}|[0-9.]+[eE]\+?[0-9]{3})/;

/** Reads one JSON value. Throws `LODE_INVALID_FORMAT`, or `LODE_LIMIT_EXCEEDED` for size and depth. */
export function parseJson(bytes: Uint8Array, options: JsonReadOptions, place: JsonPlace): unknown {
  if (bytes.length > options.bytesMax) {
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'the JSON text is longer than the limit', {
      ...place,
      expected: options.bytesMax,
      actual: bytes.length,
    });
  }
  return parseJsonText(decodeJsonText(bytes, place), options, place);
}

/** Strict UTF-8 without a byte-order mark. */
export function decodeJsonText(bytes: Uint8Array, place: JsonPlace): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new LodeError('LODE_INVALID_FORMAT', 'the JSON text starts with a byte-order mark', {
      ...place,
      offset: place.offset ?? 0,
    });
  }
  const text = utf8Decode(bytes);
  if (text !== undefined) return text;
  throw new LodeError('LODE_INVALID_FORMAT', 'the JSON text is not UTF-8', {
    ...place,
    offset: (place.offset ?? 0) + validPrefix(bytes),
  });
}

/** `parseJson` for text that is decoded and known to be short enough. */
export function parseJsonText(
  text: string,
  options: Omit<JsonReadOptions, 'bytesMax'>,
  place: JsonPlace,
): unknown {
  const { depthMax = readDepthMax, integers = 'number', trailing = 'refuse' } = options;
  const exact = integers === 'exact';
  if (!exact || !maybeInexact.test(text)) {
    const value = parsePlain(text, depthMax);
    if (value !== undefined) return value;
  }
  return parseExactly(
    text,
    { depthMax, exactIntegers: exact, trailing: trailing === 'ignore' },
    place,
  );
}

/** What `JSON.parse` makes of the text; `undefined` when that needs a closer look: not JSON, too deep, or an infinity. */
export function parsePlain(text: string, depthMax: number): unknown {
  if (text.length > depthMax && !isShallow(text, depthMax)) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    return allFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * False when `JSON.parse` made an infinity of a number. Runs on every record: looking for digits in the text, or at
 * `Object.values`, costs twice as much.
 */
function allFinite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!allFinite(value[i])) return false;
    }
    return true;
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    const member = members[name];
    if (typeof member === 'number') {
      if (!Number.isFinite(member)) return false;
    } else if (typeof member === 'object' && !allFinite(member)) return false;
  }
  return true;
}

/** True when no value lies deeper than `depthMax`. Brackets out of balance are for the parser to find. */
function isShallow(text: string, depthMax: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = stringEnd(text, at);
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > depthMax) return false;
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return true;
}

/** Index of the quote that closes the string opened at `at`, or the end of the text. */
function stringEnd(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at;
    if (unit === 0x5c) at++;
  }
  return at;
}

/** Length of the longest prefix that is UTF-8: by blocks, then by characters of the block at fault. */
function validPrefix(bytes: Uint8Array): number {
  let at = 0;
  const advance = (end: number): boolean => {
    if (end > bytes.length || utf8Decode(bytes.subarray(at, end)) === undefined) return false;
    at = end;
    return true;
  };
  const blockEnd = (): number => {
    let end = at + 4096;
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end++;
    return end;
  };
  const characterEnd = (): number => {
    const lead = bytes[at] ?? 0;
    return at + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
  };
  while (advance(blockEnd()));
  while (advance(characterEnd()));
  return at;
}
