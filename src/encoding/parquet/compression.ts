/** Page compression, reading side. A page states its size: nothing decompresses past it. */
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
  throw unsupported(place, 'pages in a compression this reader lacks', name);
}
