/**
 * The file footer: schema, row groups, where each column chunk lies.
 *
 * Only what reading needs is kept, and all of it is validated here: counts agree, chunks lie inside the file, types are
 * known. What follows may trust a `Footer`.
 */
import { utf8Decode } from '../../bytes/text.ts';
import { LodeError } from '../../errors.ts';
import { corrupt } from './place.ts';
import type { Place } from './place.ts';
import { readSchema } from './footer-schema.ts';
import type { FileColumn } from './footer-schema.ts';
import { ThriftReader } from './thrift.ts';

/** As files of ours name their writer, and what they keep the checksums of their column chunks under. */
export const createdBy = 'lode';
export const chunkSumsKey = 'lode.crc32c';

interface ChunkStatistics {
  readonly min?: Uint8Array;
  readonly max?: Uint8Array;
  readonly nullCount?: number;
}

/** One column of one row group. */
export interface Chunk {
  readonly codec: number;
  /** Offset of the first page, dictionary included. */
  readonly offset: number;
  /** Stored bytes of all its pages with their headers. */
  readonly bytes: number;
  readonly statistics: ChunkStatistics | undefined;
  /** CRC-32C over those bytes, in files of ours. */
  readonly crc: number | undefined;
}

export interface RowGroup {
  readonly rows: number;
  /** In the order of `Footer.columns`. */
  readonly chunks: readonly Chunk[];
}

export interface Footer {
  readonly rows: number;
  readonly columns: readonly FileColumn[];
  readonly rowGroups: readonly RowGroup[];
}

interface RawChunk extends Chunk {
  readonly type: number | undefined;
  readonly path: string;
  readonly external: boolean;
}

/** Decodes the footer's bytes. `place.offset` is where they start, which is also where data ends. */
export function readFooter(bytes: Uint8Array, place: Place): Footer {
  const reader = new ThriftReader(bytes, 0, place);
  let columns: readonly FileColumn[] | undefined;
  let rows: number | undefined;
  let groups: { rows: number; chunks: readonly RawChunk[] }[] | undefined;
  let sums: string | undefined;
  let writer: string | undefined;
  reader.struct((id, type) => {
    if (id === 2) columns = readSchema(reader, type, place);
    else if (id === 3) rows = reader.count(type);
    else if (id === 4) groups = reader.list(type, () => readRowGroup(reader, place));
    else if (id === 5) sums = memberOf(reader, type, chunkSumsKey);
    else if (id === 6) writer = utf8Decode(reader.binary(type));
    else if (id === 8) throw encrypted(place);
    else return false;
    return true;
  });
  if (columns === undefined || rows === undefined || groups === undefined)
    throw corrupt(place, 'the footer lacks a schema, a row count or its row groups');
  let total = 0;
  let stored = 0;
  for (const group of groups) {
    checkGroup(group, columns, place);
    total += group.rows;
    for (const chunk of group.chunks) stored += chunk.bytes;
  }
  if (columns.length === 0 && rows > 0) throw corrupt(place, 'rows without columns');
  // Chunks do not overlap: a small file cannot be read many times over as a large one.
  if (stored > place.offset) throw corrupt(place, 'column chunks hold more bytes than the file');
  if (total < rows) {
    throw new LodeError('LODE_TRUNCATED', 'parquet: row groups hold fewer rows than the file', {
      ...place,
      expected: rows,
      actual: total,
    });
  }
  if (total > rows)
    throw corrupt(place, 'row groups hold more rows than the file', {
      expected: rows,
      actual: total,
    });
  // A tool that rewrites a file may keep the member, though the chunks are its own.
  if (writer !== createdBy || sums === undefined) return { rows, columns, rowGroups: groups };
  return { rows, columns, rowGroups: withSums(groups, columns.length, sums, place) };
}

/** The chunks with their checksums: eight hex digits each, row group by row group. */
function withSums(
  groups: readonly RowGroup[],
  columns: number,
  sums: string,
  place: Place,
): readonly RowGroup[] {
  if (!/^[0-9a-f]*$/.test(sums) || sums.length !== groups.length * columns * 8)
    throw corrupt(place, 'the checksums of column chunks are damaged');
  return groups.map(({ rows, chunks }, g) => ({
    rows,
    chunks: chunks.map((chunk, c) => {
      const at = (g * columns + c) * 8;
      return { ...chunk, crc: Number.parseInt(sums.slice(at, at + 8), 16) };
    }),
  }));
}

