/**
 * The reader: stored facts about any dataset of a store, from its manifests alone. It never reads the pointer and never
 * writes; a snapshot exists when its manifest does.
 *
 * Cost, in requests: `datasets` one listing and one per dataset; `manifests` a listing page per 1,000 snapshots and one
 * per manifest, in bounded parallel; `manifest`, `open` one; `records` one a file. Listings are lazy, in key order, and
 * hold ids, not manifests, in memory.
 */
import { systemEnv } from '../env.ts';
import type { Checksum } from '../encoding/checksum.ts';
import { flatten } from '../encoding/flatten.ts';
import { LodeError } from '../errors.ts';
import { assertOptions } from '../options.ts';
import { watched, withMeter } from '../store/index.ts';
import type { CallOptions, Store } from '../store/store.ts';
import { assertPart } from './assert-parts.ts';
import { Components } from './components.ts';
import type { ComponentOptions } from './components.ts';

import { assertSnapshotId, rangesOf, readStored } from '../history/index.ts';
import { assertDatasetId, defaultLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import type { DatasetManifest, ManifestFile, ManifestLimits } from './manifest/index.ts';
import { defaultManifestLimits } from './manifest/index.ts';
import { assertLimits } from './options.ts';
import type { DatasetLimits } from './options.ts';
import { rangeReader } from './range-reader.ts';
import type { RangeReader, RangeReaderOptions } from './range-reader.ts';
import { readBatches, readBlob } from './read.ts';
import type { ReadPlan } from './read.ts';
import { listDatasets } from './reader/datasets.ts';
import { loadManifest, loadOldManifest, missingManifest } from './reader/load.ts';
import type { ManifestRef } from './reader/load.ts';
import { listManifests } from './reader/manifests.ts';
import type { ManifestEntry, ManifestListOptions } from './reader/manifests.ts';
import type { ReadOptions } from './types.ts';
import { Selection } from './where.ts';

export interface ReaderOptions extends ComponentOptions {
  readonly store: Store;
  /** The layout the data was written with. Default `defaultLayout()`; the keys given to `hive()` do not matter here. */
  readonly layout?: Layout;
  /** False: digests of data files are not compared. Default true. */
  readonly verify?: boolean;
  readonly limits?: DatasetLimits;
}

export interface OpenFileOptions extends CallOptions {
  /** Name of the algorithm of `file.checksum`. Known for files of manifests that this reader returned. */
  readonly checksumAlgorithm?: string | undefined;
}

export interface DatasetReader {
  /**
   * Ids of all datasets that have a manifest. `LODE_DATASETS_NOT_MODELED` with a layout that cannot tell them apart,
   * `LODE_NO_MANIFESTS` when there are objects but no dataset.
   */
  datasets(options?: CallOptions): AsyncIterable<string>;
  /** Snapshots of a dataset, once each. `LODE_NOT_FOUND` when it has none (in this partition). */
  manifests(dataset: string, options?: ManifestListOptions): AsyncIterable<ManifestEntry>;
  /** Partitions that any snapshot has files in, escaped as in paths. `LODE_NOT_FOUND` without any snapshot. */
  partitions(dataset: string, options?: ManifestListOptions): AsyncIterable<string>;
  /** One manifest, validated, and of the snapshot asked for. `LODE_NOT_FOUND`, or `LODE_LAYOUT_MISMATCH`. */
  manifest(ref: ManifestRef, options?: CallOptions): Promise<DatasetManifest>;
  /** The stored bytes of a file, size and digest verified: the stream fails at its end at the latest. */
  open(file: ManifestFile, options?: OpenFileOptions): AsyncIterable<Uint8Array>;
  /** Random access to the stored bytes of a file. Digests cannot cover ranges. */
  readerAt(file: ManifestFile, options?: RangeReaderOptions & CallOptions): RangeReader;
  /**
   * All records of a snapshot, in the order of its files, by the components its manifest names. A snapshot of raw bytes
   * yields one `Uint8Array`.
   */
  records<R = unknown>(
    snapshot: DatasetManifest | ManifestRef,
    options?: ReadOptions<R>,
  ): AsyncIterable<R>;
}

/** Opens a reader. No requests. */
export async function openReader(options: ReaderOptions): Promise<DatasetReader> {
  assertOptions<ReaderOptions>(options, '', readerNames);
  const { store, layout } = options;
  if (typeof store?.get !== 'function') {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'a reader needs a store', {
      field: 'store',
      next: 'Pass { store: memoryStore() } or another store.',
    });
  }
  assertPart('layout', layout);
  assertLimits(options.limits);
  for (const codec of options.codecs ?? []) assertPart('codec', codec, 'codecs');
  for (const compressor of options.compressors ?? [])
    assertPart('compressor', compressor, 'compressors');
  for (const checksum of options.checksums ?? []) assertPart('checksum', checksum, 'checksums');
  return new Reader(store, layout ?? defaultLayout(), options);
}

