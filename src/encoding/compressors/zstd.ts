/**
 * zstd (docs/formats/dataset.md, section 6): a frame for every 256 KiB of content, each with a checksum, none with its size, as Go may find them.
 *
 * Independent frames keep memory bounded with every engine and can be read by any. Content of zero bytes is zero bytes,
 * both ways. Frames of other writers may be of any length: Node's zlib streams them; WebAssembly has to hold a frame
 * whole, and takes up to 256 MiB of content in one.
 */
import { zlibFault } from '#platform/zlib.js';
import { concat } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import type { Compressor } from '../compressor.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Place } from './gauge.ts';
import { Gauge } from './gauge.ts';
import { levelWithin } from './level.ts';
import type { ZstdEngine } from './zstd-engine.ts';
import { zstdEngine } from './zstd-engine.ts';
import type { ZstdBlock, ZstdFrame } from './zstd-frames.ts';
import { zstdFrames } from './zstd-frames.ts';

export interface ZstdOptions {
  /** 1 (fast) to 22 (small); default 3, as Go. */
  readonly level?: number;
}

/** Content of one frame. Compressing it keeps a thread for a few milliseconds at most. */
const blockBytes = 262_144;

/** A frame that decodes to no more is decoded in one call. */
const wholeBytesMax = 1_048_576;

/** The most content of one frame that WebAssembly gets memory for. */
const heapBytesMax = 268_435_456;

export function zstd(options: ZstdOptions = {}): Compressor {
  assertOptions<ZstdOptions>(options, '', { level: true });
  const { level = 3 } = options;
  levelWithin(level, 1, 22);
  return {
    name: 'zstd',
    extension: '.zst',
    async *compress(chunks) {
      const engine = await zstdEngine();
      const queue = new ByteQueue(chunks);
      try {
        for (;;) {
          const block = await queue.take(blockBytes);
          if (block.length === 0) return;
          yield engine.compress(block, level);
        }
      } finally {
        await queue.close();
      }
    },
    compressAll(bytes) {
      const engine = zstdEngine();
      return engine instanceof Promise
        ? engine.then((ready) => compressed(ready, bytes, level))
        : compressed(engine, bytes, level);
    },
    async *decompress(chunks, place) {
      yield* decompressed(await zstdEngine(), chunks, place);
    },
  };
}

function compressed(engine: ZstdEngine, bytes: Uint8Array, level: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    frames.push(engine.compress(bytes.subarray(at, at + blockBytes), level));
  }
  return concat(frames);
}

/** Exported for tests, which run it with either engine. */
export async function* decompressed(
  engine: ZstdEngine,
  chunks: AsyncIterable<Uint8Array>,
  place: Place,
): AsyncGenerator<Uint8Array> {
  const gauge = new Gauge(place);
  const queue = new ByteQueue(gauge.counted(chunks));
  try {
    for await (const frame of zstdFrames(queue, place.key)) {
      let size = 0;
      for await (const content of contentOf(frame, { engine, gauge, place })) {
        gauge.out(content.length);
        size += content.length;
        if (content.length > 0) yield content;
      }
      if (frame.contentSize !== undefined && frame.contentSize !== size) {
        throw damaged(frame, place, `it holds ${size} bytes and says ${frame.contentSize}`);
      }
    }
  } finally {
    await queue.close();
  }
}

interface Reading {
  readonly engine: ZstdEngine;
  readonly gauge: Gauge;
  readonly place: Place;
}

async function* contentOf(frame: ZstdFrame, reading: Reading): AsyncGenerator<Uint8Array> {
  const { engine, gauge, place } = reading;
  const blocks = frame.blocks[Symbol.asyncIterator]();
  const parts = [frame.header];
  let contentMax = 0;
  for (;;) {
    const { done, value } = await blocks.next();
    if (done === true) break;
    parts.push(value.bytes);
    contentMax += value.contentMax;
    if (contentMax > wholeBytesMax && engine.decompressStream !== undefined) {
      const rest = engine.decompressStream(following(parts, blocks));
      yield* translated(rest, frame, place);
      return;
    }
  }
  const bytesMax = Math.min(contentMax, Math.max(gauge.room, wholeBytesMax), heapBytesMax);
  yield whole(concat(parts), { frame, contentMax, bytesMax }, reading);
}

async function* following(
  parts: readonly Uint8Array[],
  blocks: AsyncIterator<ZstdBlock>,
): AsyncGenerator<Uint8Array> {
  yield concat(parts);
  for (;;) {
    const { done, value } = await blocks.next();
    if (done === true) return;
    yield value.bytes;
  }
}

interface FrameSize {
  readonly frame: ZstdFrame;
  readonly contentMax: number;
  readonly bytesMax: number;
}

function whole(bytes: Uint8Array, size: FrameSize, { engine, gauge, place }: Reading): Uint8Array {
  const { frame, contentMax, bytesMax } = size;
  try {
    return engine.decompress(bytes, Math.max(1, bytesMax));
  } catch (error) {
    if (contentMax <= bytesMax || !isTooLong(error)) throw damaged(frame, place, 'damaged', error);
    if (bytesMax < heapBytesMax) gauge.out(gauge.room + 1);
    throw new LodeError('LODE_UNSUPPORTED', 'a zstd frame is too long for this platform', {
      key: place.key,
      offset: frame.offset,
      expected: heapBytesMax,
      next: 'Read it with Node 22.15 or later.',
    });
  }
}

/** `dstSize_tooSmall`, as the WebAssembly build says it. */
function isTooLong(error: unknown): boolean {
  return (
    zlibFault(error) === 'too-long' || (error instanceof Error && error.message.endsWith('-70'))
  );
}

async function* translated(
  chunks: AsyncIterable<Uint8Array>,
  frame: ZstdFrame,
  place: Place,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw zlibFault(error) === undefined ? error : damaged(frame, place, 'damaged', error);
  }
}

function damaged(frame: ZstdFrame, { key }: Place, why: string, cause?: unknown): LodeError {
  return new LodeError(
    'LODE_INVALID_FORMAT',
    `a zstd frame cannot be read: ${why}`,
    { key, offset: frame.offset },
    { cause },
  );
}
