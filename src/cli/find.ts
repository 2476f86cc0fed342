/** Finds what the caller names: layouts by the folders of a dataset, datasets by their layouts, snapshots by id. */
import { defaultLayout, flat, hive, jsonl, LodeError, openDataset } from 'lode';
import type { Dataset, Layout, Snapshot, Store } from 'lode';
import type { Call } from './command.ts';
import { usage } from './command.ts';
import { openStore } from './open-store.ts';

export interface Found {
  readonly id: string;
  readonly layout: Layout;
}

const layouts: Readonly<Record<string, () => Layout>> = {
  default: defaultLayout,
  // Which keys there are only matters to writers.
  hive: () => hive('any'),
  flat,
};

function wantedLayout(call: Call): Layout | undefined {
  const name = call.text('layout');
  if (name === undefined) return undefined;
  const make = Object.hasOwn(layouts, name) ? layouts[name] : undefined;
  if (make === undefined) throw usage('--layout is default, hive or flat', name);
  return make();
}

/** The layout of a dataset; `LODE_NOT_FOUND` when there is no such dataset. */
async function findLayout(call: Call, store: Store, dataset: string): Promise<Layout> {
  const wanted = wantedLayout(call);
  if (wanted !== undefined) return wanted;
  const { signal } = call;
  if (/^\.{0,2}$|[/\\]/.test(dataset)) throw usage('this is not the name of a dataset', dataset);
  const folders = await namesUnder(store, `datasets/${dataset}/`, signal);
  const isHive = folders.has('segments/') || folders.has('partitions/');
  if (isHive && folders.has('snapshots/'))
    throw usage('this dataset has data of two layouts: choose one with --layout', dataset);
  if (isHive) return hive('any');
  if (folders.has('snapshots/') || folders.has('latest')) return defaultLayout();
  if (dataset !== 'datasets' && (await isFlat(store, dataset, signal))) return flat();
  throw new LodeError('LODE_NOT_FOUND', 'there is no dataset of this name', {
    dataset,
    next: 'List what there is: lode ls STORE.',
  });
}

async function isFlat(store: Store, dataset: string, signal: AbortSignal): Promise<boolean> {
  if ((await store.head(`${dataset}/latest`, { signal })) !== undefined) return true;
  for await (const { key } of store.list(`${dataset}/`, { signal }))
    if (flat().parseManifestKey(key) !== undefined) return true;
  return false;
}

async function namesUnder(store: Store, prefix: string, signal: AbortSignal): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const entry of store.list(prefix, { signal, delimiter: '/' }))
    names.add(('prefix' in entry ? entry.prefix : entry.key).slice(prefix.length));
  return names;
}

/** All datasets of a store, or the one that was named. Those in folders of their own at the root come last. */
export async function* findDatasets(
  call: Call,
  store: Store,
  dataset?: string,
): AsyncGenerator<Found> {
  if (dataset !== undefined) {
    yield { id: dataset, layout: await findLayout(call, store, dataset) };
    return;
  }
  const { signal } = call;
  const wanted = wantedLayout(call);
  if (wanted?.name !== 'flat') {
    for (const name of await namesUnder(store, 'datasets/', signal)) {
      if (!name.endsWith('/')) continue;
      const layout = await layoutUnder(store, name.slice(0, -1), signal);
      if (layout !== undefined && (wanted === undefined || wanted.name === layout.name))
        yield { id: name.slice(0, -1), layout: wanted ?? layout };
    }
  }
  if (wanted !== undefined && wanted.name !== 'flat') return;
  for (const name of await namesUnder(store, '', signal)) {
    if (!name.endsWith('/') || name === 'datasets/') continue;
    const pointer = await store.head(`${name}latest`, { signal });
    if (pointer !== undefined) yield { id: name.slice(0, -1), layout: flat() };
  }
}

async function layoutUnder(
  store: Store,
  dataset: string,
  signal: AbortSignal,
): Promise<Layout | undefined> {
  const folders = await namesUnder(store, `datasets/${dataset}/`, signal);
  if (folders.has('segments/') || folders.has('partitions/')) return hive('any');
  return folders.has('snapshots/') || folders.has('latest') ? defaultLayout() : undefined;
}

/** A handle for everything but records: no command writes any, so any codec will do. */
export function openFound(
  { id, layout }: Found,
  store: Store,
  signal: AbortSignal,
): Promise<Dataset<unknown>> {
  return openDataset(id, { store, layout, codec: jsonl(), signal });
}

/** The dataset that the first two arguments name. */
export async function openNamed(
  call: Call,
): Promise<{ store: Store; layout: Layout; dataset: Dataset<unknown> }> {
  const store = await openStore(call);
  const id = call.arg(1);
  const layout = await findLayout(call, store, id);
  return { store, layout, dataset: await openFound({ id, layout }, store, call.signal) };
}

export function findSnapshot<R>(
  dataset: Dataset<R>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Snapshot> {
  return name === undefined || name === 'latest'
    ? dataset.latest({ signal })
    : dataset.snapshot(name, { signal });
}
