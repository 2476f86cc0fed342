/**
 * The ways in. What a paradigm is made of is loaded when the first one is opened, as one file: a program that imports us
 * and opens nothing, or only wants a store, starts as if we were small.
 */
import type { openDataset as OpenDataset } from './dataset/open.ts';
import type { openReader as OpenReader } from './dataset/reader.ts';
import type { openVolume as OpenVolume } from './volume/open.ts';

/**
 * Opens a dataset. It need not exist yet. One request; fails when the storage does not answer or is not there.
 *
 * With a codec the dataset holds records of its type, without one raw bytes: one object per snapshot.
 */
export const openDataset: typeof OpenDataset = onceLoaded(
  async () => (await import('./dataset/open.ts')).openDataset,
);

/** Opens a reader of whatever a store holds. No requests. */
export const openReader: typeof OpenReader = onceLoaded(
  async () => (await import('./dataset/reader.ts')).openReader,
);

/**
 * Opens a volume. With a `length` it need not exist yet; without one it is asked for its own. One request (two without a
 * length); fails when the storage does not answer or is not there.
 */
export const openVolume: typeof OpenVolume = onceLoaded(
  async () => (await import('./volume/open.ts')).openVolume,
);

function onceLoaded<F extends (...args: never[]) => Promise<unknown>>(load: () => Promise<F>): F {
  const open = async (...args: Parameters<F>): Promise<unknown> => (await load())(...args);
  return open as unknown as F;
}
