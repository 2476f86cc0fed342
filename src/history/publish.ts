/**
 * One attempt to move the head: pointer and manifests, in the order that a crash between any two writes survives.
 *
 * - Guarded put (fs, memory): manifests are written under the pointer's lock, then the pointer shows. A crash in between
 *   leaves a complete manifest that is not an ancestor of the head: never acknowledged, never half-visible.
 * - Compare-and-swap only (object stores): the pointer moves, then the manifest is put if absent. A crash in between leaves
 *   a pointer without a manifest, which the next writer fences. The canonical manifest is the commit point (E-10).
 * - The same beside Go writers (`peers: 'go'`): the pointer is held while the manifest is put (`held.ts`).
 */
import { utf8Encode } from '../bytes/index.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { fences } from '../events.ts';
import { forEachOf } from '../parallel.ts';
import { CircleGuard } from './circle.ts';
import { lateness } from './collection-age.ts';
import type { ETag, PutMode, PutOptions } from '../store/store.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import { refusedFirst } from './first-commit.ts';
import type { Begun } from './first-commit.ts';
import { PublishGuard } from './guard.ts';
import { headOf, landedAs, modeFor } from './publication.ts';
import type { CommitRequest, Publication } from './publication.ts';
import type { Written } from './guard.ts';
import { publishHeld } from './held.ts';
import { lacksPointer } from './head.ts';
import type { Head, HeadFinder } from './head.ts';
import { follows, nextSnapshotId } from './ids.ts';
import {
  mayHaveLanded,
  notVisible,
  putDefinitely,
  sameBytes,
  withResolve,
} from './lost-response.ts';
import type { DefiniteResult } from './lost-response.ts';
import type { Operation } from './operation.ts';
import { readPointer } from './pointer.ts';

export class Publisher<M extends SnapshotFacts> {
  readonly #format: HistoryFormat<M>;
  readonly #heads: HeadFinder<M>;
  readonly #peers: 'go' | undefined;

  constructor(format: HistoryFormat<M>, heads: HeadFinder<M>, peers: 'go' | undefined) {
    this.#format = format;
    this.#heads = heads;
    this.#peers = peers;
  }

  /** Commits on top of `head`, or answers `conflict` when the pointer is no longer what it was. */
  async onTop(
    op: Operation,
    request: CommitRequest<M>,
    head: Head<M>,
    mode: PutMode,
  ): Promise<Publication<M>> {
    const { guardedPut } = op.store.capabilities;
    if (!guardedPut && this.#peers === 'go') return this.#held(op, request, head, mode);
    const manifest = await this.#place(op, request, head);
    const bytes = this.#format.encode(manifest);
    if (!guardedPut) return this.#compareAndSwap(op, request, head, mode, manifest, bytes);
    const begun = { manifest, bytes, mode };
    return this.#guarded(
      op,
      request,
      (begin) => {
        begin(begun);
        return this.#putManifests(op, request, begun);
      },
      mode,
    );
  }

  /**
   * Commits on top of whatever the head is once the lock is held: nothing can come in between, so this never loses a
   * race.
   */
  async onTopOfWhatever(
    op: Operation,
    request: CommitRequest<M>,
    known: Head<M> | undefined,
  ): Promise<Publication<M>> {
    let dangling = false;
    const publication = this.#guarded(
      op,
      request,
      async (begin) => {
        const head = await this.#underLock(op, known);
        dangling = head === undefined;
        if (head === undefined)
          throw new LodeError('LODE_CLOSED', 'the pointer has to be settled first', {});
        const manifest = await this.#place(op, request, head);
        const begun = { manifest, bytes: this.#format.encode(manifest), mode: modeFor(head) };
        begin(begun);
        return this.#putManifests(op, request, begun);
      },
      'overwrite',
    );
    return publication.catch((error: unknown) => {
      if (dangling) return { outcome: 'dangling' };
      throw error;
    });
  }

