/** Which datasets a store holds, by its folders: data files are not listed, manifests not opened. */
import { LodeError } from '../../errors.ts';
import { mapInOrder } from '../../parallel.ts';
import type { CallOptions, Store } from '../../store/store.ts';
import type { Layout } from '../layout.ts';
import { inBatches } from './batches.ts';

export async function* listDatasets(
  store: Store,
  layout: Layout,
  { signal }: CallOptions,
): AsyncGenerator<string> {
  const prefix = layout.datasetsPrefix;
  if (prefix === undefined) {
    throw new LodeError('LODE_DATASETS_NOT_MODELED', 'this layout cannot list datasets', {
      field: 'layout',
      actual: layout.name,
    });
  }
  let objects = false;
  let found = false;
  const candidates = async function* (): AsyncGenerator<string> {
    for await (const entry of store.list(prefix, { signal, delimiter: '/' })) {
      objects = true;
      if ('prefix' in entry) yield entry.prefix.slice(prefix.length, -1);
    }
  };
  for await (const batch of inBatches(candidates())) {
    const checked = mapInOrder(batch, store.capabilities.concurrency, async (dataset) => ({
      dataset,
      holds: await holdsManifest(store, layout, dataset, { signal }),
    }));
    for await (const { dataset, holds } of checked) {
      found ||= holds;
      if (holds) yield dataset;
    }
  }
  if (objects && !found) {
    throw new LodeError('LODE_NO_MANIFESTS', 'there are objects here, and no manifest', {
      key: prefix,
    });
  }
}

/** Whether a manifest is there: a listing that ends with the first one. */
async function holdsManifest(
  store: Store,
  layout: Layout,
  dataset: string,
  { signal }: CallOptions,
): Promise<boolean> {
  for (const prefix of [layout.snapshotsPrefix(dataset), layout.copiesPrefix(dataset)]) {
    if (prefix === undefined) continue;
    for await (const { key } of store.list(prefix, { signal }))
      if (layout.parseManifestKey(key)?.dataset === dataset) return true;
  }
  return false;
}
