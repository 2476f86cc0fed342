/** Reading sources under a signal: an abort is felt at once, even when the source hangs. */
import { LodeError } from '../errors.ts';
import { concat } from './collect.ts';
import { plainBytes } from './source.ts';
import type { ByteSource } from './source.ts';

/**
 * The same items; rejects with `signal.reason` as soon as the signal aborts. The source is told to stop, and not waited
 * for: one that hangs in `next()` would hang in `return()` too.
 */
export function abortable<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncIterable<T> {
  return signal === undefined ? items : untilAborted(items, signal);
}

async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  // One listener for the whole stream: to race each item against one promise would keep something of every item.
  let fail: (error: Error) => void = () => {};
  const onAbort = (): void => fail(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  const iterator = items[Symbol.asyncIterator]();
  let isOver = false;
  const next = (): Promise<IteratorResult<T>> =>
    new Promise((resolve, reject) => {
      fail = reject;
      Promise.resolve(iterator.next()).then(resolve, (error: Error) => {
        isOver = true;
        reject(error);
      });
    });
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await next();
      if (step.done === true) {
        isOver = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!isOver) void stop(iterator);
  }
}

/** Whatever comes of it: there is an error already, or nobody who wants one. */
async function stop(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

/** Reads a source whole into memory of its own; a source that is not as long as it declared fails. */
export async function readSource(source: ByteSource, signal?: AbortSignal): Promise<Uint8Array> {
  if (source.bytes !== undefined) return new Uint8Array(source.bytes);
  const chunks: Uint8Array[] = [];
  // A producer may reuse its buffer for the next chunk.
  for await (const chunk of measured(source, signal)) chunks.push(chunk.slice());
  return concat(chunks);
}

/** The chunks of a source, held to the size it declared: an object is never stored shorter or longer than announced. */
export async function* measured(
  source: ByteSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const expected = source.size;
  let size = 0;
  for await (const chunk of abortable(source.stream(), signal)) {
    size += chunk.length;
    if (expected !== undefined && size > expected) throw wrongSize(expected, size);
    yield plainBytes(chunk);
  }
  if (expected !== undefined && size !== expected) throw wrongSize(expected, size);
}

function wrongSize(expected: number, actual: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'body is not as long as it declared', {
    field: 'body',
    expected,
    actual,
    next: 'Pass a source whose size is true, or leave the size undefined.',
  });
}
