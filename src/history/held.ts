/**
 * A commit beside Go writers in storage without locks: hold the pointer, put the manifest, publish (docs/guarantees.md).
 *
 * While the pointer is held Go can neither commit nor rewind, and what it names has its manifest: there is no between in
 * which a rewind could start, and none that began earlier can end. The pointer is the commit point; a crash before it leaves
 * a complete manifest that is no ancestor of the head, and a held pointer, which the next writer of ours takes over.
 */
import { utf8Encode } from '../bytes/index.ts';
import { isLodeError } from '../errors.ts';
import type { LodeError } from '../errors.ts';
import type { ETag, PutMode } from '../store/store.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { Head } from './head.ts';
import { releaseHold, takeHold } from './hold.ts';
import { nextSnapshotId } from './ids.ts';
import { mayHaveLanded, notVisible, putDefinitely, withResolve } from './lost-response.ts';
import type { DefiniteResult } from './lost-response.ts';
import type { Operation } from './operation.ts';
import { headOf } from './publication.ts';
import type { CommitRequest, Publication } from './publication.ts';

/** What the publisher does for every kind of commit. */
interface Steps<M extends SnapshotFacts> {
  readonly format: HistoryFormat<M>;
  place(head: Head<M>): M | Promise<M>;
  /** False when something else is there. */
  putManifest(op: Operation, key: string, bytes: Uint8Array): Promise<boolean>;
  /** Answers the keys not written. */
  putCopies(op: Operation, keys: readonly string[], bytes: Uint8Array): Promise<string[]>;
  landed(op: Operation, snapshot: string): Promise<ETag | 'superseded' | undefined>;
  putPointer(op: Operation, snapshot: string, mode: PutMode): Promise<boolean>;
  taken(key: string): LodeError;
}

export async function publishHeld<M extends SnapshotFacts>(
  op: Operation,
  request: CommitRequest<M>,
  head: Head<M>,
  mode: PutMode,
  steps: Steps<M>,
): Promise<Publication<M>> {
  const { pointed, manifest } = head;
  if (pointed === undefined && manifest !== undefined) {
    // A lost pointer is put back first: while one that names nothing is held, there is no history to see.
    const isBack = await steps.putPointer(op, manifest.snapshotId, mode);
    return { outcome: isBack ? 'dangling' : 'conflict' };
  }
  const etag = await takeHold(op, steps.format, head, mode);
  return etag === undefined
    ? { outcome: 'conflict' }
    : new HeldCommit(op, request, head, etag, steps).publish();
}

class HeldCommit<M extends SnapshotFacts> {
  readonly #op: Operation;
  readonly #request: CommitRequest<M>;
  readonly #head: Head<M>;
  /** Of the pointer while it is held. */
  readonly #etag: ETag;
  readonly #steps: Steps<M>;

  constructor(
    op: Operation,
    request: CommitRequest<M>,
    head: Head<M>,
    etag: ETag,
    steps: Steps<M>,
  ) {
    this.#op = op;
    this.#request = request;
    this.#head = head;
    this.#etag = etag;
    this.#steps = steps;
  }

  async publish(): Promise<Publication<M>> {
    const { manifest, bytes } = await this.#prepare();
    const { snapshotId } = manifest;
    await this.#putManifest(manifest, bytes);
    const moved = await this.#putPointer(this.#op, snapshotId).catch(async (error: unknown) => {
      const isOpen = isLodeError(error, 'LODE_WRITE_UNCERTAIN');
      if (isOpen) throw withResolve(error, () => this.#finish(this.#detached(), manifest, bytes));
      throw await this.#refused(error);
    });
    let etag: ETag | 'superseded' | undefined = moved.etag;
    if (moved.outcome === 'conflict') {
      etag = await this.#steps.landed(this.#op, snapshotId);
      if (etag === undefined) return { outcome: 'superseded', snapshot: snapshotId };
    }
    const missingCopies = await this.#putCopies(this.#op, manifest, bytes);
    const head = headOf(this.#op, manifest, etag === 'superseded' ? undefined : etag);
    return { outcome: 'landed', manifest, head, missingCopies };
  }

  /**
   * The id is drawn now: above those of all commits that the pointer has ever named, also of those that Go has rewound since.
   * A rewind goes to the largest id there is, so it can only lead to this snapshot or past it.
   */
  async #prepare(): Promise<{ manifest: M; bytes: Uint8Array }> {
    try {
      await this.#request.assertDataIsThere?.();
      const at = { ...this.#head, readAt: nextSnapshotId(this.#op.env) };
      const manifest = await this.#steps.place(at);
      return { manifest, bytes: this.#steps.format.encode(manifest) };
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  async #putManifest(manifest: M, bytes: Uint8Array): Promise<void> {
    const key = this.#steps.format.manifestKey(manifest.snapshotId);
    const former = this.#request.referenced;
    this.#request.referenced = true;
    try {
      if (await this.#steps.putManifest(this.#op, key, bytes)) return;
    } catch (error) {
      if (!mayHaveLanded(error, this.#op.signal)) this.#request.referenced = former;
      throw await this.#refused(error);
    }
    this.#request.referenced = former;
    await this.#release();
    throw this.#steps.taken(key);
  }

  #putPointer(op: Operation, snapshot: string): Promise<DefiniteResult> {
    return putDefinitely(op, {
      key: this.#steps.format.pointerKey,
      body: utf8Encode(snapshot),
      options: () => ({ mode: { ifMatch: this.#etag } }),
      landed: () => this.#steps.landed(op, snapshot),
    });
  }

  #putCopies(op: Operation, manifest: M, bytes: Uint8Array): Promise<string[]> {
    return this.#steps.putCopies(op, this.#steps.format.copyKeys(manifest), bytes);
  }

  /** What to throw when the pointer certainly does not name the manifest. */
  async #refused(cause: unknown): Promise<unknown> {
    // Where the pointer names nothing and is not held, a manifest that is there or still to come would show.
    if (this.#head.pointed !== undefined || !this.#request.referenced) await this.#release();
    return notVisible(cause);
  }

  /** Completes a commit of which the outcome is open, unless another writer has taken over. */
  async #finish(op: Operation, manifest: M, bytes: Uint8Array): Promise<'landed' | 'not-landed'> {
    const { snapshotId } = manifest;
    const key = this.#steps.format.manifestKey(snapshotId);
    if (!(await this.#steps.putManifest(op, key, bytes))) return 'not-landed';
    const { outcome } = await this.#putPointer(op, snapshotId);
    if (outcome === 'conflict' && (await this.#steps.landed(op, snapshotId)) === undefined)
      return 'not-landed';
    await this.#putCopies(op, manifest, bytes);
    return 'landed';
  }

  #detached(): Operation {
    return { ...this.#op, signal: undefined };
  }

  #release(): Promise<void> {
    return releaseHold(this.#op, this.#steps.format, this.#head, this.#etag);
  }
}
