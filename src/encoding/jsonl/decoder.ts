/** Lines to records (docs/formats/dataset.md, section 5), a block at a time. */
import { utf8Decode, utf8Encode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type { DataFile, DecodeOptions } from '../codec.ts';
import { decodeJsonText, parseJsonText, parsePlain, readDepthMax } from '../json/index.ts';
import type { JsonReadOptions } from '../json/index.ts';
import type { RecordPlace, StandardSchemaV1 } from '../schema.ts';
import { validate } from '../schema.ts';
import type { LineBlock } from './lines.ts';
import { lineBlocks } from './lines.ts';

type ParseOptions = Pick<JsonReadOptions, 'integers'>;

interface DecoderOptions<R> extends ParseOptions {
  readonly schema: StandardSchemaV1<unknown, R> | undefined;
}

/** Lines longer than this are refused unless the reader says otherwise: six times what Go can read. */
const recordBytesMaxDefault = 64 * 1024 * 1024;

/** Batches of records in stored order, none of them empty. The records before a fault come before its error. */
export async function* decodeLines<R>(
  file: DataFile,
  { schema, integers = 'number' }: DecoderOptions<R>,
  { columns, recordBytesMax = recordBytesMaxDefault, signal }: DecodeOptions<R>,
): AsyncGenerator<readonly R[]> {
  const { key } = file;
  let record = 0;
  for await (const block of lineBlocks(file.stream(), { key, lineBytesMax: recordBytesMax })) {
    signal?.throwIfAborted();
    const read = blockValues(block, { key, record }, { integers });
    const { values, fault } =
      schema === undefined ? read : await checked(schema, read, { key, record });
    if (values.length > 0) {
      const records = values as readonly R[];
      yield columns === undefined ? records : records.map((value) => pick(value, columns));
    }
    if (fault !== undefined) throw fault;
    record += values.length;
  }
}

interface BlockValues {
  readonly values: readonly unknown[];
  /** Why the block was not read to its end. */
  readonly fault?: Error;
}

function blockValues(block: LineBlock, first: RecordPlace, options: ParseOptions): BlockValues {
  const text = utf8Decode(block.bytes);
  if (text !== undefined) return lineValues(text, block.offset, first, options);
  const { start, line } = badLine(block.bytes);
  const before = utf8Decode(block.bytes.subarray(0, start)) ?? '';
  const { values, fault } = lineValues(before, block.offset, first, options);
  if (fault !== undefined) return { values, fault };
  const place = { ...first, offset: block.offset + start, record: first.record + values.length };
  return { values, fault: failureOf(() => decodeJsonText(line, place)) };
}

function lineValues(
  text: string,
  offset: number,
  first: RecordPlace,
  options: ParseOptions,
): BlockValues {
  const values: unknown[] = [];
  for (let at = 0; at < text.length;) {
    const found = text.indexOf('\n', at);
    const end = found === -1 ? text.length : found;
    const line = text.slice(at, end);
    // Go drops one carriage return, then skips empty lines. Elsewhere it is a blank that JSON allows.
    if (line !== '' && line !== '\r') {
      const plain = options.integers === 'number' ? parsePlain(line, readDepthMax) : undefined;
      try {
        values.push(plain === undefined ? parseJsonText(line, options, first) : plain);
      } catch {
        // Where it is costs more to say than to parse a line, so it is only found out now.
        const before = utf8Encode(text.slice(0, at)).length;
        const place = { ...first, offset: offset + before, record: first.record + values.length };
        return { values, fault: failureOf(() => parseJsonText(line, options, place)) };
      }
    }
    at = end + 1;
  }
  return { values };
}

/** The first line that is not UTF-8. */
function badLine(bytes: Uint8Array): { readonly start: number; readonly line: Uint8Array } {
  for (let start = 0; ;) {
    const found = bytes.indexOf(0x0a, start);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    if (found === -1 || utf8Decode(line) === undefined) return { start, line };
    start = end + 1;
  }
}

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new LodeError('LODE_INTERNAL', 'a line failed once and passed the second time', {});
}

async function checked<R>(
  schema: StandardSchemaV1<unknown, R>,
  { values, fault }: BlockValues,
  first: RecordPlace,
): Promise<BlockValues> {
  const valid: R[] = [];
  try {
    for (const value of values) {
      const result = validate(schema, value, { ...first, record: first.record + valid.length });
      valid.push(result instanceof Promise ? await result : result);
    }
  } catch (error) {
    return { values: valid, fault: error as Error };
  }
  return fault === undefined ? { values: valid } : { values: valid, fault };
}

/** Records that are not objects have no members to pick. */
function pick<R>(record: R, columns: readonly string[]): R {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return record;
  const members = record as Readonly<Record<string, unknown>>;
  const present = columns.filter((name) => Object.hasOwn(members, name));
  return Object.fromEntries(present.map((name) => [name, members[name]])) as R;
}
