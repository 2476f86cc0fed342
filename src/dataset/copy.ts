/**
 * Copying a history into another store: oldest snapshot first; for each its data, then pointer and manifest as a commit.
 *
 * Keys, ids and manifest bytes stay as they are, so the copy is the same history. Data is verified on its way. Run again
 * after an interruption, it begins with the first snapshot that is not committed there and skips data of the right size.
 */
import { compareUtf8, sameContent } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import { History, lateness, readStored, retryPolicy } from '../history/index.ts';
import type { CallOptions, Operation } from '../history/index.ts';
import { forEachOf } from '../parallel.ts';
import type { Store } from '../store/index.ts';
import { watched } from '../store/index.ts';
import type { DatasetContext } from './context.ts';

import type { DatasetManifest, ManifestFile } from './manifest/index.ts';

export interface CopyOptions extends CallOptions {
  /** The snapshot that becomes the head of the copy. Default: the head. */
  readonly snapshot?: string;
  readonly onProgress?: (progress: CopyReport) => void;
}

export interface CopyReport {
  /** Snapshots committed in the other store. */
  readonly snapshots: number;
  readonly files: number;
  readonly bytes: number;
  /** Data files that were there already. */
  readonly skipped: number;
}

export async function copySnapshot<R>(
  op: Operation,
  context: DatasetContext<R>,
  store: Store,
  options: CopyOptions,
): Promise<CopyReport> {
  const last = await snapshotToCopy(op, context, options.snapshot);
  const copier = new Copier(op, { ...op, store: watched(store, op.env, op.logger) }, context);
  const missing = await copier.missing(last);
  for (const manifest of missing.reverse()) {
    await copier.copy(manifest);
    options.onProgress?.(copier.report());
  }
  return copier.report();
}

async function snapshotToCopy<R>(
  op: Operation,
  context: DatasetContext<R>,
  snapshot: string | undefined,
): Promise<DatasetManifest> {
  if (snapshot !== undefined) return context.manifest(op, snapshot);
  const { manifest } = await context.history.head(op);
  if (manifest !== undefined) return manifest;
  throw new LodeError('LODE_NO_SNAPSHOTS', 'there is nothing to copy', { dataset: context.id });
}

class Copier<R> {
  readonly #from: Operation;
  readonly #to: Operation;
  readonly #context: DatasetContext<R>;
  readonly #target: History<DatasetManifest>;
  /** Manifest bytes as they are in the source: encoding them anew would lose members we do not know. */
  readonly #bytesOf = new WeakMap<DatasetManifest, Uint8Array>();
  /** What the pointer of the other store names without a manifest: where a copy was interrupted. */
  #interrupted: string | undefined;
  #snapshots = 0;
  #files = 0;
  #bytes = 0;
  #skipped = 0;

