/**
 * What compresses and decompresses a zstd frame: Node's zlib where it can, WebAssembly (loaded at the first need)
 * elsewhere.
 */
import { nativeZstd } from '#platform/zlib.js';
import { readyWasmHash, wasmHash } from '../checksums/wasm.ts';
import { concat } from '../../bytes/index.ts';
import { frameHeader } from './zstd-frames.ts';

export interface ZstdEngine {
  /** One block to one frame with a checksum and without its size, as Go writes long content. */
  compress(block: Uint8Array, level: number): Uint8Array;
  /** One whole frame that decodes to at most `bytesMax`. */
  decompress(frame: Uint8Array, bytesMax: number): Uint8Array;
  /** One whole frame in parts; absent where frames have to be in memory whole. */
  decompressStream?(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

let loaded: ZstdEngine | undefined;

/** Answers at once from the second time on. */
export function zstdEngine(): ZstdEngine | Promise<ZstdEngine> {
  loaded ??= nativeZstd();
  return loaded ?? wasmEngine().then((engine) => (loaded ??= engine));
}

/** magic, descriptor, and the size of the content in 1, 2, 4 or 8 bytes: what the WebAssembly build writes. */
const sizedHeaderBytes = [6, 7, 9, 13] as const;

let wasm: Promise<ZstdEngine> | undefined;

/** One for all: starting the module a second time would pull the memory from under whoever uses it. */
export function wasmEngine(): Promise<ZstdEngine> {
  return (wasm ??= startWasm().catch((error: unknown) => {
    wasm = undefined;
    throw error;
  }));
}

async function startWasm(): Promise<ZstdEngine> {
  const [zstd] = await Promise.all([import('@bokuweb/zstd-wasm'), readyWasmHash('xxh64')]);
  await zstd.init();
  return {
    // It writes frames with a size and without a checksum; the other way round, damage is found.
    compress(block, level) {
      const frame = zstd.compress(block, level);
      const body = frame.subarray(sizedHeaderBytes[(frame[4] ?? 0) >> 6]);
      return concat([frameHeader(block.length, true), body, contentChecksum(block)]);
    },
    decompress: (frame, bytesMax) => zstd.decompress(frame, { defaultHeapSize: bytesMax }),
  };
}

/** The low half of XXH64, little-endian. */
function contentChecksum(content: Uint8Array): Uint8Array {
  const low = Number.parseInt(wasmHash('xxh64', content).slice(8), 16);
  return Uint8Array.of(low, low >>> 8, low >>> 16, low >>> 24);
}
