/**
 * The index at the end of a data file, such as the footer of a Parquet file: which bytes it is, and that they are those
 * that were committed. Only a file stored as its codec wrote it has one.
 */
import { crc32c, hex32 } from '../encoding/checksums/crc32c.ts';
import type { RecordEncoder } from '../encoding/codec.ts';
import { LodeError } from '../errors.ts';
import type { FileIndex, ManifestFile } from './manifest/index.ts';

/** What `encoder` announces of a file that ends in `end`; `undefined` without an index. */
export function fileIndex(
  encoder: Pick<RecordEncoder<never>, 'indexBytes'>,
  end: Uint8Array,
): FileIndex | undefined {
  const bytes = encoder.indexBytes?.() ?? 0;
  if (bytes === 0) return undefined;
  if (Number.isSafeInteger(bytes) && bytes > 0 && bytes <= end.length)
    return { bytes, checksum: checksumOf(end.subarray(end.length - bytes)) };
  throw new LodeError('LODE_INVALID_ARGUMENT', 'a codec announces an index it has not written', {
    field: 'indexBytes',
    expected: `1 to ${end.length}`,
    actual: bytes,
  });
}

/** Compares the end of a file with its manifest. */
export function assertIndex(
  file: ManifestFile,
  { bytes, checksum }: FileIndex,
  end: Uint8Array,
): void {
  const actual = checksumOf(end.subarray(Math.max(0, end.length - bytes)));
  if (actual === checksum) return;
  throw new LodeError('LODE_CHECKSUM_MISMATCH', 'the index of a data file is not as committed', {
    key: file.path,
    offset: file.sizeBytes - bytes,
    expected: checksum,
    actual,
  });
}

function checksumOf(bytes: Uint8Array): string {
  return `crc32c:${hex32(crc32c(bytes))}`;
}
