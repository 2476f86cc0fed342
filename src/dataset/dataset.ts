/**
 * Dataset: complete collections of records or bytes; every write is an immutable snapshot.
 *
 * Guarantees: a write becomes visible whole or not at all; what is acknowledged is an ancestor of the head and, on durable
 * storage, survives power loss; a write on top of a head that has moved is `LODE_SNAPSHOT_CONFLICT`, never a lost update;
 * everything read is verified against the manifest. Non-goals: changing single records, queries beyond skipping files.
 */
import { flatten } from '../encoding/flatten.ts';
import { LodeError } from '../errors.ts';
import type { GcOptions, GcReport } from '../history/gc.ts';
import type { CallOptions, MeteredOptions, Operation } from '../history/index.ts';
import { verifySnapshots } from '../history/verify.ts';
import type { VerifyOptions, VerifyReport } from '../history/verify.ts';
import type { Store } from '../store/index.ts';
import { assertPart } from './assert-parts.ts';
import type { BlobWriter } from './blob-writer.ts';
import {
  assertCopyOptions,
  assertMeteredOptions,
  assertReadOptions,
  assertRepairOptions,
  assertSnapshotRange,
  assertSnapshotsOptions,
  assertStreamRecordsOptions,
  assertWriteOptions,
} from './call-options.ts';
import type { DatasetContext } from './context.ts';
import { copySnapshot } from './copy.ts';
import type { CopyOptions, CopyReport } from './copy.ts';
import { manifestsBetween } from './history-range.ts';
import type { Metadata } from '../manifest/index.ts';
import type { DatasetManifest } from './manifest/index.ts';
import { readAll, readBatches, readBlob, streamBlob } from './read.ts';
import type { RecordOptions } from './read.ts';
import type {
  CommittedSnapshot,
  ReadOptions,
  Snapshot,
  SnapshotRange,
  SnapshotsOptions,
  StreamRecordsOptions,
  WriteOptions,
} from './types.ts';
import { verification } from './verifying.ts';
import { Selection } from './where.ts';
import { streamWrite, streamWriteRecords, write } from './writing.ts';

export class Dataset<R> implements AsyncDisposable {
  readonly #context: DatasetContext<R>;
  readonly #writers: Set<BlobWriter<CommittedSnapshot>> = new Set();

  /** @internal Use `openDataset`. */
  constructor(context: DatasetContext<R>) {
    this.#context = context;
  }

  get id(): string {
    return this.#context.id;
  }