const readerNames = {
  store: true,
  layout: true,
  codecs: true,
  compressors: true,
  checksums: true,
  verify: true,
  limits: true,
} as const;

class Reader implements DatasetReader {
  readonly #given: Store;
  readonly #layout: Layout;
  readonly #components: Components;
  readonly #verify: boolean;
  readonly #manifestLimits: ManifestLimits;
  readonly #limits: DatasetLimits;
  /** Files do not name the algorithm of their checksum; the manifests they came in do. */
  readonly #algorithms: WeakMap<ManifestFile, string> = new WeakMap();

  constructor(store: Store, layout: Layout, options: ReaderOptions) {
    this.#given = store;
    this.#layout = layout;
    this.#components = new Components(options);
    this.#verify = options.verify ?? true;
    this.#limits = options.limits ?? {};
    this.#manifestLimits = { ...defaultManifestLimits, ...this.#limits.manifest };
  }

  get #store(): Store {
    return watched(this.#given, systemEnv);
  }

  datasets(options: CallOptions = {}): AsyncIterable<string> {
    return listDatasets(this.#store, this.#layout, options);
  }

  async *manifests(
    dataset: string,
    options: ManifestListOptions = {},
  ): AsyncGenerator<ManifestEntry> {
    assertDatasetId(dataset);
    const load = (ref: ManifestRef): Promise<DatasetManifest | undefined> =>
      this.#load(ref, options);
    for await (const entry of listManifests(this.#store, this.#layout, dataset, load, options))
      yield entry;
  }

  async *partitions(dataset: string, options: ManifestListOptions = {}): AsyncGenerator<string> {
    const seen = new Set(['']);
    for await (const { manifest } of this.manifests(dataset, options)) {
      if (this.#layout.partitioner === 'noop') return;
      for (const { path } of manifest.files) {
        const partition = this.#layout.partitionOf(path);
        if (seen.has(partition)) continue;
        seen.add(partition);
        yield partition;
      }
    }
  }

  async manifest(ref: ManifestRef, options: CallOptions = {}): Promise<DatasetManifest> {
    assertDatasetId(ref.dataset);
    assertSnapshotId(ref.id);
    const limits = this.#manifestLimits;
    const manifest =
      (await this.#load(ref, options)) ??
      this.#known(await loadOldManifest(this.#store, this.#layout, ref, limits, options));
    if (manifest !== undefined) return manifest;
    throw await missingManifest(this.#store, this.#layout, ref, options);
  }

  open(file: ManifestFile, options: OpenFileOptions = {}): AsyncIterable<Uint8Array> {
    const { signal, checksumAlgorithm = this.#algorithms.get(file) } = options;
    const checksum = this.#checksum(checksumAlgorithm);
    return readStored(this.#store, file, { checksum, verify: this.#verify, signal });
  }

  readerAt(file: ManifestFile, options: RangeReaderOptions & CallOptions = {}): RangeReader {
    return rangeReader(file.sizeBytes, rangesOf(this.#store, file, options.signal), options);
  }

  records<R = unknown>(
    snapshot: DatasetManifest | ManifestRef,
    options: ReadOptions<R> = {},
  ): AsyncIterable<R> {
    return flatten(this.#batches(snapshot, options), options.signal);
  }

  async *#batches<R>(
    snapshot: DatasetManifest | ManifestRef,
    options: ReadOptions<R>,
  ): AsyncGenerator<readonly R[]> {
    const manifest = 'files' in snapshot ? snapshot : await this.manifest(snapshot, options);
    const { partition, where, columns, signal, meter } = options;
    const store = meter === undefined ? this.#store : withMeter(this.#store, meter);
    const op = { store, env: systemEnv, signal };
    const plan = this.#plan(manifest);
    if (plan.codec === undefined) {
      yield [(await readBlob(op, plan)) as R];
      return;
    }
    const selection = new Selection(this.#layout, where, partition);
    yield* readBatches(op, plan as ReadPlan<R>, { columns, selection });
  }

  #plan(manifest: DatasetManifest): ReadPlan<unknown> {
    return {
      manifest,
      codec: this.#components.codec(manifest),
      compressor: this.#components.compressor(manifest),
      checksum: this.#checksum(manifest.checksumAlgorithm),
      verify: this.#verify,
      limits: this.#limits,
    };
  }

  #checksum(name: string | undefined): Checksum | undefined {
    return name === undefined || !this.#verify ? undefined : this.#components.checksum(name);
  }

  async #load(ref: ManifestRef, options: CallOptions): Promise<DatasetManifest | undefined> {
    const limits = this.#manifestLimits;
    return this.#known(await loadManifest(this.#store, this.#layout, ref, limits, options));
  }

  #known(manifest: DatasetManifest | undefined): DatasetManifest | undefined {
    const algorithm = manifest?.checksumAlgorithm;
    if (algorithm !== undefined)
      for (const file of manifest?.files ?? []) this.#algorithms.set(file, algorithm);
    return manifest;
  }
}
