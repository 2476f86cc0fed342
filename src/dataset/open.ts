/** Opening a dataset: options are checked, the storage is seen to answer, nothing is made. */
import { checksumNamed, sha256 } from '../encoding/checksums/index.ts';
import { none } from '../encoding/compressors/none.ts';
import type { Codec } from '../encoding/codec.ts';
import type { CallOptions } from '../history/index.ts';
import { DatasetContext } from './context.ts';
import { Dataset } from './dataset.ts';
import { resolveOptions } from './options.ts';
import type { DatasetOptions } from './options.ts';

/**
 * Opens a dataset. It need not exist yet. One request; fails when the storage does not answer or is not there.
 *
 * With a codec the dataset holds records of its type, without one raw bytes: one object per snapshot.
 */
export function openDataset<R>(
  id: string,
  options: DatasetOptions<R> & CallOptions & { readonly codec: Codec<R> },
): Promise<Dataset<R>>;
export function openDataset(
  id: string,
  options: DatasetOptions<Uint8Array> & CallOptions & { readonly codec?: undefined },
): Promise<Dataset<Uint8Array>>;
export async function openDataset<R>(
  id: string,
  options: DatasetOptions<R> & CallOptions,
): Promise<Dataset<R>> {
  const resolved = resolveOptions(id, options, { compressor: none(), checksum: sha256() });
  const context = new DatasetContext(id, resolved, checksumNamed);
  await resolved.checksum?.ready?.();
  await context.history.open(context.operation(options.signal, undefined));
  return new Dataset(context);
}
