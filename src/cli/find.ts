/**
 * Finds what the caller names: datasets and volumes by their folders, layouts by the folders of a dataset, snapshots by id.
 */
import {
  defaultLayout,
  flat,
  hive,
  isLodeError,
  jsonl,
  LodeError,
  openDataset,
  openVolume,
} from 'lode';
import type { Dataset, Layout, Snapshot, Store, Volume, VolumeSnapshot } from 'lode';
import type { Call } from './command.ts';
import { usage } from './command.ts';
import { openStore } from './open-store.ts';

interface FoundDataset {
  readonly kind: 'dataset';
  readonly id: string;
  readonly layout: Layout;
}

interface FoundVolume {
  readonly kind: 'volume';
  readonly id: string;
}

export type Found = FoundDataset | FoundVolume;
type Kind = Found['kind'];

const layouts: Readonly<Record<string, () => Layout>> = {
  default: defaultLayout,
  // Which keys there are only matters to writers.
  hive: () => hive('any'),
  flat,
};

export function wantedLayout(call: Call): Layout | undefined {
  const name = call.text('layout');
  if (name === undefined) return undefined;
  const make = Object.hasOwn(layouts, name) ? layouts[name] : undefined;
  if (make === undefined) throw usage('--layout is default, hive or flat', name);
  return make();
}

/** Which kind the caller is after; both unless it says so. */
function wantedKind(call: Call): Kind | undefined {
  const kind = call.text('kind');
  if (kind === 'volume' && call.text('layout') !== undefined)
    throw usage('--layout is for datasets');
  if (kind === undefined) return call.text('layout') === undefined ? undefined : 'dataset';
  if (kind === 'dataset' || kind === 'volume') return kind;
  throw usage('--kind is dataset or volume', kind);
}

/** What has this name; `LODE_NOT_FOUND` when nothing has. */
async function findNamed(call: Call, store: Store, id: string): Promise<Found> {
  const kind = wantedKind(call);
  const layout = wantedLayout(call);
  if (layout !== undefined) return { kind: 'dataset', id, layout };
  const { signal } = call;
  if (/^\.{0,2}$|[/\\]/.test(id)) throw usage('this is not the name of a dataset or a volume', id);
  const [dataset, volume] = await Promise.all([
    kind === 'volume' ? undefined : datasetNamed(store, id, signal),
    kind === 'dataset' ? undefined : volumeNamed(store, id, signal),
  ]);
  if (dataset !== undefined && volume !== undefined)
    throw usage('a dataset and a volume have this name: choose one with --kind', id);
  // Last, as it may take a long listing.
  const found =
    dataset ?? volume ?? (kind === 'volume' ? undefined : await flatNamed(store, id, signal));
  if (found !== undefined) return found;
  const what = kind === undefined ? 'dataset or volume' : kind;
  throw new LodeError('LODE_NOT_FOUND', `there is no ${what} of this name`, {
    [kind ?? 'dataset']: id,
    next: 'List what there is: lode ls STORE.',
  });
}

