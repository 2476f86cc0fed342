/**
 * The blocks of a manifest, read straight into columns: a list of a million would be a forest of objects otherwise. Takes the
 * one form that Go and we write, and answers `undefined` for every other, which is then read by the general way.
 *
 * In that form a line that begins with two blanks and a quote is a member of the manifest itself, as a raw newline cannot be
 * part of a string. Where somebody has put such a line elsewhere, `rest` shows it: its `blocks` is not the mark.
 */
import { concat, utf8Encode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { string } from '../../manifest/index.ts';
import type { BlockTable } from '../block-table.ts';
import { BlockTableBuilder } from '../block-table.ts';
import { volumeKeys } from '../keys.ts';

/** What stands for the blocks in what is left. */
export const blocksMark = '\u0000blocks';

interface Scanned {
  readonly blocks: BlockTable;
  /** The manifest without its blocks. */
  readonly rest: Uint8Array;
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const checksumBytesMax = 1024;

/** The form, piece by piece: made when it is needed, as importing should cost nothing. */
const pieces = {
  begin: '\n  "blocks": [',
  first: '\n    {\n      "offset": ',
  next: ',\n    {\n      "offset": ',
  length: ',\n      "length": ',
  checksum: ',\n      "checksum": "',
  blockEnd: '\n    }',
  listEnd: '\n  ]',
  extension: '.bin"',
} as const;
type Form = { readonly [K in keyof typeof pieces]: Uint8Array };
let made: Form | undefined;

function form(): Form {
  made ??= Object.fromEntries(
    Object.entries(pieces).map(([name, text]) => [name, utf8Encode(text)]),
  ) as Form;
  return made;
}

export function scanBlocks(
  bytes: Uint8Array,
  volume: string,
  { key, blocksMax }: { readonly key: string; readonly blocksMax: number },
): Scanned | undefined {
  const { begin, first, next, listEnd } = form();
  const start = startOfBlocks(bytes, begin);
  if (start === undefined) return undefined;
  const prefix = string(volumeKeys(volume).blockPrefix).slice(0, -1);
  const scanner = new Scanner(bytes, start, utf8Encode(`,\n      "path": ${prefix}`));
  const builder = new BlockTableBuilder();
  for (let count = 0; scanner.takes(count === 0 ? first : next); count++) {
    if (count === blocksMax) {
      throw new LodeError('LODE_LIMIT_EXCEEDED', 'a manifest lists more than the limit', {
        key,
        field: 'blocks',
        expected: blocksMax,
        actual: `more than ${blocksMax}`,
      });
    }
    if (!scanner.block(builder)) return undefined;
  }
  if (!scanner.takes(listEnd)) return undefined;
  const mark = utf8Encode(string(blocksMark));
  const rest = concat([bytes.subarray(0, start - 1), mark, bytes.subarray(scanner.at)]);
  return { blocks: builder.finish(), rest };
}

/** Just after the bracket that opens the list. */
function startOfBlocks(bytes: Uint8Array, begin: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1))
    if (begin.every((byte, i) => bytes[at + i] === byte)) return at + begin.length;
  return undefined;
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #pathMember: Uint8Array;
  readonly #form = form();
  at: number;

  constructor(bytes: Uint8Array, at: number, pathMember: Uint8Array) {
    this.#bytes = bytes;
    this.at = at;
    this.#pathMember = pathMember;
  }

  /** Goes past `piece` if it is next. */
  takes(piece: Uint8Array): boolean {
    for (let i = 0; i < piece.length; i++) if (this.#bytes[this.at + i] !== piece[i]) return false;
    this.at += piece.length;
    return true;
  }

  /** One block, from its offset on; false for anything that is not one in the usual form. */
  block(builder: BlockTableBuilder): boolean {
    const offsetAt = this.at;
    const offset = this.#number();
    const offsetEnd = this.at;
    if (offset === undefined || !this.takes(this.#form.length)) return false;
    const lengthAt = this.at;
    const length = this.#number();
    const lengthEnd = this.at;
    if (length === undefined || length === 0 || !this.takes(this.#pathMember)) return false;
    // The rest of the key repeats both numbers.
    if (!this.#repeats(offsetAt, offsetEnd) || this.#bytes[this.at++] !== 0x2d) return false;
    if (!this.#repeats(lengthAt, lengthEnd) || !this.takes(this.#form.extension)) return false;
    let [start, end] = [0, 0];
    if (this.takes(this.#form.checksum)) {
      start = this.at;
      if (!this.#skipText()) return false;
      end = this.at - 1;
    }
    builder.addAscii(offset, length, this.#bytes, start, end);
    return this.takes(this.#form.blockEnd);
  }

  #number(): number | undefined {
    const start = this.at;
    let value = 0;
    for (let byte = this.#bytes[this.at] ?? 0; byte >= 0x30 && byte <= 0x39;) {
      // Not the sum with the character first: it may be past 2^53 where the number is not.
      value = value * 10 + (byte - 0x30);
      byte = this.#bytes[++this.at] ?? 0;
    }
    const digits = this.at - start;
    const isPlain = digits > 0 && (digits === 1 || this.#bytes[start] !== 0x30);
    return isPlain && Number.isSafeInteger(value) ? value : undefined;
  }

  #repeats(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.#bytes[this.at++] !== this.#bytes[i]) return false;
    return true;
  }

  /** Goes past text and the quote that ends it. Plain ASCII only. */
  #skipText(): boolean {
    const end = this.at + checksumBytesMax;
    for (const start = this.at; this.at < end;) {
      const byte = this.#bytes[this.at++] ?? 0;
      if (byte === quote) return this.at - 1 > start;
      if (byte < 0x20 || byte > 0x7e || byte === backslash) return false;
    }
    return false;
  }
}
