/** Page compression, reading side. A page states its size: nothing decompresses past it. */
import { concat } from '../../bytes/collect.ts';
import { LodeError, isLodeError } from '../../errors.ts';
import type { Compressor } from '../compressor.ts';
import { gzip } from '../compressors/gzip.ts';
import { zstd } from '../compressors/zstd.ts';
import { corrupt, unsupported } from './place.ts';
import type { Place } from './place.ts';
import { snappyDecompress } from './snappy.ts';

const names = ['none', 'snappy', 'gzip', 'lzo', 'brotli', 'lz4', 'zstd', 'lz4_raw'] as const;

export async function decompressPage(
  codec: number,
  bytes: Uint8Array,
  size: number,
  place: Place,
): Promise<Uint8Array> {
  const name = names[codec];
  if (name === undefined) throw corrupt(place, 'an unknown compression', { actual: codec });
  if (name === 'none') return bytes;
  // A page of nulls has no values to compress, and some writers then store nothing at all.
  if (size === 0) return new Uint8Array(0);
  if (name === 'snappy') return snappyDecompress(bytes, size, place);
  if (name === 'gzip') return expand(gzip(), bytes, size, place);
  if (name === 'zstd') return expand(zstd(), bytes, size, place);
  throw unsupported(place, 'pages in a compression this reader lacks', name);
}

/** Stops as soon as more comes out than the page declares. */
async function expand(
  compressor: Compressor,
  bytes: Uint8Array,
  size: number,
  place: Place,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const limits = { key: place.key, bytesMax: size, ratioMax: Infinity };
  try {
    for await (const chunk of compressor.decompress(once(bytes), limits)) chunks.push(chunk);
  } catch (cause) {
    if (!isLodeError(cause)) throw cause;
    throw new LodeError('LODE_INVALID_FORMAT', 'parquet: a page does not decompress', place, {
      cause,
    });
  }
  return concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
