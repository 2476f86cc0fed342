/**
 * Byte sources: what a user may hand us to be stored, brought to one shape.
 *
 * A source says how long it is, when it knows, and whether it can be read twice: a retry needs one or the other.
 */

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
