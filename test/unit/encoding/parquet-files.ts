/** Parquet files in memory for tests: encoding, decoding, and files that count what is read of them. */
import type { DataFile, DecodeOptions, FileStatistics } from '../../../src/encoding/codec.ts';
import type { ParquetCodec } from '../../../src/parquet.ts';

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly parts: readonly number[];
  readonly statistics: FileStatistics;
}

export async function encode<R>(
  codec: ParquetCodec<R>,
  records: Iterable<unknown>,
): Promise<Encoded> {
  const encoder = codec.encoder();
  const parts: Uint8Array[] = [];
  let index = 0;
  for (const record of records) {
    const part = await encoder.write(record as R, index++);
    if (part !== undefined) parts.push(part);
  }
  parts.push(await encoder.finish());
  const statistics = encoder.statistics?.();
  if (statistics === undefined) throw new Error('no statistics');
  return {
    bytes: new Uint8Array(Buffer.concat(parts)),
    parts: parts.map((part) => part.length),
    statistics,
  };
}

/** A file that is read whole. */
export function wholeFile(bytes: Uint8Array): DataFile {
  return {
    key: 'd/data',
    size: bytes.length,
    async *stream() {
      yield bytes;
    },
  };
}

/** A file read by range, and how many bytes and reads that took. */
export function rangedFile(
  bytes: Uint8Array,
): DataFile & { read: { bytes: number; calls: number } } {
  const read = { bytes: 0, calls: 0 };
  const readRange = async (offset: number, length: number): Promise<Uint8Array> => {
    read.bytes += length;
    read.calls++;
    return bytes.slice(offset, offset + length);
  };
  return {
    ...wholeFile(bytes),
    read,
    readRange,
    readIndex: (length) => readRange(bytes.length - length, length),
  };
}

export async function decode<R>(
  codec: ParquetCodec<R>,
  file: DataFile | Uint8Array,
  options: DecodeOptions<R> = {},
): Promise<R[]> {
  const records: R[] = [];
  const source = file instanceof Uint8Array ? wholeFile(file) : file;
  for await (const record of codec.decode(source, options)) records.push(record);
  return records;
}
