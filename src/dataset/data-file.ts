/**
 * One data file as a codec reads it: fetched, verified against its manifest entry, decompressed. Range reads are not
 * covered by its digest; the index that a codec may have at the end of a file has its own.
 */
import { plainBytes } from '../bytes/index.ts';
import type { DataFile } from '../encoding/codec.ts';
import type { Compressor, DecompressLimits } from '../encoding/compressor.ts';
import { rangesOf, readStored } from '../history/index.ts';
import type { StoredFileOptions } from '../history/index.ts';
import type { Store } from '../store/store.ts';
import { assertIndex } from './file-index.ts';
import type { ManifestFile } from './manifest/index.ts';

export interface DataFileOptions extends StoredFileOptions {
  readonly compressor: Compressor;
  readonly limits?: Partial<DecompressLimits> | undefined;
}

/** Streams keep memory bounded whatever comes out; these end a bomb that would keep a reader busy for days. */
const defaultDecompressLimits: DecompressLimits = { bytesMax: 2 ** 40, ratioMax: 100_000 };

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