async function datasetNamed(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<FoundDataset | undefined> {
  const folders = await namesUnder(store, `datasets/${id}/`, signal);
  const isHive = folders.has('segments/') || folders.has('partitions/');
  if (isHive && folders.has('snapshots/'))
    throw usage('this dataset has data of two layouts: choose one with --layout', id);
  if (isHive) return { kind: 'dataset', id, layout: hive('any') };
  if (!folders.has('snapshots/') && !folders.has('latest')) return undefined;
  return { kind: 'dataset', id, layout: defaultLayout() };
}

async function volumeNamed(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<FoundVolume | undefined> {
  const folders = await namesUnder(store, `volumes/${id}/`, signal);
  // Data alone is a volume too: its first commit has not come yet.
  const isVolume = ['snapshots/', 'latest', 'data/'].some((name) => folders.has(name));
  return isVolume ? { kind: 'volume', id } : undefined;
}

async function flatNamed(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<FoundDataset | undefined> {
  const isOurs = id === 'datasets' || id === 'volumes';
  if (isOurs || !(await isFlat(store, id, signal))) return undefined;
  return { kind: 'dataset', id, layout: flat() };
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

/** All datasets and volumes of a store, or what was named. Datasets in folders of their own at the root come after the others. */
export async function* findAll(call: Call, store: Store, name?: string): AsyncGenerator<Found> {
  if (name !== undefined) {
    yield findNamed(call, store, name);
    return;
  }
  const kind = wantedKind(call);
  if (kind !== 'volume') yield* allDatasets(call, store);
  if (kind !== 'dataset') yield* allVolumes(call, store);
}

async function* allDatasets(call: Call, store: Store): AsyncGenerator<FoundDataset> {
  const { signal } = call;
  const kind = 'dataset';
  const wanted = wantedLayout(call);
  if (wanted?.name !== 'flat') {
    for (const name of await namesUnder(store, 'datasets/', signal)) {
      if (!name.endsWith('/')) continue;
      const layout = await layoutUnder(store, name.slice(0, -1), signal);
      if (layout !== undefined && (wanted === undefined || wanted.name === layout.name))
        yield { kind, id: name.slice(0, -1), layout: wanted ?? layout };
    }
  }
  if (wanted !== undefined && wanted.name !== 'flat') return;
  for (const name of await namesUnder(store, '', signal)) {
    if (!name.endsWith('/') || name === 'datasets/' || name === 'volumes/') continue;
    const pointer = await store.head(`${name}latest`, { signal });
    if (pointer !== undefined) yield { kind, id: name.slice(0, -1), layout: flat() };
  }
}

async function* allVolumes({ signal }: Call, store: Store): AsyncGenerator<FoundVolume> {
  for (const name of await namesUnder(store, 'volumes/', signal)) {
    const found = name.endsWith('/') && (await volumeNamed(store, name.slice(0, -1), signal));
    if (found) yield found;
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

/**
 * A handle for everything but records: no command writes any, so any codec will do. `LODE_NO_SNAPSHOTS` for a volume
 * without any: nothing says how long it is.
 */
export function openFound(
  found: Found,
  store: Store,
  signal: AbortSignal,
): Promise<Dataset<unknown> | Volume> {
  const { id } = found;
  if (found.kind === 'volume') return openVolume(id, { store, signal });
  return openDataset(id, { store, layout: found.layout, codec: jsonl(), signal });
}

/**
 * The same, for a volume without any snapshot too. It is given a length that is not its own: not for writing manifests. Should
 * a first commit come meanwhile, that length is refused.
 */
export async function openToLook(
  found: Found,
  store: Store,
  signal: AbortSignal,
): Promise<Dataset<unknown> | Volume> {
  try {
    return await openFound(found, store, signal);
  } catch (error) {
    if (found.kind === 'dataset' || !isLodeError(error, 'LODE_NO_SNAPSHOTS')) throw error;
    return openVolume(found.id, { store, signal, length: 1 });
  }
}

type Named =
  | (FoundDataset & { readonly store: Store; readonly handle: Dataset<unknown> })
  | (FoundVolume & { readonly store: Store; readonly handle: Volume });

/** What the first two arguments name, or two others. */
export async function openNamed(call: Call, at = 0): Promise<Named> {
  const store = await openStore(call, at);
  const found = await findNamed(call, store, call.arg(at + 1));
  const handle = await openFound(found, store, call.signal);
  return { ...found, store, handle } as Named;
}

/** Reports of several as `--json` shows them: under `datasets` and `volumes`, each with its name. */
export function byKind<R extends { readonly found: Found }>(
  reports: readonly R[],
  factsOf: (report: R) => object,
): { readonly datasets: object[]; readonly volumes: object[] } {
  const of = (kind: Kind): object[] =>
    reports
      .filter(({ found }) => found.kind === kind)
      .map((report) => ({ [kind]: report.found.id, ...factsOf(report) }));
  return { datasets: of('dataset'), volumes: of('volume') };
}

/** The volume that the first two arguments name. */
export async function openNamedVolume(call: Call): Promise<Volume> {
  const store = await openStore(call);
  return openVolume(call.arg(1), { store, signal: call.signal });
}

/** A dataset or a volume, as far as its snapshots go. */
export interface Keeper<S> {
  latest(options: { readonly signal: AbortSignal }): Promise<S>;
  snapshot(id: string, options: { readonly signal: AbortSignal }): Promise<S>;
}

export function findSnapshot<S extends Snapshot | VolumeSnapshot>(
  keeper: Keeper<S>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<S> {
  return name === undefined || name === 'latest'
    ? keeper.latest({ signal })
    : keeper.snapshot(name, { signal });
}