  /**
   * Commits records as one snapshot; without a codec, exactly one `Uint8Array`. Requests: one per file in parallel, then
   * the pointer and the manifest (and a copy of the manifest per partition, in parallel).
   */
  async write(
    records: readonly R[],
    metadata?: Metadata | null,
    options: WriteOptions = {},
  ): Promise<CommittedSnapshot> {
    assertWriteOptions(options);
    return write(this.#context, records, metadata, options);
  }

  /** Commits records from an iterable as one snapshot, in bounded memory. An error of the iterable is rethrown. */
  async streamWriteRecords(
    records: AsyncIterable<R> | Iterable<R>,
    metadata?: Metadata | null,
    options: StreamRecordsOptions = {},
  ): Promise<CommittedSnapshot> {
    assertStreamRecordsOptions(options);
    return streamWriteRecords(this.#context, records, metadata, options);
  }

  /** Starts a snapshot of raw bytes of any length. Nothing is visible before `commit()`; disposal without it aborts. */
  async streamWrite(
    metadata?: Metadata | null,
    options: WriteOptions = {},
  ): Promise<BlobWriter<CommittedSnapshot>> {
    assertWriteOptions(options);
    const writer = streamWrite(this.#context, metadata, options, (closed) =>
      this.#writers.delete(closed),
    );
    this.#writers.add(writer);
    return writer;
  }

  /** All records of a snapshot; without a codec, its bytes as the one element. One request, and one per file in parallel. */
  read<K extends keyof R & string>(
    snapshot: string,
    options: ReadOptions<R> & { readonly columns: readonly K[] },
  ): Promise<Pick<R, K>[]>;
  read(snapshot: string, options?: ReadOptions<R>): Promise<R[]>;
  async read(snapshot: string, options: ReadOptions<R> = {}): Promise<R[]> {
    assertReadOptions(options);
    const op = this.#operation(options);
    const plan = this.#context.readPlan(await this.#context.manifest(op, snapshot));
    if (plan.codec === undefined) return [(await readBlob(op, plan)) as R];
    return readAll(op, plan, this.#recordOptions(options));
  }

  /**
   * Records one by one in bounded memory: of a snapshot, or of all snapshots committed after `since`, oldest first (from
   * the beginning when it is undefined), up to `until` (the head when left out). `since` has to be an ancestor of it.
   * Records of a file above 1 MiB count once the loop has ended: its digest is compared at its end.
   */
  records<K extends keyof R & string>(
    source: string | SnapshotRange,
    options: ReadOptions<R> & { readonly columns: readonly K[] },
  ): AsyncGenerator<Pick<R, K>, void, undefined>;
  records(
    source: string | SnapshotRange,
    options?: ReadOptions<R>,
  ): AsyncGenerator<R, void, undefined>;
  records(
    source: string | SnapshotRange,
    options: ReadOptions<R> = {},
  ): AsyncGenerator<R, void, undefined> {
    return flatten(this.#batches(source, options), options.signal);
  }

  /** The bytes of a snapshot without codec, streamed and verified. */
  async *stream(snapshot: string, options: MeteredOptions = {}): AsyncGenerator<Uint8Array> {
    assertMeteredOptions(options);
    const op = this.#operation(options);
    const plan = this.#context.readPlan(await this.#context.manifest(op, snapshot));
    if (plan.codec !== undefined) throw holdsRecords(this.id);
    yield* streamBlob(op, plan);
  }

  /** The latest snapshot, on which the next write builds. `LODE_NO_SNAPSHOTS` when there is none. Never writes. */
  async latest(options: MeteredOptions = {}): Promise<Snapshot> {
    assertMeteredOptions(options);
    const manifest = await this.#context.history.latest(this.#operation(options));
    if (manifest !== undefined) return snapshotOf(manifest);
    throw new LodeError('LODE_NO_SNAPSHOTS', 'this dataset has no snapshot yet', {
      dataset: this.id,
    });
  }

  /** A snapshot by its id. `LODE_NOT_FOUND` when there is none. One request. */
  async snapshot(id: string, options: MeteredOptions = {}): Promise<Snapshot> {
    assertMeteredOptions(options);
    return snapshotOf(await this.#context.manifest(this.#operation(options), id));
  }

  /**
   * The history, newest first: a page of keys at a time, manifests in bounded parallel. Of a part of it with `since` and
   * `until`, as `records` takes them; the other way round with `order`. With `unreachable`, instead, the snapshots that
   * exist but are not ancestors of the head: never acknowledged, or cut off by a writer elsewhere.
   */
  async *snapshots(options: SnapshotsOptions = {}): AsyncGenerator<Snapshot> {
    assertSnapshotsOptions(options);
    const { unreachable = false, since, until, order = 'newest-first' } = options;
    const op = this.#operation(options);
    const isPart = since !== undefined || until !== undefined || order === 'oldest-first';
    if (isPart) {
      if (unreachable) throw unorderly(this.id);
      for await (const manifest of manifestsBetween(op, this.#context, { since, until }, order))
        yield snapshotOf(manifest);
      return;
    }
    for await (const { manifest, reachable } of this.#context.history.walk(op, { unreachable })) {
      if (reachable !== unreachable) yield snapshotOf(manifest);
    }
  }

  /** Reads everything that a snapshot, or every snapshot, refers to, and reports each object that is not as committed. */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verifySnapshots(this.#operation(options), verification(this.#context), options);
  }

  /**
   * Completes what an interrupted commit left: a missing pointer, a pointer without manifest, missing manifest copies.
   * Answers the keys it wrote; with `dryRun`, those it would write.
   */
  async repair(options: CallOptions & { readonly dryRun?: boolean } = {}): Promise<string[]> {
    assertRepairOptions(options);
    this.#context.assertMayCommit();
    return this.#context.history.repair(this.#operation(options), options.dryRun === true);
  }

  /**
   * Data files that no manifest names, left by writes that failed: a plan, and with `dryRun: false` their deletion. Only
   * what is older than `olderThanMs` counts, never what is younger than a day; nothing is deleted while a commit is under way.
   * Requests: the dataset is listed and its manifests read once (twice to delete), one deletion per 1,000 files.
   */
  async gc(options: GcOptions = {}): Promise<GcReport> {
    if (options.dryRun === false) this.#context.assertMayCommit();
    const op = this.#operation(options);
    // Few programs collect: those that do not need not load it.
    const { collectDataset } = await import('./gc.ts');
    return collectDataset(op, this.#context, options);
  }

  /** Copies a snapshot (the head when none is named) and the ancestors that the other store lacks, verified; run again, it goes on where it stopped. */
  async copyTo(store: Store, options: CopyOptions = {}): Promise<CopyReport> {
    assertPart('store', store);
    assertCopyOptions(options);
    return copySnapshot(this.#operation(options), this.#context, store, options);
  }

  /** Aborts streams that were not committed. Reads under way go on. */
  async close(): Promise<void> {
    this.#context.closed = true;
    await Promise.all([...this.#writers].map((writer) => writer.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #operation({ signal, meter }: MeteredOptions): Operation {
    return this.#context.operation(signal, meter);
  }

  async *#batches(
    source: string | SnapshotRange,
    options: ReadOptions<R>,
  ): AsyncGenerator<readonly R[]> {
    assertReadOptions(options);
    if (typeof source !== 'string') assertSnapshotRange(source);
    const op = this.#operation(options);
    const manifests =
      typeof source === 'string'
        ? [await this.#context.manifest(op, source)]
        : manifestsBetween(op, this.#context, source, 'oldest-first');
    for await (const manifest of manifests) {
      const plan = this.#context.readPlan(manifest);
      if (plan.codec === undefined) yield [(await readBlob(op, plan)) as R];
      else yield* readBatches(op, plan, this.#recordOptions(options));
    }
  }

  #recordOptions({ partition, where, columns }: ReadOptions<R>): RecordOptions<R> {
    if (partition === undefined && where === undefined) return { columns };
    const { layout } = this.#context.options;
    const selection = new Selection(layout, where, partition, layout.partitionKeys);
    return { columns, selection };
  }
}

function snapshotOf(manifest: DatasetManifest): Snapshot {
  return { id: manifest.snapshotId, manifest };
}

function holdsRecords(dataset: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this dataset holds records, not raw bytes', {
    dataset,
    field: 'codec',
    next: 'Use records() or read(), or reader.open() for the bytes of a file.',
  });
}

function unorderly(dataset: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'what is not part of the history has no order', {
    dataset,
    field: 'unreachable',
    next: 'Leave out since, until and order, or unreachable: they do not go together.',
  });
}
