/**
 * Puts a CRC-32 into the header of each page the peer has written, and moves what the footer will say accordingly.
 *
 * The manifest's checksum covers a file read whole; a reader that fetches single columns has only these. Go and other
 * readers verify them too.
 */
import type { ColumnMetaData, RowGroup } from 'hyparquet';
import { concat } from '../../bytes/collect.ts';
import { assert } from '../../errors.ts';
import { crc32 } from './crc32.ts';
import { ThriftReader } from './thrift.ts';

/** Compact Thrift: a 32-bit integer in the field after the last one. */
const nextInt = 0x15;

/**
 * Rewrites one row group. `bytes` are its chunks, of which the first begins at `offset` in the file; returns them with
 * checksums, and changes offsets and sizes in `group` to match.
 */
export function addPageChecksums(bytes: Uint8Array, offset: number, group: RowGroup): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  let size = 0;
  for (const chunk of group.columns) {
    const meta = chunk.meta_data;
    assert(meta !== undefined, 'the peer describes every chunk it writes');
    const end = at + Number(meta.total_compressed_size);
    const dataAt = Number(meta.data_page_offset) - offset;
    const first = size;
    let data = first;
    while (at < end) {
      if (at === dataAt) data = size;
      const page = withChecksum(bytes, at);
      parts.push(...page.parts);
      size += page.size;
      at = page.end;
    }
    assert(at === end && dataAt < end, 'pages fill their chunk');
    chunk.file_offset = BigInt(offset + first);
    place(meta, BigInt(offset + first), BigInt(offset + data), BigInt(size - first));
  }
  assert(at === bytes.length, 'chunks fill their row group');
  group.total_byte_size += BigInt(size - at);
  group.total_compressed_size = BigInt(size);
  return concat(parts);
}

function place(meta: ColumnMetaData, first: bigint, data: bigint, size: bigint): void {
  const grown = size - meta.total_compressed_size;
  if (meta.dictionary_page_offset !== undefined) meta.dictionary_page_offset = first;
  meta.data_page_offset = data;
  meta.total_compressed_size = size;
  meta.total_uncompressed_size += grown;
}

interface Page {
  readonly parts: readonly Uint8Array[];
  readonly size: number;
  /** Where the page ends in the bytes it came from. */
  readonly end: number;
}

/** A header is type, two sizes, then one struct that tells the rest: the checksum goes between them, as field 4. */
function withChecksum(bytes: Uint8Array, start: number): Page {
  const reader = new ThriftReader(bytes, start, { key: '', offset: 0 });
  let stored = -1;
  let sizesEnd = -1;
  let fields = 0;
  reader.struct((id, type) => {
    fields++;
    if (id !== 3) return false;
    stored = reader.int(type);
    sizesEnd = reader.at;
    return true;
  });
  const bodyAt = reader.at;
  const head = bytes[sizesEnd] ?? 0;
  assert(
    fields === 4 && stored >= 0 && head > 0x2f,
    'the peer writes page headers without checksum',
  );
  const end = bodyAt + stored;
  const body = bytes.subarray(bodyAt, end);
  const crc = crc32(body) | 0;
  const middle = [nextInt, ...varint((crc << 1) ^ (crc >> 31)), head - 0x10];
  return {
    parts: [
      bytes.subarray(start, sizesEnd),
      new Uint8Array(middle),
      bytes.subarray(sizesEnd + 1, end),
    ],
    size: end - start + middle.length - 1,
    end,
  };
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...out, rest];
}
