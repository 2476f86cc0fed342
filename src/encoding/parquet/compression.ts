/** Page compression, reading side. A page states its size: nothing decompresses past it. */
import { isLodeError } from '../../errors.ts';
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
  if (name === 'gzip') return gunzip(bytes, size, place);
  throw unsupported(place, 'pages in a compression this reader lacks', name);
}

/** Stops as soon as more comes out than the page declares. */
async function gunzip(bytes: Uint8Array, size: number, place: Place): Promise<Uint8Array> {
  // Deflate expands by 1032 at most: a larger claim is a lie, told before memory is taken for it.
  if (size > bytes.length * 1032) throw corrupt(place, 'a page is too short for its size');
  const out = new Uint8Array(size);
  let at = 0;
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > size - at) throw corrupt(place, 'a page decompresses past its size');
      out.set(value, at);
      at += value.length;
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    throw isLodeError(cause) ? cause : corrupt(place, 'a page does not decompress');
  }
  return at === size ? out : out.subarray(0, at);
}
