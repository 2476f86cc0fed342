/**
 * Positioned reads on one data file: by range where the file offers it, else from memory.
 *
 * Opening costs one read of the tail; a small file is whole then, and is not asked for again.
 */
import { collect } from '../../bytes/collect.ts';
import { LodeError } from '../../errors.ts';
import type { DataFile } from '../codec.ts';

export interface FileAccess {
  readonly size: number;
  /** Exactly `[offset, offset + length)`, which the caller knows to lie inside the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Holds the footer of most files, and all of a small one. */
const tailBytes = 64 * 1024;

export async function openAccess(file: DataFile, fileBytesMax: number): Promise<FileAccess> {
  const { size, readRange } = file;
  if (readRange === undefined || size === undefined) {
    const bytes = await collect(file.stream(), fileBytesMax, { key: file.key });
    return {
      size: bytes.length,
      read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    };
  }
  const exactly = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = await readRange(offset, length);
    if (bytes.length === length) return bytes;
    throw new LodeError('LODE_TRUNCATED', 'parquet: the file is shorter than it was', {
      key: file.key,
      offset,
      expected: length,
      actual: bytes.length,
    });
  };
  const tailAt = Math.max(0, size - tailBytes);
  const tail = await exactly(tailAt, size - tailAt);
  return {
    size,
    read: (offset, length) =>
      offset >= tailAt
        ? Promise.resolve(tail.subarray(offset - tailAt, offset - tailAt + length))
        : exactly(offset, length),
  };
}
