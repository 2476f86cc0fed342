/**
 * Pages of one column chunk: headers, checks, decompressed bodies.
 *
 * `walkPages` looks at headers only, so a chunk that lies about its counts or sizes is refused before anything is
 * decompressed or allocated for it.
 */
import { crc32 } from './crc32.ts';
import { decompressPage } from './compression.ts';
import type { FileColumn } from './footer-schema.ts';
import { corrupt, tooLarge, unsupported } from './place.ts';
import type { Place } from './place.ts';
import { ThriftReader } from './thrift.ts';

export const encodings = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinary: 5,
  deltaLength: 6,
  deltaBytes: 7,
  dictionary: 8,
  byteStreamSplit: 9,
} as const;

interface PageHeader {
  readonly kind: 'data' | 'dataV2' | 'dictionary';
  readonly place: Place;
  readonly bodyAt: number;
  readonly stored: number;
  readonly size: number;
  readonly crc: number | undefined;
  readonly values: number;
  readonly encoding: number;
  readonly levelEncoding: number;
  readonly nulls: number;
  readonly levelBytes: number;
  readonly compressed: boolean;
}

/** One page, decompressed. */
export interface Page {
  readonly place: Place;
  readonly kind: PageHeader['kind'];
  readonly encoding: number;
  readonly values: number;
  /** Data pages of the second version say how many values are null. */
  readonly nulls: number | undefined;
  /** Definition levels: apart in the second version, undefined in the first (they precede the values in `body`). */
  readonly levels: Uint8Array | undefined;
  readonly body: Uint8Array;
}

export interface ChunkBytes {
  readonly bytes: Uint8Array;
  readonly codec: number;
  readonly column: FileColumn;
  /** Rows of the row group: a flat column has one value for each. */
  readonly rows: number;
  /** Of the chunk's first byte. */
  readonly place: Place;
  readonly pageBytesMax: number;
  /** The bytes are known to be those that were written: checksums of pages need not be compared. */
  readonly verified: boolean;
}

/** Headers of all pages, in order, checked against the chunk and one another. */
export function walkPages(chunk: ChunkBytes): PageHeader[] {
  const headers: PageHeader[] = [];
  let at = 0;
  let values = 0;
  while (values < chunk.rows) {
    if (at >= chunk.bytes.length)
      throw corrupt(chunk.place, 'a column chunk has fewer values than its row group', {
        expected: chunk.rows,
        actual: values,
      });
    const header = readHeader(chunk, at);
    at = header === undefined ? nextPage(chunk, at) : header.bodyAt + header.stored;
    if (header === undefined) continue;
    if (header.kind === 'dictionary' && headers.length > 0)
      throw corrupt(header.place, 'a dictionary page is not the first page');
    if (header.kind !== 'dictionary') values += header.values;
    headers.push(header);
  }
  if (values > chunk.rows)
    throw corrupt(chunk.place, 'a column chunk has more values than its row group', {
      expected: chunk.rows,
      actual: values,
    });
  return headers;
}

/** Checks and decompresses one page. */
export async function openPage(chunk: ChunkBytes, header: PageHeader): Promise<Page> {
  const stored = chunk.bytes.subarray(header.bodyAt, header.bodyAt + header.stored);
  if (!chunk.verified && header.crc !== undefined && header.crc !== crc32(stored) >> 0)
    throw corrupt(header.place, 'a page does not match its checksum');
  const apart = header.kind === 'dataV2' ? header.levelBytes : 0;
  const packed = stored.subarray(apart);
  const body = header.compressed
    ? await decompressPage(chunk.codec, packed, header.size - apart, header.place)
    : packed;
  if (body.length !== header.size - apart)
    throw corrupt(header.place, 'a page has another size than its header says', {
      expected: header.size,
      actual: body.length + apart,
    });
  return {
    place: header.place,
    kind: header.kind,
    encoding: header.encoding,
    values: header.values,
    nulls: header.kind === 'dataV2' ? header.nulls : undefined,
    levels: header.kind === 'dataV2' ? stored.subarray(0, apart) : undefined,
    body,
  };
}

