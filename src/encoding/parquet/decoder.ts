/**
 * Records of a Parquet file, in stored order and in batches, a row group at a time.
 *
 * Columns are found by name and checked against the schema, so evolved schemas and files of others are read right or refused,
 * never misread. Only the footer and the wanted columns of the wanted row groups are fetched.
 */
import { LodeError, assert } from '../../errors.ts';
import { crc32c } from '../checksums/crc32c.ts';
import type { DataFile, FileStatistics } from '../codec.ts';
import { causeOf, openAccess } from './access.ts';
import type { FileAccess } from './access.ts';
import type { Shape } from './cells.ts';
import { openChunk } from './chunk.ts';
import type { ColumnCursor } from './chunk.ts';
import type { FileColumn } from './footer-schema.ts';
import { readFooter } from './footer.ts';
import type { Chunk, Footer, RowGroup } from './footer.ts';
import { groupStatistics } from './group-statistics.ts';
import type { ParquetLimits } from './limits.ts';
import { corrupt, tooLarge } from './place.ts';
import type { Place } from './place.ts';
import type { Field } from './schema.ts';
import { shapeOfColumn, shapeOfField } from './shapes.ts';
import type { LooseShapes } from './shapes.ts';

interface DecodeRequest {
  /** Undefined: whatever flat columns the file has. */
  readonly fields: readonly Field[] | undefined;
  readonly loose: LooseShapes;
  readonly limits: ParquetLimits;
  readonly columns: readonly string[] | undefined;
  readonly mayHold: ((part: FileStatistics) => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A member of the records: a column of the file, or null throughout when the file has none. */
interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly source:
    | { readonly index: number; readonly column: FileColumn; readonly shape: Shape }
    | undefined;
}

const magic = 0x31524150; // PAR1
/** Two chunks this near are fetched as one. */
const gapBytes = 4096;
/** Records built at a time. */
const batchRows = 512;

export async function* decodeRecords(
  file: DataFile,
  request: DecodeRequest,
): AsyncGenerator<readonly Record<string, unknown>[]> {
  const access = await openAccess(file, {
    fileBytesMax: request.limits.fileBytes,
    someColumns: request.columns !== undefined,
    someRows: request.mayHold !== undefined,
  });
  try {
    yield* recordsOf(access, file.key, request);
    await access.finish();
  } catch (error) {
    throw await causeOf(error, access);
  } finally {
    await access.close();
  }
}

async function* recordsOf(
  access: FileAccess,
  key: string,
  request: DecodeRequest,
): AsyncGenerator<readonly Record<string, unknown>[]> {
  const footer = await loadFooter(access, key, request.limits);
  const members = membersOf(footer, request, { key, offset: 0 });
  let first = 0;
  for (const group of footer.rowGroups) {
    request.signal?.throwIfAborted();
    if (group.rows > 0 && wanted(request, access, footer, group)) {
      const cursors = await openGroup(access, key, group, members, request.limits);
      for (let row = 0; row < group.rows; row += batchRows) {
        const count = Math.min(batchRows, group.rows - row);
        yield buildRecords(members, cursors, count, first + row, key);
      }
    }
    first += group.rows;
  }
}

/** A footer that nothing vouches for may lose no records: every row group is read then. */
function wanted(
  { mayHold }: DecodeRequest,
  { trusted }: FileAccess,
  footer: Footer,
  group: RowGroup,
): boolean {
  return mayHold === undefined || !trusted || mayHold(groupStatistics(footer, group));
}

async function loadFooter(access: FileAccess, key: string, limits: ParquetLimits): Promise<Footer> {
  const { size } = access;
  const place: Place = { key, offset: Math.max(0, size - 8) };
  if (size < 12) throw corrupt(place, 'the file is too short to be Parquet', { actual: size });
  const end = await access.read(size - 8, 8);
  const view = new DataView(end.buffer, end.byteOffset, end.byteLength);
  if (view.getUint32(4, true) !== magic)
    throw corrupt(place, 'the file does not end as Parquet does', { expected: 'PAR1' });
  const length = view.getUint32(0, true);
  if (length > size - 12)
    throw corrupt(place, 'the footer is longer than the file', {
      expected: size - 12,
      actual: length,
    });
  if (length > limits.footerBytes)
    throw tooLarge(place, 'the footer is larger than the limit', limits.footerBytes, length);
  const offset = size - 8 - length;
  return readFooter(await access.read(offset, length), { key, offset });
}

function membersOf(footer: Footer, request: DecodeRequest, place: Place): readonly Member[] {
  const byName = new Map<string, number>();
  for (const [index, column] of footer.columns.entries()) {
    if (column.flat && byName.has(column.path))
      throw corrupt({ ...place, field: column.path }, 'two columns have the same name');
    byName.set(column.path, index);
  }
  const picked = request.columns === undefined ? undefined : new Set<string>(request.columns);
  const take = (name: string): boolean => picked === undefined || picked.delete(name);
  const members: Member[] = [];
  if (request.fields === undefined) {
    for (const [index, column] of footer.columns.entries()) {
      if (!take(column.path)) continue;
      const here = { ...place, field: column.path };
      const shape = shapeOfColumn(column, request.loose, here);
      members.push({ name: column.path, required: false, source: { index, column, shape } });
    }
  } else {
    for (const field of request.fields)
      if (take(field.name)) members.push(memberOf(field, footer, byName, place));
  }
  for (const name of picked ?? []) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'there is no such column', {
      ...place,
      field: name,
    });
  }
  return members;
}

