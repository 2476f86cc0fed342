/** No compression: stored bytes are the codec's bytes. Recorded as `noop`. */
import type { Compressor } from '../compressor.ts';

export function none(): Compressor {
  return {
    name: 'noop',
    extension: '',
    compress: (chunks) => chunks,
    compressAll: (bytes) => bytes,
    decompress: (chunks) => chunks,
  };
}