  constructor(from: Operation, to: Operation, context: DatasetContext<R>) {
    this.#from = from;
    this.#to = to;
    this.#context = context;
    const encode = (manifest: DatasetManifest): Uint8Array =>
      this.#bytesOf.get(manifest) ?? context.format.encode(manifest);
    this.#target = new History(
      { ...context.format, encode },
      { retry: retryPolicy(), settleMs: context.options.settleMs, singleWriter: false },
    );
  }

  report(): CopyReport {
    return {
      snapshots: this.#snapshots,
      files: this.#files,
      bytes: this.#bytes,
      skipped: this.#skipped,
    };
  }

  /** Newest first: what the other store lacks of the history up to `last`. */
  async missing(last: DatasetManifest): Promise<DatasetManifest[]> {
    const theirs = await this.#target.latest(this.#to);
    const head = theirs?.snapshotId;
    this.#interrupted = (await this.#target.head(this.#to)).dangling;
    if (theirs !== undefined && !(await this.#isOurs(theirs))) throw this.#foreign(last, head);
    if (theirs !== undefined && (await this.#holds(theirs, last.snapshotId))) {
      await this.#target.completeHead(this.#to);
      return [];
    }
    const missing: DatasetManifest[] = [];
    for await (const manifest of this.#context.history.chain(this.#from, last, head))
      missing.push(manifest);
    if (missing.at(-1)?.parentSnapshotId === head) {
      if (this.#interrupted === undefined) await this.#target.completeHead(this.#to);
      return missing;
    }
    throw this.#foreign(last, head);
  }

  #foreign({ snapshotId }: DatasetManifest, head: string | undefined): LodeError {
    return new LodeError('LODE_SNAPSHOT_CONFLICT', 'the other store has a history of its own', {
      dataset: this.#context.id,
      expected: snapshotId,
      actual: head,
      expectedHead: snapshotId,
      actualHead: head,
      next: 'Copy into an empty store, or into an earlier copy of this dataset.',
    });
  }

  /** False when this store has another snapshot of that id: then the two histories only look alike. */
  async #isOurs(theirs: DatasetManifest): Promise<boolean> {
    const { history, format } = this.#context;
    const ours = await history.fetch(this.#from, theirs.snapshotId);
    return ours === undefined || sameContent(format.encode(ours), format.encode(theirs));
  }

  /** Whether `snapshot` is the head there, or behind it. Ids grow, so this ends where it cannot be any more. */
  async #holds(head: DatasetManifest, snapshot: string): Promise<boolean> {
    let at: DatasetManifest | undefined = head;
    while (at !== undefined && compareUtf8(at.snapshotId, snapshot) > 0) {
      const parent: string | undefined = at.parentSnapshotId;
      at = parent === undefined ? undefined : await this.#target.fetch(this.#to, parent);
    }
    return at?.snapshotId === snapshot;
  }

  async copy(manifest: DatasetManifest): Promise<void> {
    const checksum = this.#context.checksumOf(manifest);
    const found: ManifestFile[] = [];
    const isLate = lateness(this.#to.env);
    await forEachOf(manifest.files, this.#to.store.capabilities.concurrency, async (file) => {
      const stream = readStored(this.#from.store, file, { checksum, signal: this.#from.signal });
      const body = { size: file.sizeBytes, replayable: false, stream: () => stream };
      const { outcome } = await this.#to.store.put(file.path, body, { signal: this.#to.signal });
      if (outcome === 'conflict') {
        found.push(file);
        return this.#assertSameSize(file);
      }
      this.#files++;
      this.#bytes += file.sizeBytes;
    });
    await this.#keepBytes(manifest);
    if (manifest.snapshotId === this.#interrupted) {
      // Any other writer would fence it and commit under another id; a copy keeps its ids.
      await this.#target.complete(this.#to, manifest);
    } else {
      const { missingCopies } = await this.#target.commit(this.#to, {
        snapshotId: manifest.snapshotId,
        expectedParent: undefined,
        referenced: false,
        build: () => manifest,
        // Those that an earlier copy has left may be old enough to be collected beside this one.
        assertDataIsThere: () => this.#assertThere(isLate() ? manifest.files : found),
      });
      if (missingCopies.length > 0) await this.#target.completeHead(this.#to);
    }
    this.#snapshots++;
  }

  async #keepBytes(manifest: DatasetManifest): Promise<void> {
    const { store, signal } = this.#from;
    const { format } = this.#context;
    const { snapshotId } = manifest;
    const canonical = await store.get(format.manifestKey(snapshotId), { signal });
    const copy = canonical ? undefined : await format.locate?.(store, snapshotId, { signal });
    const stored = copy === undefined ? canonical : await store.get(copy, { signal });
    if (stored === undefined) return;
    const bytes = await stored.bytes();
    // Manifests stay for ever: what was damaged on its way here must not become one.
    format.decode(bytes, stored.key, snapshotId);
    this.#bytesOf.set(manifest, bytes);
  }

  async #assertSameSize(file: ManifestFile): Promise<void> {
    const info = await this.#to.store.head(file.path, { signal: this.#to.signal });
    this.#skipped++;
    if (info?.size === file.sizeBytes) return;
    throw new LodeError(
      'LODE_ALREADY_EXISTS',
      'the other store has another object under this key',
      {
        key: file.path,
        expected: file.sizeBytes,
        actual: info?.size,
      },
    );
  }

  async #assertThere(files: readonly ManifestFile[]): Promise<void> {
    const { store, signal } = this.#to;
    await forEachOf(files, store.capabilities.concurrency, async ({ path: key, sizeBytes }) => {
      if ((await store.head(key, { signal }))?.size === sizeBytes) return;
      throw new LodeError('LODE_NOT_FOUND', 'data of this copy is not there any more', {
        key,
        next: 'Copy again: a collector has taken what no snapshot named for long.',
      });
    });
  }
}
