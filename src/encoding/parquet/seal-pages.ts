/**
 * Seals the pages the peer has written: compresses each, puts its CRC-32 into the header, and moves what the footer will say
 * accordingly.
 *
 * The manifest's checksum covers a file read whole; a reader that fetches single columns has only those of the pages. Go
 * and other readers verify them too. Compressing here, and not in the peer, allows for compressors that take their time.
 */
import type { RowGroup } from 'hyparquet';
import { concat } from '../../bytes/collect.ts';
import { assert } from '../../errors.ts';
import { crc32 } from './crc32.ts';
import type { PageCompressor } from './page-compressors.ts';
import { ThriftReader } from './thrift.ts';

/** Compact Thrift: a 32-bit integer in the field after the last one. */
const nextInt = 0x15;
const dataPageV2 = 3;

/**
 * Rewrites one row group that the peer wrote without compression. `bytes` are its chunks, of which the first begins at
 * `offset` in the file; changes offsets and sizes in `group` to match what it returns.
 */
export async function sealPages(
  bytes: Uint8Array,
  offset: number,
  group: RowGroup,
  compressor: PageCompressor,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let at = 0;
  let size = 0;
  let plain = 0;
  for (const chunk of group.columns) {
    const meta = chunk.meta_data;
    assert(meta !== undefined, 'the peer describes every chunk it writes');
    const end = at + Number(meta.total_compressed_size);
    const dataAt = Number(meta.data_page_offset) - offset;
    const first = size;
    const firstPlain = plain;
    let data = first;
    while (at < end) {
      if (at === dataAt) data = size;
      const page = await sealPage(bytes, at, compressor);
      parts.push(page.header, ...page.body);
      for (const part of page.body) size += part.length;
      size += page.header.length;
      plain += page.header.length + (page.end - page.bodyAt);
      at = page.end;
    }
    assert(at === end && dataAt < end, 'pages fill their chunk');
    chunk.file_offset = BigInt(offset + first);
    if (meta.dictionary_page_offset !== undefined)
      meta.dictionary_page_offset = BigInt(offset + first);
    meta.data_page_offset = BigInt(offset + data);
    meta.codec = compressor.codec;
    meta.total_compressed_size = BigInt(size - first);
    meta.total_uncompressed_size = BigInt(plain - firstPlain);
  }
  assert(at === bytes.length, 'chunks fill their row group');
  group.total_byte_size = BigInt(plain);
  group.total_compressed_size = BigInt(size);
  return concat(parts);
}

interface SealedPage {
  readonly header: Uint8Array;
  readonly body: readonly Uint8Array[];
  /** Where the body begins and ends in the bytes the page came from. */
  readonly bodyAt: number;
  readonly end: number;
}

/** A header is type, two sizes, then one struct that tells the rest: the checksum goes between them, as field 4. */
async function sealPage(
  bytes: Uint8Array,
  start: number,
  compressor: PageCompressor,
): Promise<SealedPage> {
  const found = readHeader(bytes, start);
  const end = found.bodyAt + found.stored;
  // Levels are never compressed in the second version of data pages, so that they can be read alone.
  const levels = bytes.subarray(found.bodyAt, found.bodyAt + found.levelBytes);
  const packed = await compressor.compress(bytes.subarray(found.bodyAt + found.levelBytes, end));
  const crc = crc32(packed, crc32(levels)) | 0;
  const stored = levels.length + packed.length;
  const middle = [nextInt, ...varint(stored << 1), nextInt, ...varint((crc << 1) ^ (crc >> 31))];
  const header = concat([
    bytes.subarray(start, found.sizeEnd),
    new Uint8Array([...middle, found.head - 0x10]),
    bytes.subarray(found.storedEnd + 1, found.bodyAt),
  ]);
  return { header, body: [levels, packed], bodyAt: found.bodyAt, end };
}

interface PlainHeader {
  /** Ends of the two size fields, and the first byte of the field after them. */
  readonly sizeEnd: number;
  readonly storedEnd: number;
  readonly head: number;
  readonly bodyAt: number;
  readonly stored: number;
  readonly levelBytes: number;
}

function readHeader(bytes: Uint8Array, start: number): PlainHeader {
  const reader = new ThriftReader(bytes, start, { key: '', offset: 0 });
  const found = { sizeEnd: -1, storedEnd: -1, stored: -1, levelBytes: 0 };
  let type = -1;
  let fields = 0;
  reader.struct((id, kind) => {
    fields++;
    if (id === 1) type = reader.int(kind);
    else if (id === 2) {
      reader.int(kind);
      found.sizeEnd = reader.at;
    } else if (id === 3) {
      found.stored = reader.int(kind);
      found.storedEnd = reader.at;
    } else if (id === 8 && type === dataPageV2) found.levelBytes = readLevelBytes(reader);
    else return false;
    return true;
  });
  const head = bytes[found.storedEnd] ?? 0;
  assert(
    fields === 4 && found.sizeEnd > 0 && found.stored >= 0 && head > 0x2f,
    'the peer writes page headers without checksum',
  );
  return { ...found, head, bodyAt: reader.at };
}

function readLevelBytes(reader: ThriftReader): number {
  let bytes = 0;
  reader.struct((id, type) => {
    if (id !== 5 && id !== 6) return false;
    bytes += reader.int(type);
    return true;
  });
  return bytes;
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
