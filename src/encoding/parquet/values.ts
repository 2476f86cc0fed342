/** Values of one page by encoding: dense, without the nulls. */
import { deltaInt32, deltaInt64, deltaLengths, deltaStrings } from './delta.ts';
import type { FileColumn } from './footer-schema.ts';
import { encodings } from './page.ts';
import type { Page } from './page.ts';
import { corrupt, unsupported } from './place.ts';
import type { Place } from './place.ts';
import { readRuns } from './runs.ts';
import { ByteSlices } from './slices.ts';

/** Booleans are a `Uint8Array` of 0 and 1; byte strings and INT96 are slices. */
export type Dense =
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | Uint8Array
  | ByteSlices;

/** Decodes `count` values that are not dictionary indexes. */
export function readValues(
  column: FileColumn,
  page: Page,
  body: Uint8Array,
  count: number,
  bytesMax: number,
): Dense {
  const { physical } = column;
  const { place } = page;
  if (page.encoding === encodings.plain) return plain(column, body, count, place);
  if (page.encoding === encodings.rle && physical === 'BOOLEAN') {
    const bits = new Uint8Array(count);
    readRuns(body.subarray(4), 1, bits, place);
    return bits;
  }
  if (page.encoding === encodings.deltaBinary) {
    if (physical === 'INT32') return deltaInt32(body, count, place);
    if (physical === 'INT64') return deltaInt64(body, count, place);
  }
  if (physical === 'BYTE_ARRAY' || physical === 'FIXED_LEN_BYTE_ARRAY') {
    if (page.encoding === encodings.deltaLength) return deltaLengths(body, count, place);
    if (page.encoding === encodings.deltaBytes) return deltaStrings(body, count, place, bytesMax);
  }
  if (page.encoding === encodings.byteStreamSplit) return unsplit(column, body, count, place);
  throw unsupported(place, 'values in an encoding this reader lacks', page.encoding);
}

/** Decodes `count` dictionary indexes below `size`. */
export function readIndexes(
  body: Uint8Array,
  count: number,
  size: number,
  place: Place,
): Int32Array {
  const indexes = new Int32Array(count);
  if (count === 0) return indexes;
  const width = body[0];
  if (width === undefined) throw corrupt(place, 'a page lacks the width of its indexes');
  readRuns(body.subarray(1), width, indexes, place);
  for (const index of indexes)
    if (index < 0 || index >= size) throw corrupt(place, 'a value is not in the dictionary');
  return indexes;
}

/** PLAIN, which is also how dictionaries are written. */
export function plain(column: FileColumn, body: Uint8Array, count: number, place: Place): Dense {
  const { physical } = column;
  if (physical === 'BOOLEAN') {
    need(body, Math.ceil(count / 8), place);
    const bits = new Uint8Array(count);
    for (let i = 0; i < count; i++) bits[i] = ((body[i >> 3] as number) >> (i & 7)) & 1;
    return bits;
  }
  if (physical === 'BYTE_ARRAY') return plainBytes(body, count, place);
  const width = widthOf(column, place);
  need(body, count * width, place);
  return fixed(column, body.subarray(0, count * width), width, place);
}

function plainBytes(body: Uint8Array, count: number, place: Place): ByteSlices {
  need(body, count * 4, place);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > body.length) throw corrupt(place, 'a page has fewer values than its header says');
    const length = view.getUint32(at, true);
    at += 4;
    if (length > body.length - at) throw corrupt(place, 'a value is longer than its page');
    starts[i] = at;
    at += length;
    ends[i] = at;
  }
  return new ByteSlices(body, starts, ends);
}

/** Little-endian values of one width; copied, because a page starts at any offset. */
function fixed(column: FileColumn, bytes: Uint8Array, width: number, place: Place): Dense {
  const aligned = (): ArrayBuffer => new Uint8Array(bytes).buffer;
  switch (column.physical) {
    case 'INT32':
      return new Int32Array(aligned());
    case 'INT64':
      return new BigInt64Array(aligned());
    case 'FLOAT':
      return new Float32Array(aligned());
    case 'DOUBLE':
      return new Float64Array(aligned());
    case 'INT96':
    case 'FIXED_LEN_BYTE_ARRAY': {
      const starts = Int32Array.from({ length: bytes.length / width + 1 }, (_, i) => i * width);
      return new ByteSlices(bytes, starts, undefined);
    }
    case 'BOOLEAN':
    case 'BYTE_ARRAY':
      throw unsupported(place, 'values of this type do not have one width');
  }
}

/** BYTE_STREAM_SPLIT: all first bytes, then all second bytes, and so on. */
function unsplit(column: FileColumn, body: Uint8Array, count: number, place: Place): Dense {
  const width = widthOf(column, place);
  need(body, count * width, place);
  const bytes = new Uint8Array(count * width);
  for (let b = 0; b < width; b++)
    for (let i = 0; i < count; i++) bytes[i * width + b] = body[b * count + i] as number;
  return fixed(column, bytes, width, place);
}

function widthOf(column: FileColumn, place: Place): number {
  switch (column.physical) {
    case 'INT32':
    case 'FLOAT':
      return 4;
    case 'INT64':
    case 'DOUBLE':
      return 8;
    case 'INT96':
      return 12;
    case 'FIXED_LEN_BYTE_ARRAY':
      if (column.length < 1) throw corrupt(place, 'a column of fixed width has none');
      return column.length;
    case 'BOOLEAN':
    case 'BYTE_ARRAY':
      throw unsupported(place, 'this encoding does not hold values of this type');
  }
}

function need(body: Uint8Array, bytes: number, place: Place): void {
  if (body.length < bytes)
    throw corrupt(place, 'a page has fewer values than its header says', {
      expected: bytes,
      actual: body.length,
    });
}
