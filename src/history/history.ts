/**
 * A linear history of snapshots: one pointer, moved by compare-and-swap, to a chain of immutable manifests.
 *
 * Guarantees (docs/guarantees.md): a snapshot exists once its manifest exists; every commit acknowledged here is an
 * ancestor of the head; two commits on the same head never both succeed; the pointer never moves backwards; reading
 * never writes. Cost, with the head known: a commit is the pointer put and the manifest puts.
 *
 * A history remembers the head it last learned, from its own commit or from `latest()`. A commit whose head has moved
 * since is a conflict. One that has learned nothing yet commits on top of whatever the head is.
 */
import type { Env } from '../env.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { commits, conflicts, repairs } from '../events.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import { conflict, fenced, superseded } from './conflict.ts';
import { chain, listIds, span, walk } from './ancestors.ts';
import { exclusively } from './exclusively.ts';
import type { Span, Walked } from './ancestors.ts';
import { HeadFinder, lacksPointer } from './head.ts';
import type { Head } from './head.ts';
import { awaitRelease } from './hold.ts';
import { nextSnapshotId } from './ids.ts';
import type { Operation } from './operation.ts';
import { readPointer } from './pointer.ts';
import type { Pointer } from './pointer.ts';
import { modeFor } from './publication.ts';
import type { CommitRequest, Publication } from './publication.ts';
import { Publisher } from './publish.ts';
import { completeHead, repair } from './repair.ts';
import { retryDelayMs } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import type { PutMode } from '../store/store.ts';

interface HistoryOptions {
  readonly retry: RetryPolicy;
  /** How long to wait for a commit in flight; the store's own figure when left out. */
  readonly settleMs?: number | undefined;
  /** The caller vouches that nobody else writes: the store need not be able to compare. */
  readonly singleWriter: boolean;
  /** Go processes commit too: in storage without locks they are kept off the pointer while a commit is published. */
  readonly peers?: 'go' | undefined;
}

export interface Committed<M> {
  readonly manifest: M;
  /** Races lost before this one was won. */
  readonly retries: number;
  /** Manifest copies that could not be written; the snapshot is committed, `repair()` completes them. */
  readonly missingCopies: readonly string[];
}

export class History<M extends SnapshotFacts> {
  readonly #format: HistoryFormat<M>;
  readonly #options: HistoryOptions;
  readonly #heads: HeadFinder<M>;
  readonly #publisher: Publisher<M>;
  /** The head this history last learned: where conflict detection starts. */
  #learned: Head<M> | undefined;
  /** Pointer seen when the history was opened: saves the first commit a request, detects nothing. */
  #hint: Pointer | undefined;
  /** Commits run one after another: interleaved, they would race themselves. Settles when those under way have. */
  #turn: Promise<unknown> | undefined;
  #underWay = 0;

  constructor(format: HistoryFormat<M>, options: HistoryOptions) {
    this.#format = format;
    this.#options = options;
    this.#heads = new HeadFinder(format, options.settleMs);
    this.#publisher = new Publisher(format, this.#heads, options.peers);
  }

  /** Sees that the storage answers. One request. */
  async open(op: Operation): Promise<void> {
    this.#hint = await readPointer(this.#format, op);
  }

  /** The latest snapshot. Learns the head. One request when it has not moved, two otherwise. */
  async latest(op: Operation): Promise<M | undefined> {
    const head = await this.#heads.find(op, this.#learned);
    this.#learned = head;
    return head.manifest;
  }

  /** A snapshot by its id. One request. */
  snapshot(op: Operation, id: string): Promise<M | undefined> {
    const { manifest } = this.#learned ?? {};
    if (manifest?.snapshotId === id) return Promise.resolve(manifest);
    return this.#heads.snapshot(op, id);
  }

  /** The same, always from the store. */
  fetch(op: Operation, id: string): Promise<M | undefined> {
    return this.#heads.snapshot(op, id);
  }

  /** The head as the store has it, not learned; `pointed` is what the pointer names, `dangling` the same when no manifest is there. */
  async head(op: Operation): Promise<{
    readonly manifest: M | undefined;
    readonly dangling: string | undefined;
    readonly pointed: string | undefined;
  }> {
    const { manifest, dangling, pointed } = await this.#heads.find(op);
    return { manifest, dangling: dangling ? pointed : undefined, pointed };
  }

