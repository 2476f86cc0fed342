/** One manifest by its reference: where it should be, where old data keeps it, and where another layout would. */
import { LodeError } from '../../errors.ts';
import type { CallOptions, Store } from '../../store/store.ts';
import { locateCopy } from '../history-format.ts';
import type { Layout } from '../layout.ts';
import { manifestKeysElsewhere } from '../layout.ts';
import type { DatasetManifest, ManifestLimits } from '../manifest/index.ts';
import { decodeManifest } from '../manifest/index.ts';

/** Names one manifest. All copies of a snapshot's manifest are alike, so `partition` only says which copy is read. */
export interface ManifestRef {
  readonly dataset: string;
  readonly id: string;
  /** Escaped text, as in paths. */
  readonly partition?: string | undefined;
}

/** One request; two when the copy asked for is missing, as after a commit that was cut short (E-10). */
export async function loadManifest(
  store: Store,
  layout: Layout,
  ref: ManifestRef,
  limits: ManifestLimits,
  { signal }: CallOptions,
): Promise<DatasetManifest | undefined> {
  const { dataset, id, partition } = ref;
  const keys = [layout.manifestKey(dataset, id, partition), layout.manifestKey(dataset, id)];
  for (const key of new Set(keys)) {
    const manifest = await loadManifestAt(store, key, ref, limits, { signal });
    if (manifest !== undefined) return manifest;
  }
  return undefined;
}

/** A manifest that has no canonical copy, as hive data from before there were any. Lists the copies of the dataset. */
export async function loadOldManifest(
  store: Store,
  layout: Layout,
  ref: ManifestRef,
  limits: ManifestLimits,
  { signal }: CallOptions,
): Promise<DatasetManifest | undefined> {
  const key = await locateCopy(store, layout, ref.dataset, ref.id, { signal });
  return key === undefined ? undefined : loadManifestAt(store, key, ref, limits, { signal });
}

async function loadManifestAt(
  store: Store,
  key: string,
  { dataset, id }: ManifestRef,
  limits: ManifestLimits,
  { signal }: CallOptions,
): Promise<DatasetManifest | undefined> {
  const object = await store.get(key, { signal });
  if (object === undefined) return undefined;
  if (object.size > limits.bytesMax) {
    await object.cancel();
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'a manifest is larger than the limit', {
      key,
      expected: limits.bytesMax,
      actual: object.size,
    });
  }
  return decodeManifest(await object.bytes(), { key, dataset, snapshot: id }, limits);
}

/** What a missing manifest fails with: a mistaken layout is told from an unknown snapshot. */
export async function missingManifest(
  store: Store,
  layout: Layout,
  { dataset, id }: ManifestRef,
  { signal }: CallOptions,
): Promise<LodeError> {
  const details = { dataset, snapshot: id };
  for (const other of manifestKeysElsewhere(layout, dataset, id)) {
    if ((await store.head(other.key, { signal })) === undefined) continue;
    return new LodeError('LODE_LAYOUT_MISMATCH', 'this snapshot was written with another layout', {
      ...details,
      key: other.key,
      expected: layout.name,
      actual: other.layout,
    });
  }
  return new LodeError('LODE_NOT_FOUND', 'there is no such snapshot', {
    ...details,
    key: layout.manifestKey(dataset, id),
  });
}
