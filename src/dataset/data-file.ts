/**
 * One data file as a codec reads it: fetched, verified against its manifest entry, decompressed.
 *
 * Sizes are always compared. Digests are compared by default, over the stored bytes: of a file up to `wholeBytesMax`
 * before its first byte is handed out, of a longer one as it streams, so that a reader of damaged data fails at its end
 * at the latest. Range reads are not covered by the digest; the index that a codec may have at the end of a file has its own.
 */
import { plainBytes } from '../bytes/index.ts';
import type { Checksum } from '../encoding/checksum.ts';
import type { DataFile } from '../encoding/codec.ts';
import type { Compressor, DecompressLimits } from '../encoding/compressor.ts';
import { LodeError } from '../errors.ts';
import type { ETag, GetOptions, Store, StoredObject } from '../store/store.ts';
import { assertIndex } from './file-index.ts';
import type { ManifestFile } from './manifest/index.ts';

interface StoredFileOptions {
  /** The algorithm of `file.checksum`; without it only the size is verified. */
  readonly checksum?: Checksum | undefined;
  /** False: digests are not compared. Default true. */
  readonly verify?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DataFileOptions extends StoredFileOptions {
  readonly compressor: Compressor;
  readonly limits?: Partial<DecompressLimits> | undefined;
}

/** Streams keep memory bounded whatever comes out; these end a bomb that would keep a reader busy for days. */
const defaultDecompressLimits: DecompressLimits = { bytesMax: 2 ** 40, ratioMax: 100_000 };

/** Files up to this size are verified before any of their bytes is handed out. */
const wholeBytesMax = 1024 * 1024;

/** Reads nothing yet. Each `stream()` is one request; so is each `readRange()`. */
export function openDataFile(store: Store, file: ManifestFile, options: DataFileOptions): DataFile {
  const { compressor, signal } = options;
  const key = file.path;
  if (compressor.name === 'noop') {
    const readRange = rangesOf(store, file, signal);
    return {
      key,
      size: file.sizeBytes,
      stream: () => readStored(store, file, options),
      readRange,
      ...indexReader(file, readRange, options.verify ?? true),
    };
  }
  const limits = { ...defaultDecompressLimits, ...options.limits, key };
  return {
    key,
    size: undefined,
    stream: () => plain(compressor.decompress(readStored(store, file, options), limits)),
  };
}

/** Without verification every index is good; with it, one that the manifest has a digest of. */
function indexReader(
  file: ManifestFile,
  readRange: (offset: number, length: number) => Promise<Uint8Array>,
  verify: boolean,
): Pick<DataFile, 'readIndex'> {
  const { index, sizeBytes } = file;
  if (index === undefined && verify) return {};
  return {
    async readIndex(length) {
      const wanted = Math.min(sizeBytes, Math.max(length, index?.bytes ?? 0));
      const end = await readRange(sizeBytes - wanted, wanted);
      if (verify && index !== undefined) assertIndex(file, index, end);
      return end;
    },
  };
}

/** A compressor of the user's own may well yield Buffers. */
async function* plain(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield plainBytes(chunk);
}

/** The stored bytes of a file, verified. One request. */
export async function* readStored(
  store: Store,
  file: ManifestFile,
  options: StoredFileOptions,
): AsyncGenerator<Uint8Array> {
  const { checksum, verify = true, signal } = options;
  const object = await fetchFile(store, file, { signal });
  const expected = verify ? file.checksum : undefined;
  if (checksum === undefined || expected === undefined) {
    yield* counted(file, object.stream(), signal);
    return;
  }
  await checksum.ready?.();
  if (object.size <= wholeBytesMax) {
    const bytes = await object.bytes();
    assertDigest(file, expected, digestOf(checksum, bytes));
    if (bytes.length > 0) yield bytes;
    return;
  }
  const hasher = checksum.hasher();
  for await (const chunk of counted(file, object.stream(), signal)) {
    hasher.update(chunk);
    yield chunk;
  }
  assertDigest(file, expected, hasher.digest());
}

/** Ranges of a file stored uncompressed, all from one version of it. */
export function rangesOf(
  store: Store,
  file: ManifestFile,
  signal: AbortSignal | undefined,
): (offset: number, length: number) => Promise<Uint8Array> {
  let etag: ETag | undefined;
  return async (offset, length) => {
    if (length === 0 || offset >= file.sizeBytes) return new Uint8Array(0);
    const range = { offset, length: Math.min(length, file.sizeBytes - offset) };
    const object = await fetchFile(store, file, { range, ifMatch: etag, signal });
    etag ??= object.etag;
    return object.bytes();
  };
}

/** A stream that is exactly as long as the manifest says, and that an abort ends between two chunks. */
async function* counted(
  file: ManifestFile,
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    size += chunk.length;
    yield chunk;
  }
  if (size !== file.sizeBytes) throw wrongSize(file, size);
}

/** Starts a read, and gives it up when the object cannot be the one the manifest names. */
async function fetchFile(
  store: Store,
  file: ManifestFile,
  options: GetOptions,
): Promise<StoredObject> {
  const object = await store.get(file.path, options);
  if (object === undefined) {
    throw new LodeError('LODE_NOT_FOUND', 'a data file that a manifest names is not there', {
      key: file.path,
      next: 'Restore the object from a copy, or read another snapshot.',
    });
  }
  if (object.size !== file.sizeBytes) {
    await object.cancel();
    throw wrongSize(file, object.size);
  }
  return object;
}

function assertDigest(file: ManifestFile, expected: string, actual: string): void {
  if (actual === expected) return;
  throw new LodeError('LODE_CHECKSUM_MISMATCH', 'a data file is not the one that was committed', {
    key: file.path,
    expected,
    actual,
  });
}

function digestOf(checksum: Checksum, bytes: Uint8Array): string {
  if (checksum.hash !== undefined) return checksum.hash(bytes);
  const hasher = checksum.hasher();
  hasher.update(bytes);
  return hasher.digest();
}

function wrongSize(file: ManifestFile, actual: number): LodeError {
  const details = { key: file.path, expected: file.sizeBytes, actual };
  return actual < file.sizeBytes
    ? new LodeError('LODE_TRUNCATED', 'a data file is shorter than its manifest says', {
        ...details,
        offset: actual,
      })
    : new LodeError(
        'LODE_CHECKSUM_MISMATCH',
        'a data file is longer than its manifest says',
        details,
      );
}
