/**
 * From chunks of any size to blocks that end at a line end, in bounded memory.
 *
 * A block is one chunk's worth of whole lines, or one line that is longer. Nothing is copied but the parts of a line
 * that spans chunks.
 */
import { concat } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';

export interface LineBlock {
  readonly bytes: Uint8Array;
  /** Offset of its first byte in the file. */
  readonly offset: number;
}

interface LineLimits {
  readonly key: string;
  /** Longer lines are refused before they are held in memory whole. */
  readonly lineBytesMax: number;
}

/** A larger chunk is cut, so that what is decoded at a time stays small however the bytes arrive. */
const blockBytes = 65_536;

const lineFeed = 0x0a;

export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
  limits: LineLimits,
): AsyncGenerator<LineBlock> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let offset = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += blockBytes) {
      const piece = chunk.subarray(at, at + blockBytes);
      const end = piece.lastIndexOf(lineFeed) + 1;
      const first = end === 0 ? piece.length : piece.indexOf(lineFeed);
      if (held + first > limits.lineBytesMax) throw tooLong(offset, held + first, limits);
      if (end > 0) {
        parts.push(piece.subarray(0, end));
        const bytes = concat(parts);
        yield { bytes, offset };
        offset += bytes.length;
        parts = [];
        held = 0;
      }
      if (end < piece.length) {
        parts.push(piece.subarray(end));
        held += piece.length - end;
      }
    }
  }
  if (held > 0) yield { bytes: concat(parts), offset };
}

function tooLong(offset: number, length: number, { key, lineBytesMax }: LineLimits): LodeError {
  return new LodeError('LODE_LIMIT_EXCEEDED', 'a line is longer than the limit for one record', {
    key,
    offset,
    expected: lineBytesMax,
    actual: length,
  });
}
