/** Page compression, writing side, by the names users give. */
import { gzip } from '../compressors/gzip.ts';
import { zstd } from '../compressors/zstd.ts';
import { assert } from '../../errors.ts';
import type { Compressor } from '../compressor.ts';
import type { PageCompressor } from './seal-pages.ts';
import { snappyCompress } from './snappy-compress.ts';

/** How pages may be compressed. All of them are read. */
export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'none';

export function pageCompressor(compression: ParquetCompression): PageCompressor | undefined {
  switch (compression) {
    case 'snappy':
      return { codec: 'SNAPPY', compress: snappyCompress };
    case 'none':
      return { codec: 'UNCOMPRESSED', compress: (bytes) => bytes };
    case 'gzip':
      return { codec: 'GZIP', compress: whole(gzip()) };
    case 'zstd':
      return { codec: 'ZSTD', compress: whole(zstd()) };
    default:
      return undefined;
  }
}

function whole(compressor: Compressor): PageCompressor['compress'] {
  return (bytes) => {
    const packed = compressor.compressAll?.(bytes);
    assert(packed !== undefined, 'our compressors take content whole');
    return packed;
  };
}
