/**
 * JSON Lines: one JSON value a line, with the bytes Go Lode writes (docs/formats/dataset.md, section 5). It streams both ways.
 *
 * What comes back is what JSON holds: a Date as a string, bytes as base64, a bigint as a number unless `integers` says
 * `bigint`, half a surrogate pair as U+FFFD. A schema can turn the first three back.
 */
import { assertOptions } from '../../options.ts';
import type { Codec } from '../codec.ts';
import { JsonWriter } from '../json/index.ts';
import { flatten } from '../flatten.ts';
import type { StandardSchemaV1 } from '../schema.ts';
import { decodeLines } from './decoder.ts';
import { JsonlEncoder } from './encoder.ts';

export interface JsonlOptions<R> {
  /**
   * Types the records, and checks them on both ways; what it returns is written, and read. A schema that transforms must
   * accept what it returned: a record that was read can then be written again. It must leave partition keys as they are:
   * records are partitioned as given, and `where` compares them as read.
   */
  readonly schema?: StandardSchemaV1<unknown, R>;
  /** `bigint`: integers beyond 2^53 come back exact, as bigints. `number` (the default): as Go reads them, in float64. */
  readonly integers?: 'number' | 'bigint';
  /** Longest line written, without its end. Go reads no more than the default, 10,485,759 bytes. */
  readonly lineBytesMax?: number;
}

/** One byte less than the buffer of Go's line scanner. */
const goLineBytesMax = 10_485_759;

export function jsonl<R = unknown>(options: JsonlOptions<R> = {}): Codec<R> {
  assertOptions<JsonlOptions<R>>(options, '', { schema: true, integers: true, lineBytesMax: true });
  const { schema, integers = 'number', lineBytesMax = goLineBytesMax } = options;
  const decoder = { schema, integers: integers === 'bigint' ? 'exact' : 'number' } as const;
  // The next file mostly has records like the last one: its writer knows their shapes already.
  let idle: JsonWriter | undefined;
  return {
    name: 'jsonl',
    streaming: true,
    encoder() {
      const writer = idle ?? new JsonWriter({ flavour: 'jsonl' });
      idle = undefined;
      return new JsonlEncoder({ schema, lineBytesMax, writer, done: () => (idle = writer) });
    },
    decode: (file, options) => flatten(decodeLines(file, decoder, options)),
  };
}
