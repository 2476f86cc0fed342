/**
 * Layouts: the only place that joins or parses the keys of a dataset (docs/formats/dataset.md, section 1).
 *
 * A layout is pure text. It validates the names it is created with; ids are validated where datasets and snapshots are
 * created (`assertDatasetId`, `assertSnapshotId`), and every key is checked again by the store it goes to.
 */
import { LodeError } from '../errors.ts';
import { assertName, refuseName } from '../history/index.ts';

/** What the key of a manifest says. `partition` is `''` for the canonical manifest of a snapshot. */
export interface ManifestAddress {
  readonly dataset: string;
  readonly snapshot: string;
  readonly partition: string;
}

/** What the key of a data file says. `snapshot` is the id it was uploaded under, which may not be the one committed. */
export interface DataAddress extends ManifestAddress {
  readonly file: string;
}

export interface Layout {
  /** `default`, `hive`, `flat`, or a name of your own. */
  readonly name: 'default' | 'hive' | 'flat' | (string & {});
  /** Recorded in the manifest. */
  readonly partitioner: 'noop' | 'hive';
  /** Record fields that make up the partition, in path order; none without partitions. */
  readonly partitionKeys: readonly string[];

  pointerKey(dataset: string): string;
  /** Key of the canonical manifest, or with a partition (escaped text, as in paths) of that partition's copy. */
  manifestKey(dataset: string, snapshot: string, partition?: string): string;
  dataKey(dataset: string, snapshot: string, partition: string, file: string): string;

  /** Holds every canonical manifest of the dataset; ends in `/`. In hive it holds no data files. */
  snapshotsPrefix(dataset: string): string;
  /**
   * Holds every partition copy of a manifest (and data files): to be listed only for snapshots that have no canonical
   * manifest, as early hive data may. `undefined` where a layout has no copies.
   */
  copiesPrefix(dataset: string): string | undefined;
  /** Holds the manifest copies of one partition, named whole; `undefined` where a layout has no partitions. */
  partitionPrefix(dataset: string, partition: string): string | undefined;
  /** Holds all datasets; `undefined` where they cannot be told from other objects. */
  readonly datasetsPrefix: string | undefined;

  /** `undefined` unless `manifestKey` gives this very key for the answer. */
  parseManifestKey(key: string): ManifestAddress | undefined;
  /** `undefined` unless `dataKey` gives this very key for the answer: what it does not know is never collected. */
  parseDataKey(key: string): DataAddress | undefined;
  /** Partition of a data file, escaped as in its path; `''` for none. */
  partitionOf(dataKey: string): string;
}

const MANIFEST = 'manifest.json';

/** `datasets/<dataset>/snapshots/<snapshot>/…`. No partitions. */
export function defaultLayout(): Layout {
  const home = (dataset: string, snapshot: string): string =>
    `datasets/${dataset}/snapshots/${snapshot}`;
  return {
    name: 'default',
    partitioner: 'noop',
    partitionKeys: [],
    pointerKey: (dataset) => `datasets/${dataset}/latest`,
    manifestKey: (dataset, snapshot) => `${home(dataset, snapshot)}/${MANIFEST}`,
    dataKey: (dataset, snapshot, _, file) => `${home(dataset, snapshot)}/data/${file}`,
    snapshotsPrefix: (dataset) => `datasets/${dataset}/snapshots/`,
    copiesPrefix: () => undefined,
    partitionPrefix: () => undefined,
    datasetsPrefix: 'datasets/',
    parseManifestKey(key) {
      const [root, dataset, snapshots, snapshot, last, ...more] = key.split('/');
      if (root !== 'datasets' || snapshots !== 'snapshots' || last !== MANIFEST) return undefined;
      if (!dataset || !snapshot || more.length > 0) return undefined;
      return { dataset, snapshot, partition: '' };
    },
    parseDataKey(key) {
      const [root, dataset, snapshots, ...rest] = key.split('/');
      if (root !== 'datasets' || !dataset || snapshots !== 'snapshots') return undefined;
      return dataAddress(dataset, '', rest);
    },
    partitionOf: () => '',
  };
}

/** `<dataset>/<snapshot>/…`. No partitions; the datasets of a store cannot be listed. */
export function flat(): Layout {
  return {
    name: 'flat',
    partitioner: 'noop',
    partitionKeys: [],
    pointerKey: (dataset) => `${dataset}/latest`,
    manifestKey: (dataset, snapshot) => `${dataset}/${snapshot}/${MANIFEST}`,
    dataKey: (dataset, snapshot, _, file) => `${dataset}/${snapshot}/data/${file}`,
    snapshotsPrefix: (dataset) => `${dataset}/`,
    copiesPrefix: () => undefined,
    partitionPrefix: () => undefined,
    datasetsPrefix: undefined,
    parseManifestKey(key) {
      const [dataset, snapshot, last, ...more] = key.split('/');
      if (!dataset || !snapshot || last !== MANIFEST || more.length > 0) return undefined;
      return { dataset, snapshot, partition: '' };
    },
    parseDataKey(key) {
      const [dataset, ...rest] = key.split('/');
      return dataset ? dataAddress(dataset, '', rest) : undefined;
    },
    partitionOf: () => '',
  };
}

