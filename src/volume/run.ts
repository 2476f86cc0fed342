/**
 * A run: a sorted table of blocks as an object of its own, written once (docs/formats/volume.md, section 6). Compact manifests
 * name their runs by digest, so a reader knows every byte before it decodes one.
 */
import type { BlockTable } from './block-table.ts';
import { BlockTableBuilder } from './block-table.ts';
import { Reader, Writer } from './run-bytes.ts';

const magic = 'lodeRUN1';

export function encodeRun(table: BlockTable): Uint8Array {
  const out = new Writer();
  for (let i = 0; i < magic.length; i++) out.byte(magic.charCodeAt(i));
  out.number(table.count);
  let end = 0;
  for (let i = 0; i < table.count; i++) {
    out.number(table.offsetAt(i) - end);
    end = table.endAt(i);
    out.number(end - table.offsetAt(i));
    table.digestTo(i, out);
  }
  return out.bytes();
}

interface RunFacts {
  readonly key: string;
  readonly count: number;
  /** Length of the volume. */
  readonly totalLength: number;
}

/** Refuses what is not a run of this many blocks within the volume: `LODE_MANIFEST_INVALID`. */
export function decodeRun(bytes: Uint8Array, { key, count, totalLength }: RunFacts): BlockTable {
  const from = new Reader(bytes, key);
  for (let i = 0; i < magic.length; i++)
    if (from.byte() !== magic.charCodeAt(i)) throw from.fault('it does not begin as a run does');
  // Before room is made for them: the smallest block takes three bytes.
  if (from.number() !== count || count * 3 > bytes.length)
    throw from.fault('it holds another number of blocks');
  const builder = new BlockTableBuilder(count);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const offset = end + from.number();
    const length = from.number();
    if (length === 0 || !(length <= totalLength - offset))
      throw from.fault('a block is not within the volume');
    end = offset + length;
    builder.addFrom(offset, length, from);
  }
  if (!from.isAtEnd) throw from.fault('bytes follow the last block');
  return builder.finish();
}
