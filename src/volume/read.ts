/**
 * Reading: the blocks that a range touches, in bounded parallel.
 *
 * What is verified when: the size of every object, always. The digest of a block whenever it is read whole, before its first
 * byte is handed out, or at its end where it is larger than `wholeBytesMax` and streamed. Of a block that is read in part, a
 * range of its object is fetched, and no digest can cover that; with `verified` such blocks are fetched whole.
 */
import { digestOf } from '../encoding/checksum.ts';
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import { assertDigest, fetchBytes, fetchStream, readStored } from '../history/index.ts';
import type { Operation } from '../history/index.ts';
import { forEachOf, mapInOrder } from '../parallel.ts';
import type { Span } from './block-table.ts';
import type { VolumeContext } from './context.ts';
import { assertCovered } from './coverage.ts';
import type { VolumeManifest } from './manifest/index.ts';

/** Blocks up to this size are read ahead, and verified before any of their bytes is handed out. */
const wholeBytesMax = 16 * 1024 * 1024;
const blocksAhead = 4;
/** Largest range that is handed over as one array. */
const arrayBytesMax = 2 ** 32 - 1;

export interface ReadPlan {
  readonly op: Operation;
  readonly context: VolumeContext;
  readonly manifest: VolumeManifest;
  /** Only whole blocks are fetched. */
  readonly verified: boolean;
}

/** The part of a block that is asked for. */
interface Part {
  readonly block: Span;
  /** From the start of the block. */
  readonly from: number;
  readonly to: number;
}

export async function readAt(plan: ReadPlan, range: VolumeRange): Promise<Uint8Array> {
  const { op, manifest } = plan;
  // Most reads are of one block.
  const [first] = manifest.blocks.from(range.offset);
  if (first !== undefined && first.offset <= range.offset) {
    const from = range.offset - first.offset;
    const to = from + range.length;
    if (to <= first.length) return readPart(plan, { block: first, from, to });
  }
  assertCovered(manifest, range);
  const parts = [...partsOf(manifest, range)];
  if (range.length > arrayBytesMax) {
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'the range is too long for one array', {
      volume: manifest.volumeId,
      expected: arrayBytesMax,
      actual: range.length,
      next: 'Read it with stream(), or in parts.',
    });
  }
  const whole = new Uint8Array(range.length);
  await forEachOf(parts, op.store.capabilities.concurrency, async (part) => {
    whole.set(await readPart(plan, part), part.block.offset + part.from - range.offset);
  });
  return whole;
}

/** The same bytes as they come, in bounded memory. */
export async function* streamRange(plan: ReadPlan, range: VolumeRange): AsyncGenerator<Uint8Array> {
  assertCovered(plan.manifest, range);
  const ahead = mapInOrder(partsOf(plan.manifest, range), blocksAhead, async (part) =>
    part.block.length <= wholeBytesMax ? [await readPart(plan, part)] : streamPart(plan, part),
  );
  for await (const chunks of ahead) {
    for await (const chunk of chunks) {
      plan.op.signal?.throwIfAborted();
      yield chunk;
    }
  }
}

function* partsOf({ blocks }: VolumeManifest, { offset, length }: VolumeRange): Generator<Part> {
  const end = offset + length;
  for (const block of blocks.from(offset)) {
    if (block.offset >= end) return;
    const from = Math.max(offset - block.offset, 0);
    yield { block, from, to: Math.min(end - block.offset, block.length) };
  }
}

async function readPart(plan: ReadPlan, { block, from, to }: Part): Promise<Uint8Array> {
  const { op, context, manifest, verified } = plan;
  const file = { path: context.keys.block(block.offset, block.length), sizeBytes: block.length };
  const isWhole = to - from === block.length;
  if (!isWhole && !verified) {
    const range = { offset: from, length: to - from };
    return fetchBytes(op.store, file, { range, signal: op.signal });
  }
  const digest = context.digestOf(block.checksum, manifest);
  await digest?.checksum.ready?.();
  const bytes = await fetchBytes(op.store, file, { signal: op.signal });
  if (digest !== undefined) assertDigest(file, digest.hex, digestOf(digest.checksum, bytes));
  return isWhole ? bytes : bytes.subarray(from, to);
}

/** A whole block, verified. */
export async function* readBlock(plan: ReadPlan, block: Span): AsyncGenerator<Uint8Array> {
  const part = { block, from: 0, to: block.length };
  if (block.length <= wholeBytesMax) yield await readPart(plan, part);
  else yield* streamPart(plan, part);
}

/** Of a block too large to hold: verified at its end where it is read whole, or has to be. */
async function* streamPart(plan: ReadPlan, { block, from, to }: Part): AsyncGenerator<Uint8Array> {
  const { op, context, manifest, verified } = plan;
  const { signal } = op;
  const file = { path: context.keys.block(block.offset, block.length), sizeBytes: block.length };
  if (!verified && to - from < block.length) {
    const range = { offset: from, length: to - from };
    yield* fetchStream(op.store, file, range, signal);
    return;
  }
  const { checksum, hex } = context.digestOf(block.checksum, manifest) ?? {};
  const named = hex === undefined ? file : { ...file, checksum: hex };
  let at = 0;
  for await (const chunk of readStored(op.store, named, { checksum, signal })) {
    const part = chunk.subarray(Math.max(from - at, 0), Math.max(to - at, 0));
    at += chunk.length;
    if (part.length > 0) yield part;
  }
}
