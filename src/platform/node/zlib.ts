/** Compression of the platform: gzip in every Node, zstd in those that have it. Errors are the platform's own. */
import type { Transform } from 'node:stream';

/** Loaded with the first use: it would be a good part of what importing us costs. */
let zlibLoaded: typeof import('node:zlib') | undefined;

function zlib(): typeof import('node:zlib') {
  zlibLoaded ??= process.getBuiltinModule('node:zlib');
  return zlibLoaded;
}

/** Large enough that a chunk's cost does not show: three times as fast as Node's default of 16 KiB. */
const chunkSize = 262_144;

/** Below this, compressing at once is faster than handing the bytes to another thread and waiting. */
const atOnceBytesMax = 65_536;

export async function* gzipStream(
  chunks: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of through(chunks, zlib().createGzip({ level, chunkSize: 65_536 }))) {
    yield first ? goHeader(chunk) : chunk;
    first = false;
  }
}

export function gzipBytes(bytes: Uint8Array, level: number): Uint8Array | Promise<Uint8Array> {
  if (bytes.length <= atOnceBytesMax) return goHeader(plain(zlib().gzipSync(bytes, { level })));
  return new Promise((resolve, reject) => {
    zlib().gzip(bytes, { level }, (error, zipped) => {
      if (error === null) resolve(goHeader(plain(zipped)));
      else reject(error);
    });
  });
}

/** Go leaves the system byte at 255, "unknown". With it the same content is the same header on every machine. */
function goHeader(zipped: Uint8Array): Uint8Array {
  zipped[9] = 255;
  return zipped;
}

interface Gunzip {
  readonly output: AsyncIterable<Uint8Array>;
  /** Bytes of the input used so far. */
  consumed(): number;
}

export function gunzip(chunks: AsyncIterable<Uint8Array>): Gunzip {
  const stream = zlib().createGunzip({ chunkSize });
  return { output: through(chunks, stream), consumed: () => stream.bytesWritten };
}

/** Node gives Buffers, whose `slice` shares memory: outside of here bytes are plain. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** What an error of this module says about the bytes; `undefined` when it is about something else. */
export function zlibFault(error: unknown): 'truncated' | 'invalid' | 'too-long' | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return 'truncated';
  if (code === 'ERR_BUFFER_TOO_LARGE') return 'too-long';
  return code.startsWith('Z_') || code.startsWith('ZSTD_') ? 'invalid' : undefined;
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  stream: Transform,
): AsyncGenerator<Uint8Array> {
  // Errors of either side surface where the transform is read; the callback only keeps them from being unhandled.
  const { Readable, pipeline } = process.getBuiltinModule('node:stream');
  pipeline(Readable.from(chunks), stream, () => {});
  for await (const chunk of stream) yield plain(chunk as Buffer);
}

interface NativeZstd {
  /** One block to one frame with a checksum and without its size. */
  compress(block: Uint8Array, level: number): Uint8Array;
  /** One whole frame of at most `bytesMax`. */
  decompress(frame: Uint8Array, bytesMax: number): Uint8Array;
  /** One whole frame in parts, in memory bounded by its window. */
  decompressStream(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** What Node's zlib has had since 22.15; the types of the oldest supported Node do not know it. */
interface ZstdModule {
  readonly constants: Readonly<Record<string, number>>;
  zstdCompressSync(bytes: Uint8Array, options: object): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: object): Uint8Array;
  createZstdDecompress(options: object): Transform;
}

/** Go reads windows up to 512 MiB. */
const windowLogMax = 29;

function zstdOf(module: object): NativeZstd | undefined {
  if (!('zstdCompressSync' in module)) return undefined;
  const zstd = module as ZstdModule;
  const code = (name: string): number => zstd.constants[name] ?? Number.NaN;
  const reading = { [code('ZSTD_d_windowLogMax')]: windowLogMax };
  return {
    compress: (block, level) =>
      plain(
        zstd.zstdCompressSync(block, {
          chunkSize: Math.max(64, block.length + (block.length >> 7) + 64),
          params: {
            [code('ZSTD_c_compressionLevel')]: level,
            [code('ZSTD_c_checksumFlag')]: 1,
            [code('ZSTD_c_contentSizeFlag')]: 0,
          },
        }),
      ),
    decompress: (frame, bytesMax) =>
      plain(
        zstd.zstdDecompressSync(frame, {
          chunkSize: Math.max(64, bytesMax),
          maxOutputLength: Math.max(1, bytesMax),
          params: reading,
        }),
      ),
    decompressStream: (parts) =>
      through(parts, zstd.createZstdDecompress({ chunkSize, params: reading })),
  };
}

/** `undefined` before Node 22.15. */
export function nativeZstd(): NativeZstd | undefined {
  return zstdOf(zlib());
}
