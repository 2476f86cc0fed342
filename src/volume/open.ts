/** The way into volumes, which are loaded when the first one is opened: programs of datasets alone pay nothing for them. */
import type { CallOptions } from '../history/index.ts';
import type { VolumeOptions } from './options.ts';
import type { Volume } from './volume.ts';

/**
 * Opens a volume. With a `length` it need not exist yet; without one it is asked for its own. One request (two without a
 * length); fails when the storage does not answer or is not there.
 */
export async function openVolume(
  id: string,
  options: VolumeOptions & CallOptions,
): Promise<Volume> {
  const { open } = await import('./opening.ts');
  return open(id, options);
}
