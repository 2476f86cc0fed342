/** Page compression, writing side, by the names users give. */
import { gzip } from '../compressors/gzip.ts';
import { zstd } from '../compressors/zstd.ts';
import { assert } from '../../errors.ts';
import type { Compressor } from '../compressor.ts';
import { snappyCompress } from './snappy-compress.ts';

/** How pages may be compressed. All of them are read. */
export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'none';

export interface PageCompressor {
  /** As the footer names it. Spelt out: a type of the peer here would be needed by everybody who compiles against us. */
  readonly codec: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD';
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

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
