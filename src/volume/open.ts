/** Opening a volume: options are checked, the storage is seen to answer, nothing is made. */
import { checksumNamed, sha256 } from '../encoding/checksums/index.ts';
import type { CallOptions } from '../history/index.ts';
import { VolumeContext } from './context.ts';
import { resolveOptions } from './options.ts';
import type { VolumeOptions } from './options.ts';
import { Volume } from './volume.ts';

/**
 * Opens a volume. With a `length` it need not exist yet; without one it is asked for its own. One request (two without a
 * length); fails when the storage does not answer or is not there.
 */
export async function openVolume(
  id: string,
  options: VolumeOptions & CallOptions,
): Promise<Volume> {
  const resolved = resolveOptions(id, options, sha256());
  const context = new VolumeContext(id, resolved, checksumNamed);
  await resolved.checksum?.ready?.();
  const op = context.operation({ signal: options.signal });
  await context.history.open(op);
  await context.learnLength(op);
  return new Volume(context);
}
