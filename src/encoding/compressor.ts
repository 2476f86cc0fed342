/** The compressor port. Compression is applied after the codec, to each data file as a whole. */

export interface DecompressLimits {
  /** Stop with `LODE_LIMIT_EXCEEDED` when more bytes than this come out. */
  readonly bytesMax: number;
  /** Stop with `LODE_LIMIT_EXCEEDED` when output exceeds input by more than this factor (checked past the first MiB). */
  readonly ratioMax: number;
}

export interface Compressor {
  /** Recorded in the manifest and compared at read: `noop`, `gzip`, `zstd`, or a name of your own. */
  readonly name: string;
  /** Appended to data file names, with its dot; `''` for none. */
  readonly extension: string;
  /** Compresses a stream chunk by chunk. */
  compress(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Optional: the same for content that is in memory whole, without the stream's cost. */
  compressAll?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Decompresses a stream; `LODE_INVALID_FORMAT` names `key` and the offset of what it cannot read. */
  decompress(
    chunks: AsyncIterable<Uint8Array>,
    limits: DecompressLimits & { readonly key: string },
  ): AsyncIterable<Uint8Array>;
}
