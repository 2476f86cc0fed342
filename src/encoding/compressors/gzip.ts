/**
 * gzip (docs/formats/dataset.md, section 6): one member with the header Go writes; any number of members is read.
 *
 * Every member carries its length and CRC-32, so damage and missing bytes are found here, checksums or not. In browsers
 * the level is the platform's.
 */
import { gunzip, gzipBytes, gzipStream, zlibFault } from '#platform/zlib.js';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import type { Compressor } from '../compressor.ts';
import type { Place } from './gauge.ts';
import { Gauge } from './gauge.ts';
import { levelWithin } from './level.ts';

export interface GzipOptions {
  /** 1 (fast) to 9 (small); default 6, as Go. */
  readonly level?: number;
}

export function gzip(options: GzipOptions = {}): Compressor {
  assertOptions<GzipOptions>(options, '', { level: true });
  const { level = 6 } = options;
  levelWithin(level, 1, 9);
  return {
    name: 'gzip',
    extension: '.gz',
    compress: (chunks) => gzipStream(chunks, level),
    compressAll: (bytes) => gzipBytes(bytes, level),
    decompress,
  };
}

async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  place: Place,
): AsyncGenerator<Uint8Array> {
  const gauge = new Gauge(place);
  const { key } = place;
  const reading = gunzip(gauge.counted(chunks));
  try {
    for await (const chunk of reading.output) {
      gauge.out(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw translated(error, key, reading.consumed());
  }
  // Go reads an empty object as a cut one, and so do we: even empty content has a header.
  if (gauge.input === 0) throw truncated(key, 0);
  if (reading.consumed() < gauge.input) {
    throw new LodeError('LODE_INVALID_FORMAT', 'something that is not gzip follows the content', {
      key,
      offset: reading.consumed(),
    });
  }
}

function translated(error: unknown, key: string, offset: number): unknown {
  const fault = zlibFault(error);
  if (fault === undefined) return error;
  if (fault === 'truncated') return truncated(key, offset, error);
  return new LodeError(
    'LODE_INVALID_FORMAT',
    'this is not gzip, or it is damaged',
    { key, offset },
    { cause: error },
  );
}

function truncated(key: string, offset: number, cause?: unknown): LodeError {
  return new LodeError('LODE_TRUNCATED', 'gzip content ends too early', { key, offset }, { cause });
}
