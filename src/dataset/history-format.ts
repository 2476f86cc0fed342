/** What a dataset tells `history/`: its keys by layout, its manifests, its fences. */
import type { Env } from '../env.ts';
import { formatTime } from '../encoding/time.ts';
import { fenceMember, foldersOf, isSnapshotId } from '../history/index.ts';
import type { HistoryFormat } from '../history/index.ts';
import { readable } from '../manifest/index.ts';
import type { CallOptions, Store } from '../store/store.ts';
import type { Layout } from './layout.ts';
import { manifestKeysElsewhere } from './layout.ts';
import { decodeManifest, encodeManifest, formatVersion, schemaName } from './manifest/index.ts';
import type { DatasetManifest, ManifestLimits } from './manifest/index.ts';

interface DatasetFormatOptions {
  readonly dataset: string;
  readonly layout: Layout;
  /** Whether manifests of ours carry a checksum of themselves. */
  readonly seal: boolean;
  readonly limits: ManifestLimits;
  readonly env: Env;
}

export function datasetFormat(options: DatasetFormatOptions): HistoryFormat<DatasetManifest> {
  const { dataset, layout, seal, limits, env } = options;
  return {
    subject: { dataset },
    pointerKey: layout.pointerKey(dataset),
    manifestKey: (snapshot) => layout.manifestKey(dataset, snapshot),
    copyKeys: (manifest) =>
      partitionsOf(manifest, layout).map((partition) =>
        layout.manifestKey(dataset, manifest.snapshotId, partition),
      ),
    encode: (manifest) =>
      readable(encodeManifest(manifest, { seal }), manifest.files.length, {
        bytesMax: limits.bytesMax,
        listedMax: limits.filesMax,
        field: 'files',
        subject: { dataset },
      }),
    decode: (bytes, key, snapshot) => decodeManifest(bytes, { key, dataset, snapshot }, limits),
    scan: (store, call) => scanIds(store, layout, dataset, call),
    locate: (store, snapshot, call) => locateCopy(store, layout, dataset, snapshot, call),
    foreignManifestKeys: (snapshot) =>
      manifestKeysElsewhere(layout, dataset, snapshot).map(({ key }) => key),
    fence: (snapshot, parent) => ({
      schemaName,
      formatVersion,
      datasetId: dataset,
      snapshotId: snapshot,
      createdAt: formatTime(env.now()),
      metadata: { [fenceMember]: true },
      files: [],
      ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
      rowCount: 0,
      compressor: 'noop',
      partitioner: layout.partitioner,
    }),
    isFence: (manifest) => manifest.metadata[fenceMember] === true && manifest.files.length === 0,
    isSnapshotId,
  };
}

/** Partitions that a snapshot has files in, each once, in path order. */
function partitionsOf(manifest: DatasetManifest, layout: Layout): string[] {
  if (layout.partitioner === 'noop') return [];
  const partitions = new Set(manifest.files.map((file) => layout.partitionOf(file.path)));
  partitions.delete('');
  return [...partitions];
}

/** Ids by their folders, so that data files are not listed. A dataset that does not exist costs one request. */
async function* scanIds(
  store: Store,
  layout: Layout,
  dataset: string,
  options: CallOptions,
): AsyncGenerator<string> {
  const canonical = layout.snapshotsPrefix(dataset);
  const copies = layout.copiesPrefix(dataset);
  if (copies === undefined) {
    yield* foldersOf(store, canonical, options);
    return;
  }
  const folders = new Set<string>();
  const root = layout.pointerKey(dataset).replace(/[^/]*$/, '');
  for await (const entry of store.list(root, { ...options, delimiter: '/' })) {
    if ('prefix' in entry) folders.add(entry.prefix);
  }
  if (folders.has(canonical)) {
    yield* foldersOf(store, canonical, options);
  } else if (folders.has(copies)) {
    // Data from before canonical manifests existed: its copies are all there is.
    for await (const { key } of store.list(copies, options)) {
      const address = layout.parseManifestKey(key);
      if (address?.dataset === dataset) yield address.snapshot;
    }
  }
}

/** The first partition copy of a manifest that has no canonical one. Lists the dataset: old data only. */
export async function locateCopy(
  store: Store,
  layout: Layout,
  dataset: string,
  snapshot: string,
  options: CallOptions,
): Promise<string | undefined> {
  const copies = layout.copiesPrefix(dataset);
  if (copies === undefined) return undefined;
  for await (const { key } of store.list(copies, options)) {
    const address = layout.parseManifestKey(key);
    if (address?.dataset === dataset && address.snapshot === snapshot) return key;
  }
  return undefined;
}
