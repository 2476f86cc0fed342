/** Records to lines, exactly as Go writes them (docs/formats/dataset.md, section 5), in blocks of about 64 KiB. */
import { LodeError } from '../../errors.ts';
import type { RecordEncoder } from '../codec.ts';
import type { JsonWriter } from '../json/index.ts';
import type { StandardSchemaV1 } from '../schema.ts';
import { validate } from '../schema.ts';

interface EncoderOptions<R> {
  readonly schema: StandardSchemaV1<unknown, R> | undefined;
  readonly lineBytesMax: number;
  readonly writer: JsonWriter;
  /** Called once the writer is free again. */
  readonly done: () => void;
}

/** Bytes after which a block leaves: enough to spread the cost of a chunk, few enough to stay in cache. */
const blockBytes = 65_536;

const lineFeed = 0x0a;

export class JsonlEncoder<R> implements RecordEncoder<R> {
  readonly #options: EncoderOptions<R>;
  readonly #writer: JsonWriter;

  constructor(options: EncoderOptions<R>) {
    this.#options = options;
    this.#writer = options.writer;
  }

  write(record: R, index: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { schema } = this.#options;
    if (schema === undefined) return this.#append(record, index);
    const valid = validate(schema, record, { record: index });
    return valid instanceof Promise
      ? valid.then((value) => this.#append(value, index))
      : this.#append(valid, index);
  }

  finish(): Uint8Array {
    const rest = this.#writer.sink.take();
    this.#options.done();
    return rest;
  }

  #append(value: unknown, index: number): Uint8Array | undefined {
    const { sink } = this.#writer;
    const start = sink.length;
    this.#writer.write(value, index);
    const length = sink.length - start;
    if (length > this.#options.lineBytesMax) {
      sink.rewind(start);
      throw this.#tooLong(length, index);
    }
    sink.byte(lineFeed);
    return sink.length < blockBytes ? undefined : sink.take();
  }

  #tooLong(length: number, index: number): LodeError {
    return new LodeError('LODE_INVALID_RECORD', 'the line is longer than every reader takes', {
      record: index,
      expected: this.#options.lineBytesMax,
      actual: length,
      next: 'Split the record, or raise lineBytesMax where no Go process reads the data.',
    });
  }
}
