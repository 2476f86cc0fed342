/** Volumes of a given number of blocks, and what commits on top of them cost. */
import { memoryStore, openVolume } from '../src/index.ts';
import type { CommittedVolumeSnapshot, StagedRange, Volume, VolumeOptions } from '../src/index.ts';
import { cpuMs } from './curve.ts';

const bytes = new Uint8Array(1);
/** Blocks lie apart, so that nothing can be joined. */
const strideBytes = 16;
const fillBatch = 10_000;

/** A volume with room for twice as many blocks as it holds: the free places are between them. */
export async function filledVolume(
  blocks: number,
  manifests: NonNullable<VolumeOptions['manifests']>,
): Promise<Volume> {
  const length = (blocks + 1_000_000) * strideBytes;
  const volume = await openVolume('bench', { store: memoryStore(), length, manifests });
  for (let from = 0; from < blocks; from += fillBatch) {
    const batch = Array.from({ length: Math.min(fillBatch, blocks - from) }, (_, i) => from + i);
    const staged = await Promise.all(batch.map((i) => volume.stageWriteAt(i * strideBytes, bytes)));
    await volume.commit(staged);
  }
  return volume;
}

export interface CommitPrice {
  readonly cpuMs: number;
  readonly bytesUp: number;
  readonly requests: number;
}

/** Means over `count` commits of one block each; staging is not counted. `turn` tells rounds on one volume apart. */
export async function commitPrice(
  volume: Volume,
  blocks: number,
  count: number,
  turn: number,
): Promise<CommitPrice> {
  const step = Math.max(1, Math.floor(blocks / count));
  const staged: StagedRange[] = [];
  for (let i = 0; i < count; i++)
    // Spread over the volume, in places that no round before has taken.
    staged.push(await volume.stageWriteAt(i * step * strideBytes + 1 + (turn % 15), bytes));
  const commits: CommittedVolumeSnapshot[] = [];
  const ms = await cpuMs(async () => {
    for (const block of staged) commits.push(await volume.commit([block]));
  });
  const sum = (of: 'bytesUp' | 'requests'): number =>
    commits.reduce((total, { cost }) => total + cost[of], 0);
  return { cpuMs: ms / count, bytesUp: sum('bytesUp') / count, requests: sum('requests') / count };
}