  /** The head without waiting: a lock is held. `undefined` when the pointer dangles, or lacks though there are snapshots. */
  async #underLock(op: Operation, known: Head<M> | undefined): Promise<Head<M> | undefined> {
    const pointer = await readPointer(this.#format, op);
    const { snapshot: pointed, etag, readAt, held } = pointer;
    if (pointed === undefined || pointed === known?.pointed) {
      const head = await this.#heads.at(op, pointer, known);
      return lacksPointer(op, head) ? undefined : head;
    }
    const manifest = await this.#heads.manifest(op, pointed).catch((error: unknown) => {
      // Go writes manifests in place: this may be the first half of one, and has to be waited for, not under the lock.
      if (isLodeError(error, 'LODE_MANIFEST_INVALID', 'LODE_TRUNCATED')) return undefined;
      throw error;
    });
    if (manifest === undefined || this.#format.isFence(manifest)) return undefined;
    return { etag, readAt, pointed, manifest, dangling: false, held };
  }

  /**
   * The snapshot's id is that of the upload only if it was drawn after the head was read. Go draws its ids first and moves
   * the pointer later, and a Go reader that finds the pointer ahead of its manifest moves it back, to the largest id there
   * is: of a commit of ours with an older id, acknowledged in between, the history would lose sight.
   */
  #place(op: Operation, request: CommitRequest<M>, head: Head<M>): M | Promise<M> {
    const parent = head.manifest;
    const above = [head.pointed, parent?.snapshotId];
    const drawn = request.snapshotId;
    const keep =
      !request.referenced && follows(drawn, head.readAt) && above.every((id) => follows(drawn, id));
    const snapshotId = keep ? drawn : nextSnapshotId(op.env, ...above);
    return request.build({ snapshotId, parent });
  }

  #held(
    op: Operation,
    request: CommitRequest<M>,
    head: Head<M>,
    mode: PutMode,
  ): Promise<Publication<M>> {
    return publishHeld(op, request, head, mode, {
      format: this.#format,
      place: (at) => this.#place(op, request, at),
      putManifest: (by, key, bytes) => this.#putManifest(by, key, bytes),
      putCopies: (by, keys, bytes) => this.#putCopies(by, keys, bytes),
      landed: (by, snapshot) => this.#pointerLanded(by, snapshot),
      putPointer: (by, snapshot, as) => this.putPointer(by, snapshot, as),
      taken: (key) => this.#taken(key),
    });
  }

  /** @param write  Writes the manifests under the lock, after it has said what it begins to write. */
  async #guarded(
    op: Operation,
    request: CommitRequest<M>,
    write: (begin: (begun: Begun<M>) => void) => Promise<Written<M>>,
    firstMode: PutMode,
  ): Promise<Publication<M>> {
    let begun: Begun<M> | undefined;
    const begin = (what: Begun<M>): void => {
      guard.assertOpen();
      begun = what;
    };
    const guard = new PublishGuard(
      () => write(begin),
      async (mode) => {
        const pointer = await readPointer(this.#format, op);
        return mode === 'create'
          ? pointer.etag === undefined
          : typeof mode === 'object' && pointer.etag === mode.ifMatch;
      },
      request.assertDataIsThere?.bind(request),
    );
    const landed = async (): Promise<ETag | 'superseded' | undefined> =>
      guard.written && this.#pointerLanded(op, guard.written.manifest.snapshotId);
    try {
      const { outcome, etag } = await putDefinitely(op, {
        key: this.#format.pointerKey,
        body: noBytes,
        options: () => ({ mode: guard.written?.mode ?? firstMode, beforePublish: guard.run }),
        landed,
      });
      guard.settle();
      if (outcome === 'stored') return landedAs(op, guard.written, etag);
      // Manifests are written once the comparison holds: this conflict may be with our own pointer (E-3).
      const own = await landed();
      return own === undefined ? { outcome: 'conflict' } : landedAs(op, guard.written, own);
    } catch (error) {
      if (guard.written === undefined) {
        // Without manifests nothing was published, and nothing will be.
        guard.settle();
        const { error: cause } = guard.refusal ?? { error };
        throw begun?.mode === 'create' ? await this.#refused(op, cause, begun) : notVisible(cause);
      }
      if (!guard.moved) throw await this.#refused(op, error, begun);
      const etag = await landed();
      return etag === undefined ? { outcome: 'conflict' } : landedAs(op, guard.written, etag);
    }
  }

  #refused(op: Operation, error: unknown, begun: Begun<M> | undefined): unknown {
    if (begun?.mode !== 'create') return error;
    const { manifest, bytes } = begun;
    const key = this.#format.manifestKey(manifest.snapshotId);
    return refusedFirst(op, error, key, (detached) => this.#finishFirst(detached, manifest, bytes));
  }

  /** Completes a first commit of which the manifest may be there, unless another commit has come before it. */
  async #finishFirst(
    op: Operation,
    manifest: M,
    bytes: Uint8Array,
  ): Promise<'landed' | 'not-landed'> {
    const { snapshotId } = manifest;
    if (!(await this.#putWhole(op, manifest, bytes))) return 'not-landed';
    if (await this.putPointer(op, snapshotId, 'create')) return 'landed';
    return (await this.#pointerLanded(op, snapshotId)) === undefined ? 'not-landed' : 'landed';
  }

  async #compareAndSwap(
    op: Operation,
    request: CommitRequest<M>,
    head: Head<M>,
    mode: PutMode,
    manifest: M,
    bytes: Uint8Array,
  ): Promise<Publication<M>> {
    await request.assertDataIsThere?.();
    const former = request.referenced;
    request.referenced = true;
    const isLate = lateness(op.env);
    const put = (detached: Operation): Promise<DefiniteResult> =>
      putDefinitely(detached, {
        key: this.#format.pointerKey,
        body: utf8Encode(manifest.snapshotId),
        options: () => ({ mode }),
        landed: () => this.#pointerLanded(detached, manifest.snapshotId),
      });
    const putAgain = async (detached: Operation): Promise<DefiniteResult> => {
      // What does not compare would replace whatever has come in the meantime.
      const { etag } = await readPointer(this.#format, detached);
      if (etag !== head.etag || isLate()) return { outcome: 'conflict', etag };
      await request.assertDataIsThere?.();
      return put(detached);
    };
    const moved = await put(op).catch((error: unknown) => {
      if (!mayHaveLanded(error, op.signal)) request.referenced = former;
      throw withResolve(error, () =>
        this.#finish({ ...op, signal: undefined }, putAgain, manifest, bytes),
      );
    });
    if (moved.outcome === 'conflict') {
      request.referenced = former;
      return { outcome: 'conflict' };
    }
    if (!(await this.#putManifest(op, this.#format.manifestKey(manifest.snapshotId), bytes))) {
      return { outcome: 'fenced' };
    }
    const missingCopies = await this.#putCopies(op, this.#format.copyKeys(manifest), bytes);
    return { outcome: 'landed', manifest, head: headOf(op, manifest, moved.etag), missingCopies };
  }

  /** Settles a commit whose pointer put stayed open: the pointer is asked again, and if it is ours the commit is completed. */
  async #finish(
    op: Operation,
    put: (op: Operation) => Promise<DefiniteResult>,
    manifest: M,
    bytes: Uint8Array,
  ): Promise<'landed' | 'not-landed'> {
    const moved = await put(op);
    if (
      moved.outcome === 'conflict' &&
      (await this.#pointerLanded(op, manifest.snapshotId)) === undefined
    ) {
      return 'not-landed';
    }
    return (await this.#putWhole(op, manifest, bytes)) ? 'landed' : 'not-landed';
  }

  /** False when something else is in the place of the manifest. */
  async #putWhole(op: Operation, manifest: M, bytes: Uint8Array): Promise<boolean> {
    const isOurs = await this.#putManifest(
      op,
      this.#format.manifestKey(manifest.snapshotId),
      bytes,
    );
    if (isOurs) await this.#putCopies(op, this.#format.copyKeys(manifest), bytes);
    return isOurs;
  }

  /** Occupies the place of a manifest that never came; false when it has come after all. */
  async putFence(op: Operation, snapshot: string, parent: M | undefined): Promise<boolean> {
    const bytes = this.#format.encode(this.#format.fence(snapshot, parent));
    const isThere = await this.#putManifest(op, this.#format.manifestKey(snapshot), bytes);
    if (isThere) fences.tell(op.logger, () => ({ ...this.#format.subject, snapshot }));
    return isThere;
  }

  /** Writes the manifest that the pointer names already: the second half of a commit that was interrupted. */
  async complete(op: Operation, manifest: M): Promise<void> {
    if (!(await this.#putWhole(op, manifest, this.#format.encode(manifest))))
      throw this.#taken(this.#format.manifestKey(manifest.snapshotId));
  }

  /** Puts a pointer where there is none, or an empty one; false when there is another by now. */
  async putPointer(op: Operation, snapshot: string, mode: PutMode): Promise<boolean> {
    const result = await putDefinitely(op, {
      key: this.#format.pointerKey,
      body: utf8Encode(snapshot),
      options: () => ({ mode }),
      landed: () => this.#pointerLanded(op, snapshot),
    });
    return result.outcome === 'stored';
  }

  /** Writes one missing copy of a manifest; false when something else is there. */
  putCopy(op: Operation, key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#putManifest(op, key, bytes);
  }

  async #putManifests(
    op: Operation,
    request: CommitRequest<M>,
    begun: Begun<M>,
  ): Promise<Written<M>> {
    const { manifest, bytes } = begun;
    await request.assertDataIsThere?.();
    const former = request.referenced;
    request.referenced = true;
    const key = this.#format.manifestKey(manifest.snapshotId);
    let written = false;
    try {
      written = await this.#putManifest(op, key, bytes);
    } catch (error) {
      if (!mayHaveLanded(error, op.signal)) request.referenced = former;
      throw error;
    }
    if (!written) {
      request.referenced = former;
      throw this.#taken(key);
    }
    const copies = this.#format.copyKeys(manifest);
    if (copies.length === 0) return begun;
    await forEachOf(copies, op.store.capabilities.concurrency, async (copy) => {
      if (!(await this.#putManifest(op, copy, bytes))) throw this.#taken(copy);
    });
    return begun;
  }

  /** False when something else is there. */
  async #putManifest(op: Operation, key: string, body: Uint8Array): Promise<boolean> {
    const landed = sameBytes(op, key, body);
    const result = await putDefinitely(op, { key, body, options: createOnly, landed });
    return result.outcome === 'stored' || (await landed()) !== undefined;
  }

  /** After the commit point, in parallel: a failure is no longer one of the commit. Answers the keys not written. */
  async #putCopies(op: Operation, keys: readonly string[], bytes: Uint8Array): Promise<string[]> {
    const failed: string[] = [];
    await forEachOf(keys, op.store.capabilities.concurrency, async (key) => {
      if (!(await this.#putManifest(op, key, bytes).catch(() => false))) failed.push(key);
    });
    return failed;
  }

  /** After an unanswered pointer put: is the head ours, or one of its ancestors? */
  async #pointerLanded(op: Operation, snapshot: string): Promise<ETag | 'superseded' | undefined> {
    const pointer = await readPointer(this.#format, op);
    if (pointer.snapshot === undefined) return undefined;
    // A pointer that the next writer holds is not one to build on.
    if (pointer.snapshot === snapshot) return pointer.held ? 'superseded' : pointer.etag;
    let at: string | undefined = pointer.snapshot;
    const guard = new CircleGuard();
    while (at !== undefined && follows(at, snapshot)) {
      guard.pass(at);
      const manifest: M | undefined = await this.#heads.snapshot(op, at);
      at = manifest?.parentSnapshotId;
      if (at === snapshot) return 'superseded';
    }
    return undefined;
  }

  #taken(key: string): LodeError {
    return new LodeError(
      'LODE_ALREADY_EXISTS',
      'a manifest could not be written where only this commit writes',
      {
        key,
        next: 'Commit again: it will take a fresh snapshot id.',
      },
    );
  }
}

/** The guard gives the bytes. */
const noBytes = new Uint8Array(0);
const createOnly = (): PutOptions => ({ mode: 'create' });
