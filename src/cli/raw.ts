/** Datasets of raw bytes: a handle to read what a snapshot holds, with the compressor that it names. */
import { gzip, LodeError, none, openDataset, zstd } from 'lode';
import type { Dataset, DatasetManifest, Layout, Store } from 'lode';

export function openRaw(
  store: Store,
  layout: Layout,
  { compressor: name, datasetId }: DatasetManifest,
  signal: AbortSignal,
): Promise<Dataset<Uint8Array>> {
  const compressor = [none(), gzip(), zstd()].find((each) => each.name === name);
  if (compressor !== undefined)
    return openDataset(datasetId, { store, layout, compressor, signal });
  throw new LodeError('LODE_COMPONENT_MISMATCH', 'this program does not know the compressor', {
    field: 'compressor',
    actual: name,
    next: 'Read it with the library and that compressor.',
  });
}
