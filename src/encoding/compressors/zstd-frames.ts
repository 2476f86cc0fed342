/**
 * The outside of zstd (RFC 8878): frames, their headers and the lengths of their blocks, without what is in the blocks.
 *
 * Libraries disagree about what they do with a frame that is cut, followed by another or followed by rubbish; some lose
 * data silently. So the frames are found here, and a library only ever sees one whole frame at a time.
 */
import { concat } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type { ByteQueue } from './byte-queue.ts';

export interface ZstdFrame {
  /** Where it starts in the object. */
  readonly offset: number;
  /** A header that says the same, but for the content size: libraries would trust it with memory. */
  readonly header: Uint8Array;
  /** Size of the content when the header says so. */
  readonly contentSize: number | undefined;
  /** To be read to its end before the next frame. */
  readonly blocks: AsyncIterable<ZstdBlock>;
}

export interface ZstdBlock {
  /** With its header; the last one with the frame's checksum. */
  readonly bytes: Uint8Array;
  /** The most it can decode to. */
  readonly contentMax: number;
}

const magic = 0xfd2f_b528;
const skippableMagic = 0x184d_2a50;
const windowLogMin = 10;
/** Go reads windows up to 512 MiB. */
const windowBytesMax = 2 ** 29;
const blockBytesMax = 131_072;
const checksumFlag = 0x04;

export async function* zstdFrames(queue: ByteQueue, key: string): AsyncGenerator<ZstdFrame> {
  for (;;) {
    const { offset } = queue;
    const start = await queue.take(4);
    if (start.length === 0) return;
    if (start.length < 4) throw truncated(key, queue.offset);
    const mark = little(start);
    if (mark === magic) yield await frame(queue, key, offset);
    else if (mark - (mark % 16) === skippableMagic) {
      const length = little(await exactly(queue, 4, key));
      if (!(await queue.skip(length))) throw truncated(key, queue.offset);
    } else throw invalid('this is not the start of a zstd frame', key, offset);
  }
}

/** The header of a frame without content size, for content of at most `windowBytes`. */
export function frameHeader(windowBytes: number, checksum: boolean): Uint8Array {
  const log = Math.max(windowLogMin, Math.ceil(Math.log2(windowBytes)));
  return headerOf((log - windowLogMin) << 3, checksum);
}

function headerOf(windowByte: number, checksum: boolean): Uint8Array {
  return Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, checksum ? checksumFlag : 0, windowByte);
}

async function frame(queue: ByteQueue, key: string, offset: number): Promise<ZstdFrame> {
  const descriptor = little(await exactly(queue, 1, key));
  const single = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw invalid('a reserved bit of the header is set', key, offset);
  const windowByte = single ? 0 : little(await exactly(queue, 1, key));
  const dictionary = little(await exactly(queue, [0, 1, 2, 4][descriptor & 3] ?? 0, key));
  if (dictionary !== 0) throw invalid('it needs a dictionary', key, offset);
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
  const size = little(await exactly(queue, sizeBytes, key)) + (sizeFlag === 1 ? 256 : 0);
  const windowBytes = single ? size : windowOf(windowByte);
  if (windowBytes > windowBytesMax) {
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'a zstd frame asks for too large a window', {
      key,
      offset,
      expected: windowBytesMax,
      actual: windowBytes,
      next: 'Compress the content again with a smaller window.',
    });
  }
  const checksum = (descriptor & checksumFlag) !== 0;
  return {
    offset,
    header: single ? frameHeader(windowBytes, checksum) : headerOf(windowByte, checksum),
    contentSize: sizeBytes === 0 ? undefined : size,
    blocks: blocks(queue, { key, checksum, blockMax: Math.min(windowBytes, blockBytesMax) }),
  };
}

interface BlockContext {
  readonly key: string;
  readonly checksum: boolean;
  readonly blockMax: number;
}

async function* blocks(
  queue: ByteQueue,
  { key, checksum, blockMax }: BlockContext,
): AsyncGenerator<ZstdBlock> {
  for (let last = false; !last;) {
    const { offset } = queue;
    const head = new Uint8Array(await exactly(queue, 3, key));
    const bits = little(head);
    last = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === 3) throw invalid('a block has a reserved type', key, offset);
    if (size > blockMax) throw invalid('a block is larger than its frame allows', key, offset);
    const repeated = type === 1;
    const body = await exactly(queue, repeated ? 1 : size, key);
    const tail = last && checksum ? await exactly(queue, 4, key) : new Uint8Array(0);
    yield { bytes: concat([head, body, tail]), contentMax: type === 2 ? blockMax : size };
  }
}

function windowOf(byte: number): number {
  const base = 2 ** (windowLogMin + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

/** An unsigned number of up to 8 bytes. Past 2^53 it is inexact, and refused as too large wherever it is used. */
function little(bytes: Uint8Array): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

async function exactly(queue: ByteQueue, count: number, key: string): Promise<Uint8Array> {
  const bytes = await queue.take(count);
  if (bytes.length < count) throw truncated(key, queue.offset);
  return bytes;
}

function truncated(key: string, offset: number): LodeError {
  return new LodeError('LODE_TRUNCATED', 'zstd content ends too early', { key, offset });
}

function invalid(why: string, key: string, offset: number): LodeError {
  return new LodeError('LODE_INVALID_FORMAT', `cannot read zstd content: ${why}`, { key, offset });
}
