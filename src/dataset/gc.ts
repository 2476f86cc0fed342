/** Garbage of a dataset: data files, told from other objects by the layout. */
import { LodeError } from '../errors.ts';
import { collectGarbage } from '../history/gc.ts';
import type { GarbageFormat, GcOptions, GcReport } from '../history/gc.ts';
import type { Operation } from '../history/index.ts';
import type { DatasetContext } from './context.ts';
import type { DatasetManifest } from './manifest/index.ts';

export function collectDataset<R>(
  op: Operation,
  context: DatasetContext<R>,
  options: GcOptions,
): Promise<GcReport> {
  const { id: dataset, format, history } = context;
  const { layout } = context.options;
  const garbage: GarbageFormat<DatasetManifest> = {
    subject: { dataset },
    history,
    root: rootOf(context),
    parse(key) {
      const manifest = layout.parseManifestKey(key);
      if (manifest?.dataset === dataset)
        return { kind: 'manifest', snapshot: manifest.snapshot, isCopy: manifest.partition !== '' };
      return layout.parseDataKey(key)?.dataset === dataset ? { kind: 'data' } : undefined;
    },
    async read({ store, signal }, key, snapshot) {
      const object = await store.get(key, { signal });
      return object && format.decode(await object.bytes(), key, snapshot);
    },
    spare(manifest, unnamed) {
      for (const { path } of manifest.files) unnamed.delete(path);
    },
    // Keys hold the id of the snapshot they were uploaded for.
    mayBeAdopted: false,
  };
  return collectGarbage(op, garbage, options);
}

function rootOf<R>({ id, options }: DatasetContext<R>): string {
  const { layout } = options;
  const root = layout.pointerKey(id).replace(/[^/]*$/, '');
  const homes = [layout.snapshotsPrefix(id), layout.copiesPrefix(id) ?? root];
  if (root !== '' && homes.every((home) => home.startsWith(root))) return root;
  throw new LodeError('LODE_UNSUPPORTED', 'this layout keeps manifests apart from the pointer', {
    dataset: id,
    field: 'layout',
    actual: layout.name,
  });
}