function memberOf(
  field: Field,
  footer: Footer,
  byName: ReadonlyMap<string, number>,
  place: Place,
): Member {
  const here = { ...place, field: field.name };
  const index = byName.get(field.name);
  const column = index === undefined ? undefined : footer.columns[index];
  if (index === undefined || column === undefined) {
    const nested = footer.columns.find((other) => other.path.startsWith(`${field.name}.`));
    if (nested !== undefined) shapeOfField(field, nested, here);
    // A field added since: absent is null where null is allowed.
    if (field.nullable) return { name: field.name, required: false, source: undefined };
    throw new LodeError('LODE_SCHEMA_VIOLATION', 'parquet: the file lacks a required column', {
      ...here,
      expected: field.type,
      next: 'Read the file with the schema it was written with, or make the field nullable.',
    });
  }
  const shape = shapeOfField(field, column, here);
  return { name: field.name, required: !field.nullable, source: { index, column, shape } };
}

/** Fetches and decodes the wanted columns of one row group. */
async function openGroup(
  access: FileAccess,
  key: string,
  group: RowGroup,
  members: readonly Member[],
  limits: ParquetLimits,
): Promise<readonly (ColumnCursor | undefined)[]> {
  const sources = members.map((member) => member.source);
  const chunks = sources.flatMap((source) =>
    source === undefined ? [] : [group.chunks[source.index] as Chunk],
  );
  checkSize(group, chunks, key, limits);
  const bytes = await fetchChunks(access, chunks);
  const cursors: (ColumnCursor | undefined)[] = [];
  for (const source of sources) {
    if (source === undefined) {
      cursors.push(undefined);
      continue;
    }
    const chunk = group.chunks[source.index] as Chunk;
    const stored = bytes.get(chunk) as Uint8Array;
    verifyChunk(chunk, stored, key, source.column.path);
    cursors.push(
      await openChunk(
        {
          bytes: stored,
          verified: chunk.crc !== undefined,
          codec: chunk.codec,
          column: source.column,
          rows: group.rows,
          place: { key, field: source.column.path, offset: chunk.offset },
          pageBytesMax: limits.pageBytes,
        },
        source.shape,
      ),
    );
  }
  return cursors;
}

/** Files of ours have a checksum of each chunk, headers of pages included. */
function verifyChunk({ crc, offset }: Chunk, bytes: Uint8Array, key: string, field: string): void {
  if (crc === undefined || crc32c(bytes) === crc) return;
  throw new LodeError('LODE_CHECKSUM_MISMATCH', 'parquet: a column is not as it was written', {
    key,
    field,
    offset,
  });
}

/** Below this, any ratio of rows to bytes is fine. */
const freeBytes = 16 * 1024 * 1024;

/** Run lengths let a few bytes stand for any number of rows: refuse what only a bomb would hold. */
function checkSize(
  group: RowGroup,
  chunks: readonly Chunk[],
  key: string,
  limits: ParquetLimits,
): void {
  const slots = group.rows * 8 * Math.max(1, chunks.length);
  let stored = 0;
  for (const chunk of group.chunks) stored += chunk.bytes;
  const place: Place = { key, offset: chunks[0]?.offset ?? 0 };
  if (slots > limits.rowGroupBytes)
    throw tooLarge(place, 'a row group is larger than the limit', limits.rowGroupBytes, slots);
  const ratioBytes = Math.max(freeBytes, stored * limits.ratio);
  if (slots > ratioBytes)
    throw tooLarge(place, 'a row group expands past the limit', ratioBytes, slots);
}

/** One read for each run of neighbouring chunks. */
async function fetchChunks(
  access: FileAccess,
  chunks: readonly Chunk[],
): Promise<ReadonlyMap<Chunk, Uint8Array>> {
  const runs: { start: number; end: number; chunks: Chunk[] }[] = [];
  for (const chunk of chunks.toSorted((a, b) => a.offset - b.offset)) {
    const last = runs.at(-1);
    if (last !== undefined && chunk.offset <= last.end + gapBytes) {
      last.end = Math.max(last.end, chunk.offset + chunk.bytes);
      last.chunks.push(chunk);
    } else {
      runs.push({ start: chunk.offset, end: chunk.offset + chunk.bytes, chunks: [chunk] });
    }
  }
  const found = new Map<Chunk, Uint8Array>();
  await Promise.all(
    runs.map(async (run) => {
      const bytes = await access.read(run.start, run.end - run.start);
      for (const chunk of run.chunks) {
        const at = chunk.offset - run.start;
        found.set(chunk, bytes.subarray(at, at + chunk.bytes));
      }
    }),
  );
  return found;
}

/** The next records of a row group, a column at a time. */
function buildRecords(
  members: readonly Member[],
  cursors: readonly (ColumnCursor | undefined)[],
  count: number,
  first: number,
  key: string,
): Record<string, unknown>[] {
  const records = Array.from({ length: count }, (): Record<string, unknown> => ({}));
  for (const [i, { name, required }] of members.entries()) {
    const cursor = cursors[i];
    for (let done = 0; done < count;) {
      const start = done;
      const take = (index: number, value: unknown): void => {
        const row = start + index;
        if (value === null && required) throw missing(name, first + row, key);
        const record = records[row] as Record<string, unknown>;
        if (name === '__proto__') own(record, name, value);
        else record[name] = value;
      };
      const taken = cursor === undefined ? nulls(count, take) : cursor.next(count - done, take);
      assert(taken > 0, 'a column has a value for each row of its row group');
      done += taken;
    }
  }
  return records;
}

function nulls(count: number, take: (index: number, value: unknown) => void): number {
  for (let i = 0; i < count; i++) take(i, null);
  return count;
}

/** A member by that name like any other, instead of the record's prototype. */
function own(record: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(record, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function missing(field: string, record: number, key: string): LodeError {
  return new LodeError('LODE_SCHEMA_VIOLATION', 'parquet: a required field is null in the file', {
    key,
    field,
    record,
    next: 'Declare the field nullable.',
  });
}
