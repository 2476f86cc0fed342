/**
 * Block checksums as text, and packed: 33 bytes a block for every built-in algorithm.
 *
 * Ours are written `name:hex`, except md5, which is bare as Go writes it. So a block says itself what its digest is, and a
 * history that several writers have committed to with different algorithms stays verifiable (E-24).
 */
import type { Checksum } from '../encoding/checksum.ts';
import type { Reader, Writer } from './run-bytes.ts';

const packedBytes = 32;
/** By byte; made when the first one is needed. */
let hexOfByte: readonly string[] | undefined;

/**
 * Forms that are packed, by the byte that stands for them, in runs too: what comes before the digits, and how many bytes
 * they are. To be added to, never to be changed.
 */
const forms = [
  { prefix: '', bytes: 0 },
  { prefix: '', bytes: 16 },
  { prefix: 'sha256:', bytes: 32 },
  { prefix: 'crc32c:', bytes: 4 },
  { prefix: 'blake3:', bytes: 32 },
  { prefix: '', bytes: 32 },
] as const;
const none = 0;
/** Of a form of its own: kept as text. */
const odd = 255;

/** A column of optional checksums. */
export class Digests {
  #forms: Uint8Array;
  #packed: Uint8Array;
  readonly #odd = new Map<number, string>();

  constructor(capacity: number) {
    this.#forms = new Uint8Array(capacity);
    this.#packed = new Uint8Array(capacity * packedBytes);
  }

  get(i: number): string | undefined {
    const code = this.#forms[i] ?? none;
    if (code === none) return undefined;
    const form = forms[code];
    if (form === undefined) return this.#odd.get(i);
    return form.prefix + hexOf(this.#packed, i * packedBytes, form.bytes);
  }

  set(i: number, text: string | undefined): void {
    this.#forms[i] = none;
    if (text === undefined) return;
    const code = forms.findIndex(
      ({ prefix, bytes }) =>
        bytes > 0 && text.length === prefix.length + bytes * 2 && text.startsWith(prefix),
    );
    const form = forms[code];
    if (form !== undefined && pack(text, form.prefix.length, this.#packed, i * packedBytes)) {
      this.#forms[i] = code;
      return;
    }
    this.#forms[i] = odd;
    this.#odd.set(i, text);
  }

  /** The same from the ASCII bytes of the text. */
  setAscii(i: number, bytes: Uint8Array, start: number, end: number): void {
    for (let code = 1; code < forms.length; code++) {
      const form = forms[code];
      if (form === undefined || end - start !== form.prefix.length + form.bytes * 2) continue;
      if (!isAt(bytes, start, form.prefix)) continue;
      if (!packBytes(bytes, start + form.prefix.length, end, this.#packed, i * packedBytes)) break;
      this.#forms[i] = code;
      return;
    }
    this.set(i, String.fromCharCode(...bytes.subarray(start, end)));
  }

  /** Takes over one of another column. */
  copy(i: number, from: Digests, j: number): void {
    const code = from.#forms[j] ?? none;
    if (code === odd) {
      this.set(i, from.get(j));
      return;
    }
    this.#forms[i] = code;
    const at = j * packedBytes;
    this.#packed.set(from.#packed.subarray(at, at + packedBytes), i * packedBytes);
  }

  /** As runs have it: the form, then its bytes. */
  write(i: number, out: Writer): void {
    const code = this.#forms[i] ?? none;
    out.byte(code);
    if (code === odd) out.text(this.#odd.get(i) ?? '');
    else
      out.raw(this.#packed.subarray(i * packedBytes, i * packedBytes + (forms[code]?.bytes ?? 0)));
  }

  read(i: number, from: Reader): void {
    const code = from.byte();
    const form = forms[code];
    if (code === odd) {
      this.set(i, from.text());
      return;
    }
    if (form === undefined) throw from.fault('a checksum is of a form that is not known');
    this.#packed.set(from.raw(form.bytes), i * packedBytes);
    this.#forms[i] = code;
  }

  resize(capacity: number): void {
    this.#forms = resized(this.#forms, capacity);
    this.#packed = resized(this.#packed, capacity * packedBytes);
  }
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length >= length) return bytes.slice(0, length);
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

function hexOf(bytes: Uint8Array, at: number, count: number): string {
  hexOfByte ??= Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
  let text = '';
  for (let i = at; i < at + count; i++) text += hexOfByte[bytes[i] ?? 0] ?? '';
  return text;
}

function isAt(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** False unless the text from `at` on is lower-case hex. */
function pack(text: string, at: number, into: Uint8Array, to: number): boolean {
  for (let i = at; i < text.length; i += 2) {
    const high = digitOf(text.charCodeAt(i));
    const low = digitOf(text.charCodeAt(i + 1));
    if ((high | low) > 15) return false;
    into[to++] = high * 16 + low;
  }
  return true;
}

function packBytes(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: Uint8Array,
  to: number,
): boolean {
  for (let i = at; i < end; i += 2) {
    const high = digitOf(bytes[i] ?? 0);
    const low = digitOf(bytes[i + 1] ?? 0);
    if ((high | low) > 15) return false;
    into[to++] = high * 16 + low;
  }
  return true;
}

/** Above 15 for all but lower-case hex digits. */
function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  return unit >= 0x61 && unit <= 0x66 ? unit - 0x57 : 255;
}

/** What a manifest holds for a digest of `checksum`. */
export function checksumText({ name }: Checksum, hex: string): string {
  return name === 'md5' ? hex : `${name}:${hex}`;
}

interface NamedDigest {
  /** `undefined` when nothing says which algorithm it is of. */
  readonly algorithm: string | undefined;
  readonly hex: string;
}

/** Names that a committing process of ours may give a manifest whose bare digests are Go's md5. */
const ours: ReadonlySet<string> = new Set(['sha256', 'crc32c', 'blake3']);

/** @param algorithm  What the manifest names: the algorithm of its last writer. A prefix is believed before it. */
export function namedDigest(text: string, algorithm: string | undefined): NamedDigest {
  const colon = text.indexOf(':');
  if (colon > 0) return { algorithm: text.slice(0, colon), hex: text.slice(colon + 1) };
  const isMd5 = text.length === 32 && (algorithm === undefined || ours.has(algorithm));
  return { algorithm: isMd5 ? 'md5' : algorithm, hex: text };
}
