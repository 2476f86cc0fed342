/** Cutting a body into parts, and uploading them a few at a time out of buffers that are used again. */
import { measured, type ByteSource } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';

const partsMax = 10_000;
const objectBytesMax = 5 * 1024 ** 4;

/** Size of each part but the last: as configured, or what brings the body into 10,000 parts. */
export function partBytesFor(key: string, size: number | undefined, configured: number): number {
  if ((size ?? 0) > objectBytesMax) throw tooLong(key, objectBytesMax, size);
  return Math.max(configured, Math.ceil((size ?? 0) / partsMax));
}

function tooLong(key: string, expected: number, actual?: number): LodeError {
  const next =
    actual === undefined
      ? 'Declare the size of the body, or raise partBytes.'
      : 'Cut the body into several objects.';
  return new LodeError('LODE_LIMIT_EXCEEDED', 'the body is too large for one object', {
    key,
    expected,
    actual,
    next,
  });
}

/** Yields parts in order. The buffer behind one is given back through `release` and used again. */
interface Cut {
  parts(signal: AbortSignal): AsyncIterable<Uint8Array>;
  release(part: Uint8Array): void;
}

export function cutParts(source: ByteSource, partBytes: number): Cut {
  const { bytes } = source;
  if (bytes !== undefined) {
    return {
      async *parts() {
        for (let at = 0; at < bytes.length; at += partBytes)
          yield bytes.subarray(at, at + partBytes);
      },
      release() {},
    };
  }
  const free: Uint8Array[] = [];
  return {
    async *parts(signal) {
      let buffer = free.pop() ?? new Uint8Array(partBytes);
      let filled = 0;
      for await (const chunk of measured(source, signal)) {
        for (let at = 0; at < chunk.length;) {
          const length = Math.min(chunk.length - at, partBytes - filled);
          buffer.set(chunk.subarray(at, at + length), filled);
          at += length;
          filled += length;
          if (filled < partBytes) continue;
          yield buffer;
          buffer = free.pop() ?? new Uint8Array(partBytes);
          filled = 0;
        }
      }
      if (filled > 0) yield buffer.subarray(0, filled);
    },
    release(part) {
      if (part.length === partBytes) free.push(part);
    },
  };
}

/** Uploads every part, `width` under way at once; their etags in order. The first failure stops the rest. */
export async function uploadAll(
  cut: Cut,
  width: number,
  signal: AbortSignal | undefined,
  upload: (number: number, part: Uint8Array, stop: AbortSignal) => Promise<string>,
): Promise<string[]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const etags: string[] = [];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
  };
  try {
    for await (const part of cut.parts(both)) {
      const index = etags.push('') - 1;
      if (index >= partsMax) throw tooLong('', partsMax * part.length);
      const job = upload(index + 1, part, both).then((etag) => {
        etags[index] = etag;
        cut.release(part);
      }, fail);
      running.add(job);
      void job.finally(() => running.delete(job));
      // One buffer is filled while the others are sent.
      while (running.size >= width) await Promise.race(running);
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running);
  signal?.throwIfAborted();
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
  return etags;
}
