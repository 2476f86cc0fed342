/**
 * What a record holds before the caller's bytes: its kind, its place in the log and in its group, its time
 * (docs/formats/journal.md, section 3). Five bytes for most.
 */

/** `data`: the caller's. The others are a file's own first and last record, and the parts of a snapshot. */
export const recordKinds = { data: 0, header: 1, seal: 2, chunk: 3, footer: 4 } as const;

export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

/** Set in the first byte of the last record of a group. */
export const lastOfGroup = 0x10;
const kindMask = 0x0f;
const reserved = 0xe0;

export interface RecordPrefix {
  readonly kind: RecordKind;
  /** Log sequence number; in a snapshot, the place of the record in the file. */
  readonly lsn: number;
  /** Records of the same group before this one. */
  readonly index: number;
  /** Milliseconds since the record before it in the file; may be negative, as clocks are. */
  readonly timeDelta: number;
}

export const prefixBytesMax = 16;

/** Writes the prefix at the start of `into` and says how long it is. */
export function encodePrefix(into: Uint8Array, prefix: RecordPrefix): number {
  into[0] = prefix.kind;
  into[1] = prefix.lsn & 0xff;
  into[2] = (prefix.lsn >>> 8) & 0xff;
  const { timeDelta } = prefix;
  const at = encodeVarint(into, 3, prefix.index);
  return encodeVarint(into, at, timeDelta < 0 ? -timeDelta * 2 - 1 : timeDelta * 2);
}

function encodeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    into[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[at++] = rest;
  return at;
}

/** Decodes into itself, so that reading a million records makes no million objects. */
export class PrefixDecoder {
  kind: number = recordKinds.data;
  isLast = false;
  /** The low 16 bits of the LSN. */
  lsnLow = 0;
  index = 0;
  timeDelta = 0;
  /** Length of the prefix. */
  length = 0;
  #at = 0;

  /** False when the bytes are no prefix that this version writes. */
  decode(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 5) return false;
    const flags = bytes[start] as number;
    this.kind = flags & kindMask;
    this.isLast = (flags & lastOfGroup) !== 0;
    this.lsnLow = (bytes[start + 1] as number) | ((bytes[start + 2] as number) << 8);
    this.#at = start + 3;
    this.index = this.#varint(bytes, end);
    const zigzag = this.#varint(bytes, end);
    this.timeDelta = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    this.length = this.#at - start;
    return (flags & reserved) === 0 && this.kind <= recordKinds.footer && this.#at <= end;
  }

  /** Leaves `#at` beyond `end` when there is none. */
  #varint(bytes: Uint8Array, end: number): number {
    if (this.#at < end && (bytes[this.#at] as number) < 0x80) return bytes[this.#at++] as number;
    let value = 0;
    for (let scale = 1; this.#at < end && scale <= 2 ** 49; scale *= 0x80) {
      const byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    this.#at = end + 1;
    return value;
  }
}

/** The full LSN of which these are the low 16 bits: the first one not below `from`. */
export function resolveLsn(low: number, from: number): number {
  return from + ((low - from) & 0xffff);
}