  /** Ids of all snapshots that may exist, newest first. */
  async *ids(op: Operation): AsyncIterable<string> {
    yield* await listIds(op, this.#format);
  }

  /** Runs `work` while no writer can commit, where the store has locks; else just runs it. Publishes nothing. */
  exclusively(op: Operation, work: () => Promise<void>): Promise<void> {
    return exclusively(op, this.#format.pointerKey, work);
  }

  /** Completes what interrupted commits left; answers the keys written, or with `dryRun` those that would be. */
  async repair(op: Operation, dryRun: boolean): Promise<string[]> {
    const repaired = await repair(op, this.#format, this.#heads, this.#publisher, dryRun);
    this.#learned = undefined;
    if (repaired.length > 0 && !dryRun)
      repairs.tell(op.logger, () => ({ ...this.#format.subject, keys: repaired }));
    return repaired;
  }

  /** The history, newest first, and with `unreachable` what is not part of it: a page of listings at a time, manifests in bounded parallel. */
  walk(op: Operation, options: { readonly unreachable: boolean }): AsyncIterable<Walked<M>> {
    return walk(op, this.#format, this.#heads, options);
  }

  /** From `from` down to, not including, `until`: one by one, a long way in bounded parallel. */
  chain(op: Operation, from: M | undefined, until: string | undefined): AsyncIterable<M> {
    return chain(op, this.#format, this.#heads, from, until);
  }

  /** The ids of that chain; `undefined` when `until` is neither `from` nor an ancestor of it. */
  span(
    op: Operation,
    from: M | undefined,
    until: string | undefined,
  ): Promise<Span<M> | undefined> {
    return span(op, this.#format, this.#heads, from, until);
  }

  /** A fresh id to upload data under: above the head as far as it is known. */
  nextId(env: Env): string {
    return nextSnapshotId(env, this.#learned?.pointed);
  }

  /** Completes what an interrupted commit left at the head, and learns it. */
  async completeHead(op: Operation): Promise<M | undefined> {
    const head = await this.#heads.find(op);
    await completeHead(op, this.#format, this.#publisher, head);
    return this.latest(op);
  }

  /** Ends a commit that stopped between pointer and manifest: the pointer names this very snapshot. */
  async complete(op: Operation, manifest: M): Promise<void> {
    await this.#publisher.complete(op, manifest);
    await this.latest(op);
  }

  commit(op: Operation, request: CommitRequest<M>): Promise<Committed<M>> {
    const before = this.#turn;
    this.#underWay++;
    const mine =
      before === undefined ? this.#commit(op, request) : this.#commitAfter(before, op, request);
    // One that gave up waiting does not let the next one past those still before it.
    this.#turn = before === undefined ? mine : Promise.allSettled([before, mine]);
    return mine;
  }

  async #commitAfter(
    before: Promise<unknown>,
    op: Operation,
    request: CommitRequest<M>,
  ): Promise<Committed<M>> {
    try {
      await untilAborted(before, op.signal);
    } catch (error) {
      this.#leave();
      throw error;
    }
    return this.#commit(op, request);
  }

  /** When the last one leaves, the next one need not wait for anybody. */
  #leave(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#turn = undefined;
  }

  async #commit(op: Operation, request: CommitRequest<M>): Promise<Committed<M>> {
    const former = this.#learned;
    try {
      op.signal?.throwIfAborted();
      // Once anything was written, the next commit looks at the store again instead of trusting memory (E-29).
      this.#learned = undefined;
      return await this.#race(op, request, former);
    } catch (error) {
      // What this writer knew stays known: a writer that lost goes on losing until it looks at the head by latest().
      if (!request.referenced) this.#learned = former;
      if (isLodeError(error, 'LODE_SNAPSHOT_CONFLICT'))
        this.#tellConflict(op, error.details.expectedHead, { retried: false, fenced: false });
      if (isLodeError(error, 'LODE_FENCED', 'LODE_SUPERSEDED'))
        this.#tellConflict(op, undefined, { retried: false, fenced: true });
      throw error;
    } finally {
      this.#leave();
    }
  }

  async #race(
    op: Operation,
    request: CommitRequest<M>,
    former: Head<M> | undefined,
  ): Promise<Committed<M>> {
    let { head, isHint, isRemembered } = await this.#base(op, request, former);
    for (let lost = 0; ;) {
      const underLock = lost > 0 && this.#mayRebaseUnderLock(op, request);
      const published = underLock
        ? await this.#publisher.onTopOfWhatever(op, request, head)
        : await this.#onTop(op, request, head, isRemembered);
      if (published.outcome === 'landed') {
        if (published.head.etag !== undefined) this.#learned = published.head;
        return this.#landed(op, published, lost);
      }
      // A hint that was out of date, or a pointer that has to be settled, is not a race lost.
      if (!isHint && published.outcome !== 'dangling') {
        lost++;
        if (lost > this.#options.retry.attempts)
          throw await this.#defeat(op, request, published, head);
        this.#tellConflict(op, head.manifest?.snapshotId, {
          retried: true,
          fenced: published.outcome === 'fenced' || published.outcome === 'superseded',
        });
        // Stepping aside lets the winner commit what else it has at the price of one attempt each.
        if (!underLock)
          await op.env.sleep(retryDelayMs(this.#options.retry, lost, op.env), op.signal);
      }
      isHint = false;
      if (
        lost === 0 ||
        published.outcome === 'dangling' ||
        !this.#mayRebaseUnderLock(op, request)
      ) {
        head = await this.#settle(op, await this.#heads.find(op, head));
        isRemembered = false;
      }
    }
  }

  #landed(
    op: Operation,
    { manifest, missingCopies }: Publication<M> & { readonly outcome: 'landed' },
    lost: number,
  ): Committed<M> {
    commits.tell(op.logger, () => ({
      ...this.#format.subject,
      snapshot: manifest.snapshotId,
      parent: manifest.parentSnapshotId,
      retries: lost,
      missingCopies,
      ...this.#format.progress?.(manifest),
    }));
    return { manifest, retries: lost, missingCopies };
  }

  #tellConflict(
    { logger }: Operation,
    expectedHead: string | undefined,
    { retried, fenced }: { readonly retried: boolean; readonly fenced: boolean },
  ): void {
    conflicts.tell(logger, () => ({ ...this.#format.subject, expectedHead, retried, fenced }));
  }

  /** What the first attempt builds on. */
  async #base(
    op: Operation,
    request: CommitRequest<M>,
    former: Head<M> | undefined,
  ): Promise<{ head: Head<M>; isHint: boolean; isRemembered: boolean }> {
    const hint = this.#hint;
    this.#hint = undefined;
    if (former !== undefined && former.etag !== undefined) {
      const isOpen = former.dangling || former.held;
      const head = isOpen ? await this.#settle(op, former) : former;
      return { head, isHint: false, isRemembered: true };
    }
    const isHint = hint !== undefined && former === undefined;
    const own = { ...op, uploading: request.snapshotId };
    const found = isHint ? await this.#heads.at(own, hint) : await this.#heads.find(own);
    // That there was no pointer says little: one may have come, and have been lost, since.
    const [before, now] = [former?.manifest?.snapshotId, found.manifest?.snapshotId];
    if (former !== undefined && before !== now && !this.#mayFollowAny(request))
      throw conflict(this.#format, request, before, now);
    return { head: await this.#settle(op, found), isHint, isRemembered: isHint };
  }

  /** Whether a head that this writer has not seen yet may be built on: a retry would, and `expectedParent` names it. */
  #mayFollowAny({ expectedParent }: CommitRequest<M>): boolean {
    return this.#options.retry.attempts > 0 || expectedParent !== undefined;
  }

  #onTop(
    op: Operation,
    request: CommitRequest<M>,
    head: Head<M>,
    isRemembered: boolean,
  ): Promise<Publication<M>> {
    const { expectedParent } = request;
    const actual = head.manifest?.snapshotId;
    if (expectedParent !== undefined && (actual ?? null) !== expectedParent) {
      // Our memory of the head may be what is out of date.
      if (isRemembered) return Promise.resolve({ outcome: 'dangling' });
      return Promise.reject(conflict(this.#format, request, expectedParent ?? undefined, actual));
    }
    return this.#publisher.onTop(op, request, head, this.#mode(op, head));
  }

  /** Where the store can compare, it costs nothing; and a put that arrives late must not undo what came after it. */
  #mode({ store }: Operation, head: Head<M>): PutMode {
    const { conditionalWrites } = store.capabilities;
    return this.#options.singleWriter && conditionalWrites === 'none' ? 'overwrite' : modeFor(head);
  }

  #mayRebaseUnderLock(op: Operation, request: CommitRequest<M>): boolean {
    return (
      op.store.capabilities.guardedPut &&
      request.expectedParent === undefined &&
      !this.#options.singleWriter
    );
  }

  /** Makes sure that nothing late can land under a head that names no manifest, by occupying its place. */
  async #settle(op: Operation, found: Head<M>): Promise<Head<M>> {
    if (lacksPointer(op, found)) {
      // A first commit that was cut off, found by scan: completed and named before anything goes on top of it. What was seen
      // long ago may be out of date.
      const now = await this.#heads.find(op, found);
      if (!lacksPointer(op, now)) return now;
      await completeHead(op, this.#format, this.#publisher, now);
      return this.#heads.find(op, now);
    }
    const { settleMs } = this.#options;
    const head = await awaitRelease(op, this.#format, this.#heads, found, settleMs);
    if (!head.dangling || head.pointed === undefined || head.etag === undefined) return head;
    if (await this.#publisher.putFence(op, head.pointed, head.manifest))
      return { ...head, dangling: false };
    const { pointed: snapshot, etag, readAt, held } = head;
    const settled = await this.#heads.at(op, { snapshot, etag, readAt, held });
    if (!settled.dangling || settled.pointed !== snapshot) return settled;
    // On top of a head guessed wrongly, the commit would cut off what was acknowledged.
    throw new LodeError('LODE_UNAVAILABLE', 'the store has a manifest that it does not give', {
      ...this.#format.subject,
      snapshot,
      key: this.#format.manifestKey(snapshot),
    });
  }

  async #defeat(
    op: Operation,
    request: CommitRequest<M>,
    published: Publication<M>,
    head: Head<M>,
  ): Promise<LodeError> {
    if (published.outcome === 'fenced') return fenced(this.#format);
    if (published.outcome === 'superseded') return superseded(this.#format, published.snapshot);
    const now = await readPointer(this.#format, op).catch(() => undefined);
    return conflict(this.#format, request, head.manifest?.snapshotId, now?.snapshot);
  }
}

/** Waits for `work`, at most until the signal aborts. */
async function untilAborted(
  work: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const done = work.then(
    () => {},
    () => {},
  );
  if (signal === undefined) return done;
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([done, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
