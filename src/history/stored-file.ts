/**
 * An object that a manifest names, read and compared with what the manifest says of it.
 *
 * Sizes are always compared. Digests are compared by default, over the stored bytes: of an object up to `wholeBytesMax`
 * before its first byte is handed out, of a longer one as it streams, so that a reader of damaged data fails at its end
 * at the latest. Range reads are not covered by the digest.
 */
import { digestOf } from '../encoding/checksum.ts';
import type { Checksum } from '../encoding/checksum.ts';
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import type { ETag, GetOptions, Store, StoredObject } from '../store/store.ts';

export interface StoredFile {
  /** Key in the store. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly checksum?: string;
}

export interface StoredFileOptions {
  /** The algorithm of `file.checksum`; without it only the size is verified. */
  readonly checksum?: Checksum | undefined;
  /** False: digests are not compared. Default true. */
  readonly verify?: boolean | undefined;
  /** Larger objects are handed out while they are hashed. Default 1 MiB. */
  readonly wholeBytesMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Objects up to this size are verified before any of their bytes is handed out. */
const wholeBytesMax = 1024 * 1024;

/** The stored bytes of a file, verified. One request. */
export async function* readStored(
  store: Store,
  file: StoredFile,
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
  if (object.size <= (options.wholeBytesMax ?? wholeBytesMax)) {
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
  file: StoredFile,
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

/** A file, or a range of it, exactly as long as it was asked for. */
export async function fetchBytes(
  store: Store,
  file: StoredFile,
  {
    range,
    signal,
  }: { readonly range?: VolumeRange | undefined; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const bytes = await (await fetchFile(store, file, { range, signal })).bytes();
  const asked = range ?? { offset: 0, length: file.sizeBytes };
  if (bytes.length !== asked.length) throw wrongAnswer(file, asked, bytes.length);
  return bytes;
}

/** A range as a stream. */
export async function* fetchStream(
  store: Store,
  file: StoredFile,
  range: VolumeRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of (await fetchFile(store, file, { range, signal })).stream()) {
    length += chunk.length;
    // Before more is handed out than was asked for: the caller has room for that much.
    if (length > range.length) throw wrongAnswer(file, range, length);
    yield chunk;
  }
  if (length < range.length) throw wrongAnswer(file, range, length);
}

/** A stream that is exactly as long as the manifest says, and that an abort ends between two chunks. */
async function* counted(
  file: StoredFile,
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
export async function fetchFile(
  store: Store,
  file: StoredFile,
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

export function assertDigest(file: StoredFile, expected: string, actual: string): void {
  if (actual === expected) return;
  throw new LodeError('LODE_CHECKSUM_MISMATCH', 'a data file is not the one that was committed', {
    key: file.path,
    expected,
    actual,
  });
}

function wrongSize(file: StoredFile, actual: number): LodeError {
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

function wrongAnswer({ path: key }: StoredFile, range: VolumeRange, actual: number): LodeError {
  const { offset, length: expected } = range;
  const details = { key, offset, expected, actual };
  return actual < expected
    ? new LodeError('LODE_TRUNCATED', 'a read came back short', details)
    : new LodeError('LODE_CHECKSUM_MISMATCH', 'a read came back too long', details);
}
