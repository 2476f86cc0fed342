/** From chunks to one array, never past a limit; and whether two arrays are alike. */
import { LodeError } from '../errors.ts';

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Reads a stream whole; `LODE_LIMIT_EXCEEDED` as soon as it is longer than `bytesMax`. `what` names it in the error. */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
  what: { readonly key: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > bytesMax) {
      throw new LodeError(
        'LODE_LIMIT_EXCEEDED',
        'object is larger than the limit for reading it whole',
        {
          key: what.key,
          expected: bytesMax,
          actual: size,
        },
      );
    }
    chunks.push(chunk);
  }
  return concat(chunks);
}
