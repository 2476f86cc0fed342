/** Text and its UTF-8 bytes. All ordering of names in Lode is by these bytes, not by UTF-16 code units. */
import { cut, cutBytesMax, inlineBytesMax } from './slab.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8Encode(text: string): Uint8Array {
  if (text.length <= inlineBytesMax) {
    const short = asciiBytes(text);
    if (short !== undefined) return short;
  }
  if (text.length > cutBytesMax) return encoder.encode(text);
  // Most text is ASCII, and fits a byte for each of its units.
  const bytes = cut(text.length);
  if (encoder.encodeInto(text, bytes).read === text.length) return bytes;
  return encoder.encode(text);
}

function asciiBytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return undefined;
    bytes[i] = unit;
  }
  return bytes;
}

/** Decodes strictly; `undefined` when the bytes are not UTF-8. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Compares as the UTF-8 encodings would, without encoding: surrogates (U+10000 and up) sort above U+E000..U+FFFF, and
 * all other code units sort as they are.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2800 : unit >= 0xe000 ? unit - 0x800 : unit;
}

/** False for text with a lone surrogate, which has no UTF-8 encoding. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Bytes of the UTF-8 encoding, without encoding. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate is half of a 4-byte sequence (alone, it is replaced by 3 bytes; keys never hold one alone).
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