type Draft = { -readonly [K in keyof PageHeader]: PageHeader[K] } & { type: number };

/** `undefined` for a page of a kind that readers pass over. */
function readHeader(chunk: ChunkBytes, at: number): PageHeader | undefined {
  const draft = parse(chunk, at);
  if (draft.type !== 0 && draft.type !== 2 && draft.type !== 3) return undefined;
  const { place } = draft;
  if (draft.values < 0) throw corrupt(place, 'a page header lacks its count');
  if (draft.size > chunk.pageBytesMax)
    throw tooLarge(place, 'a page is larger than the limit', chunk.pageBytesMax, draft.size);
  if (draft.levelBytes > draft.stored || draft.levelBytes > draft.size)
    throw corrupt(place, 'levels are longer than their page');
  if (draft.nulls > draft.values) throw corrupt(place, 'a page has more nulls than values');
  if (draft.kind === 'data' && chunk.column.optional && draft.levelEncoding !== encodings.rle)
    throw unsupported(place, 'levels in an encoding this reader lacks', draft.levelEncoding);
  // Every dictionary entry takes space in the page, except those of no width at all.
  if (draft.kind === 'dictionary' && draft.values > draft.size * 8)
    throw corrupt(place, 'a dictionary has more entries than bytes');
  return draft;
}

function nextPage(chunk: ChunkBytes, at: number): number {
  const draft = parse(chunk, at);
  return draft.bodyAt + draft.stored;
}

function parse(chunk: ChunkBytes, at: number): Draft {
  const place = { ...chunk.place, offset: chunk.place.offset + at };
  const reader = new ThriftReader(chunk.bytes, at, { ...place, offset: chunk.place.offset });
  const draft: Draft = {
    type: -1,
    kind: 'data',
    place,
    bodyAt: 0,
    stored: -1,
    size: -1,
    crc: undefined,
    values: -1,
    encoding: -1,
    levelEncoding: encodings.rle,
    nulls: 0,
    levelBytes: 0,
    compressed: true,
  };
  reader.struct((id, type) => {
    if (id === 1) draft.type = reader.count(type);
    else if (id === 2) draft.size = reader.count(type);
    else if (id === 3) draft.stored = reader.count(type);
    else if (id === 4) draft.crc = reader.int(type) >> 0;
    else if (id === 5 && draft.type === 0) readData(reader, draft);
    else if (id === 7 && draft.type === 2) readDictionary(reader, draft);
    else if (id === 8 && draft.type === 3) readDataV2(reader, draft);
    else return false;
    return true;
  });
  draft.bodyAt = reader.at;
  if (draft.type < 0 || draft.size < 0 || draft.stored < 0)
    throw corrupt(place, 'a page header lacks its type or sizes');
  if (draft.stored > chunk.bytes.length - draft.bodyAt)
    throw corrupt(place, 'a page is longer than its column chunk');
  return draft;
}

function readData(reader: ThriftReader, draft: Draft): void {
  draft.kind = 'data';
  reader.struct((id, type) => {
    if (id === 1) draft.values = reader.count(type);
    else if (id === 2) draft.encoding = reader.count(type);
    else if (id === 3) draft.levelEncoding = reader.count(type);
    else return false;
    return true;
  });
}

function readDictionary(reader: ThriftReader, draft: Draft): void {
  draft.kind = 'dictionary';
  reader.struct((id, type) => {
    if (id === 1) draft.values = reader.count(type);
    else if (id === 2) draft.encoding = reader.count(type);
    else return false;
    return true;
  });
}

function readDataV2(reader: ThriftReader, draft: Draft): void {
  draft.kind = 'dataV2';
  reader.struct((id, type) => {
    if (id === 1) draft.values = reader.count(type);
    else if (id === 2) draft.nulls = reader.count(type);
    else if (id === 4) draft.encoding = reader.count(type);
    else if (id === 5 || id === 6) draft.levelBytes += reader.count(type);
    else if (id === 7) draft.compressed = reader.bool(type);
    else return false;
    return true;
  });
}