/** From what follows the folder of snapshots: `<snapshot>/data/<file>`. */
function dataAddress(
  dataset: string,
  partition: string,
  [snapshot, data, ...file]: readonly string[],
): DataAddress | undefined {
  if (!snapshot || data !== 'data' || file.length === 0 || file.includes('')) return undefined;
  return { dataset, snapshot, partition, file: file.join('/') };
}

/**
 * `datasets/<dataset>/partitions/<key>=<value>/…/segments/<snapshot>/…`, with the canonical manifest at
 * `datasets/<dataset>/segments/<snapshot>/manifest.json`. Reading needs no keys to match those of writing.
 */
export function hive(...keys: readonly [string, ...string[]]): Layout {
  assertPartitionKeys(keys);
  const home = (dataset: string, snapshot: string, partition: string | undefined): string =>
    partition
      ? `datasets/${dataset}/partitions/${partition}/segments/${snapshot}`
      : `datasets/${dataset}/segments/${snapshot}`;
  return {
    name: 'hive',
    partitioner: 'hive',
    partitionKeys: keys,
    pointerKey: (dataset) => `datasets/${dataset}/latest`,
    manifestKey: (dataset, snapshot, partition) =>
      `${home(dataset, snapshot, partition)}/${MANIFEST}`,
    dataKey: (dataset, snapshot, partition, file) =>
      `${home(dataset, snapshot, partition)}/data/${file}`,
    snapshotsPrefix: (dataset) => `datasets/${dataset}/segments/`,
    copiesPrefix: (dataset) => `datasets/${dataset}/partitions/`,
    partitionPrefix: (dataset, partition) =>
      `datasets/${dataset}/partitions/${partition}/segments/`,
    datasetsPrefix: 'datasets/',
    parseManifestKey: parseHiveManifestKey,
    parseDataKey: parseHiveDataKey,
    partitionOf: hivePartitionOf,
  };
}

function parseHiveManifestKey(key: string): ManifestAddress | undefined {
  if (!key.endsWith(`/${MANIFEST}`)) return undefined;
  const parts = key.split('/');
  const [root, dataset] = parts;
  const snapshot = parts.at(-2);
  if (root !== 'datasets' || !dataset || !snapshot) return undefined;
  const segments = parts.indexOf('segments', 2);
  if (segments !== parts.length - 3) return undefined;
  if (segments === 2) return { dataset, snapshot, partition: '' };
  const partition = parts.slice(3, segments);
  if (parts[2] !== 'partitions' || partition.length === 0 || partition.includes(''))
    return undefined;
  return { dataset, snapshot, partition: partition.join('/') };
}

function parseHiveDataKey(key: string): DataAddress | undefined {
  const parts = key.split('/');
  const [root, dataset, kind] = parts;
  const segments = parts.indexOf('segments', 2);
  if (root !== 'datasets' || !dataset || segments < 0) return undefined;
  const partition = parts.slice(3, segments);
  const isHome = segments === 2 || (kind === 'partitions' && partition.length > 0);
  if (!isHome || partition.includes('')) return undefined;
  return dataAddress(dataset, partition.join('/'), parts.slice(segments + 1));
}

/** The parts between the first `partitions` after the dataset and the next `segments`. */
function hivePartitionOf(dataKey: string): string {
  const parts = dataKey.split('/');
  const start = parts.indexOf('partitions', 2);
  if (start < 0) return '';
  const end = parts.indexOf('segments', start);
  return end < 0 ? '' : parts.slice(start + 1, end).join('/');
}

/** Where the built-in layouts other than `layout` would keep this manifest: found there, the layout is a mistake. */
export function manifestKeysElsewhere(
  layout: Layout,
  dataset: string,
  snapshot: string,
): { readonly layout: string; readonly key: string }[] {
  return [defaultLayout(), hive('any'), flat()]
    .filter((other) => other.name !== layout.name)
    .map((other) => ({ layout: other.name, key: other.manifestKey(dataset, snapshot) }));
}

/** Names that can be one part of a key in every store, and that no path can interpret (E-21). */
export function assertDatasetId(id: string): void {
  assertName(id, 'dataset');
}

function assertPartitionKeys(keys: readonly string[]): void {
  if (keys.length === 0) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'a hive layout needs at least one key', {
      field: 'keys',
      next: "Name the record fields to partition by, such as hive('day').",
    });
  }
  for (const key of keys) {
    assertName(key, 'partition key');
    if (key.includes('=')) refuseName('partition key', key, 'contains "="');
  }
  const repeated = keys.find((key, at) => keys.indexOf(key) !== at);
  if (repeated !== undefined) refuseName('partition key', repeated, 'is given twice');
}
