/**
 * Byte sources: what a user may hand us to be stored, brought to one shape.
 *
 * A source says how long it is, when it knows, and whether it can be read twice: a retry needs one or the other.
 */

import { LodeError } from '../errors.ts';
import { utf8Encode } from './text.ts';

/** Bytes of a known or unknown length that an adapter pulls at its own pace. */
export interface ByteSource {
  /** Total bytes, when known before reading. */
  readonly size: number | undefined;
  /** True when `stream()` may be called again and yields the same bytes. */
  readonly replayable: boolean;
  /** The whole content, when it is in memory already: adapters skip the stream then. */
  readonly bytes?: Uint8Array;
  /** Starts a read. A source that is not replayable throws `LODE_INVALID_ARGUMENT` the second time. */
  stream(): AsyncIterable<Uint8Array>;
}

/** Everything `byteSource()` accepts. Strings are UTF-8; Node streams are async iterables. */
export type ByteInput =
  | Uint8Array
  | ArrayBuffer
  | string
  | Blob
  | ByteSource
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array>;

/** Brings any input to a `ByteSource`. Costs nothing for bytes and strings; reads nothing yet. */
export function byteSource(input: ByteInput): ByteSource {
  if (input instanceof Uint8Array) return bytesSource(input);
  if (typeof input === 'string') return bytesSource(utf8Encode(input));
  if (isByteSource(input)) return input;
  if (input instanceof ArrayBuffer) return bytesSource(new Uint8Array(input));
  if (input instanceof Blob) return blobSource(input);
  if (isIterable(input)) return streamSource(input);
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this is not something bytes can be read from', {
    field: 'body',
    actual: input === null ? 'null' : typeof input,
    next: 'Pass a Uint8Array, string, Blob, stream or (async) iterable of Uint8Array.',
  });
}

function isByteSource(input: object | null | undefined): input is ByteSource {
  return (
    typeof (input as Partial<ByteSource> | null | undefined)?.stream === 'function' &&
    'replayable' in (input as object)
  );
}

function isIterable(
  input: object,
): input is AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> {
  return (
    typeof input === 'object' &&
    input !== null &&
    (Symbol.asyncIterator in input || Symbol.iterator in input)
  );
}

/**
 * A view without the ways of a subclass: of a `Buffer`, `slice` would share memory and `buffer` be a pool. Costs nothing
 * where bytes are plain already.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesSource(given: Uint8Array): ByteSource {
  const bytes = plainBytes(given);
  return { size: bytes.length, replayable: true, bytes, stream: () => once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    replayable: true,
    stream: () => chunksOf(blob.stream() as unknown as AsyncIterable<Uint8Array>),
  };
}

/** A source that can be read once: a stream that someone else is producing. */
function streamSource(
  input: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
): ByteSource {
  let started = false;
  return {
    size: undefined,
    replayable: false,
    stream() {
      if (started) {
        throw new LodeError('LODE_INVALID_ARGUMENT', 'this stream has been read already', {
          field: 'body',
          next: 'Pass bytes, a Blob, or a ByteSource that can be replayed.',
        });
      }
      started = true;
      return chunksOf(input);
    },
  };
}

async function* chunksOf(
  input: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? utf8Encode(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) {
      throw new LodeError('LODE_INVALID_ARGUMENT', 'a stream of bytes yielded something else', {
        field: 'body',
        actual: typeof chunk,
        next: 'Yield Uint8Array or string chunks.',
      });
    }
    if (bytes.length > 0) yield plainBytes(bytes);
  }
}
