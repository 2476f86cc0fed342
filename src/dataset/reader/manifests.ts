/**
 * The snapshots of a dataset, by the folders their manifests are in: data files are not listed.
 *
 * In hive, snapshots from before canonical manifests exist as partition copies only. Copies are listed, data files with
 * them, only when there may be such snapshots: no canonical manifest at all, or one whose parent is not among them.
 */
import { isLodeError, LodeError } from '../../errors.ts';
import { mapInOrder } from '../../parallel.ts';
import type { CallOptions, Store } from '../../store/store.ts';
import type { Layout } from '../layout.ts';
import type { DatasetManifest } from '../manifest/index.ts';
import { inBatches } from './batches.ts';
import type { ManifestRef } from './load.ts';

export interface ManifestEntry {
  /** In a partitioned snapshot, `partition` is the one asked for, else the first it has files in. */
  readonly ref: ManifestRef;
  readonly manifest: DatasetManifest;
}

export interface ManifestListOptions extends CallOptions {
  /** Only snapshots with files in this partition, named whole and escaped, as in paths. */
  readonly partition?: string | undefined;
  /** Descending instead of ascending ids. */
  readonly newestFirst?: boolean | undefined;
  /**
   * Called for each manifest that cannot be used, which is then left out. Without it the first one ends the listing
   * with its error. Storage that fails ends it either way.
   */
  readonly onInvalid?: ((ref: ManifestRef, error: LodeError) => void) | undefined;
}

type Load = (ref: ManifestRef) => Promise<DatasetManifest | undefined>;

export async function* listManifests(
  store: Store,
  layout: Layout,
  dataset: string,
  load: Load,
  options: ManifestListOptions,
): AsyncGenerator<ManifestEntry> {
  const listing = new Listing(store, layout, dataset, load, options);
  if (options.partition) {
    const prefix = layout.partitionPrefix(dataset, options.partition);
    if (prefix === undefined) return;
    yield* listing.entries(listing.folders(prefix, options.partition));
  } else {
    yield* listing.entries(listing.folders(layout.snapshotsPrefix(dataset), undefined));
    const copies = layout.copiesPrefix(dataset);
    if (copies !== undefined && listing.mayLackSnapshots())
      yield* listing.entries(listing.copies(copies));
  }
  if (listing.isEmpty()) {
    throw new LodeError('LODE_NOT_FOUND', 'there is no manifest of this dataset', {
      dataset,
      ...(options.partition ? { field: 'partition', actual: options.partition } : {}),
      next: 'Check the dataset id, the layout, and that a partition is named whole.',
    });
  }
}

class Listing {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #dataset: string;
  readonly #load: Load;
  readonly #options: ManifestListOptions;
  readonly #seen = new Set<string>();
  /** Parents of manifests seen, until they are seen themselves. */
  readonly #missing = new Set<string>();

  constructor(
    store: Store,
    layout: Layout,
    dataset: string,
    load: Load,
    options: ManifestListOptions,
  ) {
    this.#store = store;
    this.#layout = layout;
    this.#dataset = dataset;
    this.#load = load;
    this.#options = options;
  }

  isEmpty(): boolean {
    return this.#seen.size === 0;
  }

  mayLackSnapshots(): boolean {
    return this.isEmpty() || [...this.#missing].some((parent) => !this.#seen.has(parent));
  }

  /** A folder for each snapshot; whether it holds a manifest shows when that is read. */
  async *folders(prefix: string, partition: string | undefined): AsyncGenerator<ManifestRef> {
    const { signal } = this.#options;
    for await (const entry of this.#store.list(prefix, { signal, delimiter: '/' })) {
      if (!('prefix' in entry)) continue;
      const id = entry.prefix.slice(prefix.length, -1);
      yield { dataset: this.#dataset, id, ...(partition === undefined ? {} : { partition }) };
    }
  }

  /** Copies of manifests not seen so far, the first of each. */
  async *copies(prefix: string): AsyncGenerator<ManifestRef> {
    const { signal } = this.#options;
    const listed = new Set(this.#seen);
    for await (const { key } of this.#store.list(prefix, { signal })) {
      const address = this.#layout.parseManifestKey(key);
      if (address?.dataset !== this.#dataset || listed.has(address.snapshot)) continue;
      listed.add(address.snapshot);
      yield { dataset: this.#dataset, id: address.snapshot, partition: address.partition };
    }
  }

  async *entries(refs: AsyncIterable<ManifestRef>): AsyncGenerator<ManifestEntry> {
    const { newestFirst = false } = this.#options;
    const batches = newestFirst ? [(await everything(refs)).reverse()] : inBatches(refs);
    for await (const batch of batches) {
      const loaded = mapInOrder(batch, this.#store.capabilities.concurrency, (ref) =>
        this.#entry(ref),
      );
      for await (const entry of loaded) if (entry !== undefined) yield entry;
    }
  }

  async #entry(ref: ManifestRef): Promise<ManifestEntry | undefined> {
    let manifest: DatasetManifest | undefined;
    try {
      manifest = await this.#load(ref);
    } catch (error) {
      const { onInvalid } = this.#options;
      if (onInvalid === undefined || !isUnusable(error)) throw error;
      this.#seen.add(ref.id);
      onInvalid(ref, error);
      return undefined;
    }
    if (manifest === undefined) return undefined;
    this.#seen.add(ref.id);
    const { parentSnapshotId, files } = manifest;
    if (parentSnapshotId !== undefined) this.#missing.add(parentSnapshotId);
    const partition = ref.partition ?? this.#layout.partitionOf(files[0]?.path ?? '');
    return { ref: partition === '' ? ref : { ...ref, partition }, manifest };
  }
}

/** The object is at fault, and not the way to it. */
function isUnusable(error: unknown): error is LodeError {
  if (!isLodeError(error)) return false;
  const { kind, code } = error;
  return kind === 'corrupt' || code === 'LODE_FORMAT_TOO_NEW' || code === 'LODE_LIMIT_EXCEEDED';
}

async function everything<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
