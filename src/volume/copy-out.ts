/**
 * A snapshot copied to something that takes bytes at offsets, such as a local file. What is there already, by its digest, is
 * kept: a copy that broke off goes on, and one of an earlier snapshot is brought up to date. Gaps are left alone and reported.
 */
import type { VolumeRange } from '../errors.ts';
import { mapInOrder } from '../parallel.ts';
import type { Span } from './block-table.ts';
import { gapsIn } from './coverage.ts';
import { readBlock } from './read.ts';
import type { ReadPlan } from './read.ts';
import type { CopyOutProgress, CopyOutReport, VolumeTarget } from './types.ts';

const chunkBytes = 1024 * 1024;
const blocksAhead = 4;

export async function copyOut(
  plan: ReadPlan,
  target: VolumeTarget,
  range: VolumeRange,
  onProgress: ((progress: CopyOutProgress) => void) | undefined,
): Promise<CopyOutReport> {
  const { manifest, op } = plan;
  let [copiedBytes, keptBytes, blocks] = [0, 0, 0];
  let isOver = false;
  const copy = async (block: Span): Promise<{ isThere: boolean; length: number }> => {
    op.signal?.throwIfAborted();
    const isThere = await holds(plan, target, block);
    if (!isThere) await fetchInto(plan, target, block, () => isOver);
    return { isThere, length: block.length };
  };
  const underWay = new Set<Promise<unknown>>();
  const work = mapInOrder(blocksIn(plan, range), blocksAhead, (block) => {
    const copied = copy(block).finally(() => underWay.delete(copied));
    underWay.add(copied);
    return copied;
  });
  try {
    for await (const { isThere, length } of work) {
      blocks++;
      if (isThere) keptBytes += length;
      else copiedBytes += length;
      onProgress?.({ blocks, copiedBytes, keptBytes });
    }
  } finally {
    // Whoever gave the target closes it next: a write that comes later could meet another file under its descriptor.
    isOver = true;
    await Promise.allSettled(underWay);
  }
  return { blocks, copiedBytes, keptBytes, gaps: gapsIn(manifest.blocks, range) };
}

/** Whole blocks that touch the range: only whole ones can be verified. */
function* blocksIn({ manifest }: ReadPlan, { offset, length }: VolumeRange): Generator<Span> {
  for (const block of manifest.blocks.from(offset)) {
    if (block.offset >= offset + length) return;
    yield block;
  }
}

/** Whether the target holds this very block. Without a digest nobody can tell. */
async function holds(plan: ReadPlan, target: VolumeTarget, block: Span): Promise<boolean> {
  const { hex, checksum } = plan.context.namedDigest(block.checksum, plan.manifest);
  if (target.read === undefined || hex === undefined || checksum === undefined) return false;
  await checksum.ready?.();
  const hasher = checksum.hasher();
  const end = block.offset + block.length;
  for (let at = block.offset; at < end; at += chunkBytes) {
    const length = Math.min(chunkBytes, end - at);
    const bytes = await target.read(at, length);
    if (bytes?.length !== length) return false;
    hasher.update(bytes);
  }
  return hasher.digest() === hex;
}

async function fetchInto(
  plan: ReadPlan,
  target: VolumeTarget,
  block: Span,
  isOver: () => boolean,
): Promise<void> {
  let at = block.offset;
  for await (const chunk of readBlock(plan, block)) {
    if (isOver()) return;
    await target.write(chunk, at);
    at += chunk.length;
  }
}
