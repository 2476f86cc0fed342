/** Compression of the platform: browsers have gzip at one level, as streams, and no zstd. */

export async function* gzipStream(
  chunks: AsyncIterable<Uint8Array>,
  _level: number,
): AsyncGenerator<Uint8Array> {
  yield* through(chunks, new CompressionStream('gzip'));
}

export async function gzipBytes(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of gzipStream(once(bytes), level)) parts.push(new Uint8Array(part));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Gunzip {
  readonly output: AsyncIterable<Uint8Array>;
  /** Bytes of the input used so far. */
  consumed(): number;
}

/** Browsers refuse what follows the first member, so all of the input counts as used. */
export function gunzip(chunks: AsyncIterable<Uint8Array>): Gunzip {
  let consumed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      consumed += chunk.length;
      yield chunk;
    }
  }
  return { output: through(counted(), new DecompressionStream('gzip')), consumed: () => consumed };
}

/** What an error of this module says about the bytes; `undefined` when it is about something else. */
export function zlibFault(error: unknown): 'truncated' | 'invalid' | 'too-long' | undefined {
  return error instanceof TypeError ? 'invalid' : undefined;
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  transform: { readonly readable: ReadableStream; readonly writable: WritableStream },
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  yield* source.pipeThrough(transform) as unknown as AsyncIterable<Uint8Array>;
}

interface NativeZstd {
  /** One block to one frame with a checksum and without its size. */
  compress(block: Uint8Array, level: number): Uint8Array;
  /** One whole frame of at most `bytesMax`. */
  decompress(frame: Uint8Array, bytesMax: number): Uint8Array;
  /** One whole frame in parts, in memory bounded by its window. */
  decompressStream(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

export function nativeZstd(): NativeZstd | undefined {
  return undefined;
}