/** One of the members that a writer may attach to a file. */
function memberOf(reader: ThriftReader, type: number, wanted: string): string | undefined {
  let found: string | undefined;
  reader.list(type, () => {
    let key: string | undefined;
    let value: string | undefined;
    reader.struct((id, kind) => {
      if (id === 1) key = utf8Decode(reader.binary(kind));
      else if (id === 2) value = utf8Decode(reader.binary(kind));
      else return false;
      return true;
    });
    if (key === wanted) found = value;
  });
  return found;
}

function checkGroup(
  group: { readonly rows: number; readonly chunks: readonly RawChunk[] },
  columns: readonly FileColumn[],
  place: Place,
): void {
  if (group.chunks.length !== columns.length)
    throw corrupt(place, 'a row group has another number of columns than the schema', {
      expected: columns.length,
      actual: group.chunks.length,
    });
  for (const [i, column] of columns.entries()) {
    const chunk = group.chunks[i];
    const here = { ...place, field: column.path };
    if (chunk === undefined || chunk.path !== column.path)
      throw corrupt(here, 'a column chunk is out of place');
    if (chunk.type !== column.physicalId)
      throw corrupt(here, 'a column chunk has another type than the schema');
    if (chunk.external) throw corrupt(here, 'a column chunk lies in another file');
    if (chunk.offset < 4 || chunk.offset + chunk.bytes > place.offset)
      throw corrupt(here, 'a column chunk lies outside the file');
  }
}

function readRowGroup(
  reader: ThriftReader,
  place: Place,
): { rows: number; chunks: readonly RawChunk[] } {
  let chunks: readonly RawChunk[] | undefined;
  let rows: number | undefined;
  reader.struct((id, type) => {
    if (id === 1) chunks = reader.list(type, () => readChunk(reader, place));
    else if (id === 3) rows = reader.count(type);
    else return false;
    return true;
  });
  if (chunks === undefined || rows === undefined)
    throw corrupt(place, 'a row group lacks its columns or its row count');
  return { rows, chunks };
}

function readChunk(reader: ThriftReader, place: Place): RawChunk {
  let found: RawChunk | undefined;
  let external = false;
  reader.struct((id, type) => {
    if (id === 1) external = reader.binary(type).length > 0;
    else if (id === 3) found = readChunkMeta(reader, place);
    else if (id === 8) throw encrypted(place);
    else return false;
    return true;
  });
  if (found === undefined) throw corrupt(place, 'a column chunk lacks its metadata');
  return { ...found, external };
}

function readChunkMeta(reader: ThriftReader, place: Place): RawChunk {
  let physical: number | undefined;
  let path: string | undefined;
  let codec: number | undefined;
  let bytes: number | undefined;
  let data: number | undefined;
  let dictionary = 0;
  let statistics: ChunkStatistics | undefined;
  reader.struct((id, type) => {
    if (id === 1) physical = reader.count(type);
    else if (id === 3)
      path = reader.list(type, (item) => utf8Decode(reader.binary(item)) ?? '').join('.');
    else if (id === 4) codec = reader.count(type);
    else if (id === 7) bytes = reader.count(type);
    else if (id === 9) data = reader.count(type);
    else if (id === 11) dictionary = reader.count(type);
    else if (id === 12) statistics = readStatistics(reader);
    else return false;
    return true;
  });
  if (path === undefined || codec === undefined || bytes === undefined || data === undefined)
    throw corrupt(place, 'a column chunk lacks its place, size or codec');
  // Some writers leave the dictionary's offset at 0 when there is none.
  const offset = dictionary > 0 && dictionary < data ? dictionary : data;
  return {
    type: physical,
    path,
    codec,
    bytes,
    offset,
    statistics,
    crc: undefined,
    external: false,
  };
}

function readStatistics(reader: ThriftReader): ChunkStatistics {
  const found: { min?: Uint8Array; max?: Uint8Array; nullCount?: number } = {};
  reader.struct((id, type) => {
    // The older members 1 and 2 have no defined order for strings: not used.
    if (id === 3) found.nullCount = reader.count(type);
    else if (id === 5) found.max = reader.binary(type);
    else if (id === 6) found.min = reader.binary(type);
    else return false;
    return true;
  });
  return found;
}

function encrypted(place: Place): LodeError {
  return new LodeError('LODE_UNSUPPORTED', 'parquet: the file is encrypted', {
    ...place,
    next: 'Decrypt it first.',
  });
}
