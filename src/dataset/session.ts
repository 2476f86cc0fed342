/**
 * One commit in the making: the data files uploaded for it, and how they are taken back when it fails.
 *
 * Files are deleted only while nothing can refer to them: not once a manifest that names them may exist, and never where
 * another writer's object was found (E-3, E-28).
 */
import { withDeadline } from '../env.ts';
import { isLodeError, LodeError, withCleanupFailures } from '../errors.ts';
import { formatTime } from '../encoding/time.ts';
import { lateness, notVisible } from '../history/index.ts';
import type { CommitRequest, Committed, History, Operation } from '../history/index.ts';
import type { Layout } from './layout.ts';
import type { Metadata } from '../manifest/index.ts';
import type { DatasetManifest, ManifestFile } from './manifest/index.ts';
import { formatVersion, schemaName } from './manifest/index.ts';
import { compareUtf8 } from '../bytes/index.ts';
import { forEachOf } from '../parallel.ts';

/** Cleaning up takes its own time, not that of the call that failed. */
const cleanupMs = 5_000;

/** What all snapshots of a dataset have in common. */
export interface Signature {
  readonly dataset: string;
  readonly layout: Layout;
  readonly codec: string | undefined;
  readonly compressor: string;
  readonly checksumAlgorithm: string | undefined;
}

export interface Content {
  readonly files: readonly ManifestFile[];
  readonly rowCount: number;
  readonly minTimestamp?: string;
  readonly maxTimestamp?: string;
}

export class CommitSession {
  readonly snapshotId: string;
  readonly #op: Operation;
  readonly #signature: Signature;
  readonly #history: History<DatasetManifest>;
  readonly #metadata: Metadata;
  readonly #expectedParent: string | null | undefined;
  readonly #begun: string[] = [];
  readonly #isLate: () => boolean;
  #request: CommitRequest<DatasetManifest> | undefined;

  constructor(
    op: Operation,
    signature: Signature,
    history: History<DatasetManifest>,
    metadata: Metadata,
    expectedParent: string | null | undefined,
  ) {
    this.#op = op;
    this.#signature = signature;
    this.#history = history;
    this.#metadata = metadata;
    this.#expectedParent = expectedParent;
    this.snapshotId = history.nextId(op.env);
    this.#isLate = lateness(op.env);
  }

  dataKey(partition: string, file: string): string {
    return this.#signature.layout.dataKey(
      this.#signature.dataset,
      this.snapshotId,
      partition,
      file,
    );
  }

  /** The object at `path` is ours to delete from now on. */
  begun(path: string): void {
    this.#begun.push(path);
  }

  /** @param afterConflict  What the caller can do about a lost race, where it is not to commit again. */
  commit(content: Content, afterConflict?: string): Promise<Committed<DatasetManifest>> {
    const { files, ...facts } = content;
    const sorted = [...files].sort((a, b) => compareUtf8(a.path, b.path));
    this.#request = {
      snapshotId: this.snapshotId,
      expectedParent: this.#expectedParent,
      afterConflict,
      referenced: false,
      build: ({ snapshotId, parent }) => this.#manifest(snapshotId, parent, sorted, facts),
      assertDataIsThere: () => this.#assertDataIsThere(sorted),
    };
    return this.#history.commit(this.#op, this.#request);
  }

  /** Data this old may have been taken for garbage (docs/guarantees.md). Costs nothing for a commit of ordinary length. */
  async #assertDataIsThere(files: readonly ManifestFile[]): Promise<void> {
    const { store, signal } = this.#op;
    if (!this.#isLate()) return;
    await forEachOf(files, store.capabilities.concurrency, async ({ path, sizeBytes }) => {
      const info = await store.head(path, { signal });
      if (info?.size === sizeBytes) return;
      throw new LodeError('LODE_NOT_FOUND', 'data of this commit is not there any more', {
        dataset: this.#signature.dataset,
        key: path,
        next: 'Write again, in less than a day: data that no manifest names is garbage after that.',
      });
    });
  }

  /** Takes the data back after a failure and answers the error to throw. */
  async discard(cause: unknown): Promise<unknown> {
    if (this.#request?.referenced === true) return cause;
    const error = notVisible(cause);
    if (this.#begun.length === 0) return error;
    // Whoever drew our id may have made the other files under it, too.
    const { key } = isLodeError(error, 'LODE_ALREADY_EXISTS') ? error.details : {};
    if (key !== undefined && this.#begun.includes(key)) return error;
    return withCleanupFailures(error, await this.#delete(this.#begun));
  }

  async #delete(keys: readonly string[]): Promise<unknown[]> {
    const { store, env } = this.#op;
    const late = (): Error =>
      new LodeError('LODE_TIMEOUT', 'clean-up took too long', { expected: cleanupMs });
    try {
      const results = await withDeadline(
        env,
        cleanupMs,
        (signal) => store.delete(keys, { signal }),
        late,
      );
      return results.flatMap((result) => (result.outcome === 'failed' ? [result.error] : []));
    } catch (error) {
      return [error];
    }
  }

  #manifest(
    snapshotId: string,
    parent: DatasetManifest | undefined,
    files: readonly ManifestFile[],
    facts: Omit<Content, 'files'>,
  ): DatasetManifest {
    const { dataset, layout, codec, compressor, checksumAlgorithm } = this.#signature;
    return {
      schemaName,
      formatVersion,
      datasetId: dataset,
      snapshotId,
      createdAt: formatTime(this.#op.env.now()),
      metadata: this.#metadata,
      files,
      ...(parent === undefined ? undefined : { parentSnapshotId: parent.snapshotId }),
      ...facts,
      ...(codec === undefined ? undefined : { codec }),
      compressor,
      partitioner: layout.partitioner,
      ...(checksumAlgorithm === undefined ? undefined : { checksumAlgorithm }),
    };
  }
}
