/**
 * Finding the head: the pointer, then its manifest, then (only if there is no pointer) a scan.
 *
 * A pointer that names no manifest is a commit in flight: Go writers and object stores move the pointer first. An
 * observer polls that one manifest until the store's settle time has passed since it first saw the pointer, by its own
 * monotonic clock. Nothing here writes; only a commit may fence what never lands (E-2, E-7, E-20).
 */
import { compareUtf8 } from '../bytes/index.ts';
import { compareTime } from '../encoding/time.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { log, waits } from '../events.ts';
import { CircleGuard } from './circle.ts';
import type { ETag } from '../store/store.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { Operation } from './operation.ts';
import { readPointer } from './pointer.ts';
import type { Pointer } from './pointer.ts';

export interface Head<M> {
  /** What a commit compares; `undefined` when there is no pointer object. */
  readonly etag: ETag | undefined;
  /** An id drawn right after the pointer was read. */
  readonly readAt: string;
  /** What the pointer names. */
  readonly pointed: string | undefined;
  /** The latest snapshot, fences left out; `undefined` when there is none. */
  readonly manifest: M | undefined;
  /** The pointer names no manifest and the wait is over: a commit has to fence it first. */
  readonly dangling: boolean;
  /** Another writer is about to publish: a commit has to wait for it first (`hold.ts`). */
  readonly held: boolean;
}

/** How many of the largest ids a scan looks at to tell the head from a snapshot that was committed late. */
const scanCandidates = 8;
const pollDelayMaxMs = 100;

/** A history that was cut off, or lost its pointer, on a store that writes manifests before the pointer. */
export function lacksPointer<M>({ store }: Operation, { pointed, manifest }: Head<M>): boolean {
  return store.capabilities.guardedPut && pointed === undefined && manifest !== undefined;
}

export class HeadFinder<M extends SnapshotFacts> {
  readonly #format: HistoryFormat<M>;
  readonly #settleMs: number | undefined;
  /** When each pointer without a manifest was first seen, on the monotonic clock. */
  readonly #firstSeenMs = new Map<string, number>();

  constructor(format: HistoryFormat<M>, settleMs: number | undefined) {
    this.#format = format;
    this.#settleMs = settleMs;
  }

  /** @param known  A manifest in memory: not fetched again when the pointer names it. */
  async find(op: Operation, known?: Head<M>): Promise<Head<M>> {
    return this.at(op, await readPointer(this.#format, op), known);
  }

  async at(op: Operation, pointer: Pointer, known?: Head<M>): Promise<Head<M>> {
    const { snapshot: pointed, etag, readAt, held } = pointer;
    if (pointed === undefined) {
      // A first commit is about to be published: until then its manifest is none to show.
      const newest = held ? undefined : await this.#newestByScan(op);
      return { etag, readAt, pointed, manifest: newest, dangling: false, held };
    }
    if (known !== undefined && known.pointed === pointed && !known.dangling)
      return { ...known, etag, readAt, held };
    const named = (await this.#landed(op, pointed)) ?? (await this.#locate(op, pointed));
    if (named !== undefined) {
      this.#firstSeenMs.delete(pointed);
      const manifest = await this.#skipFences(op, named);
      return { etag, readAt, pointed, manifest, dangling: false, held };
    }
    const now = await readPointer(this.#format, op);
    if (now.snapshot !== pointed) return this.at(op, now, known);
    const manifest = await this.#newestByScan(op);
    const { etag: etagNow, readAt: readAtNow, held: heldNow } = now;
    return { etag: etagNow, readAt: readAtNow, held: heldNow, pointed, manifest, dangling: true };
  }

  /** The manifest of a snapshot, or `undefined`. One request. */
  async manifest(op: Operation, snapshot: string): Promise<M | undefined> {
    return this.#read(op, this.#format.manifestKey(snapshot), snapshot);
  }

  /** The same, also looking where data from before canonical manifests keeps it. */
  async snapshot(op: Operation, snapshot: string): Promise<M | undefined> {
    return (await this.manifest(op, snapshot)) ?? (await this.#locate(op, snapshot));
  }

  async #read(op: Operation, key: string, snapshot: string): Promise<M | undefined> {
    const object = await op.store.get(key, { signal: op.signal });
    if (object === undefined) return undefined;
    const manifest = this.#format.decode(await object.bytes(), key, snapshot);
    return this.#format.complete === undefined ? manifest : this.#format.complete(op, manifest);
  }

  async #locate(op: Operation, snapshot: string): Promise<M | undefined> {
    const key = await this.#format.locate?.(op.store, snapshot, { signal: op.signal });
    return key === undefined ? undefined : this.#read(op, key, snapshot);
  }

  /** Polls until the manifest is there and whole, or the wait is over; then a broken one is an error. */
  async #landed(op: Operation, snapshot: string): Promise<M | undefined> {
    const began = { atMs: op.env.monotonic(), waited: false };
    try {
      return await this.#poll(op, snapshot, () => (began.waited = true));
    } finally {
      const key = this.#format.manifestKey(snapshot);
      const ms = (): number => op.env.monotonic() - began.atMs;
      if (began.waited) waits.tell(op.logger, () => ({ reason: 'commit', key, ms: ms() }));
    }
  }

  async #poll(op: Operation, snapshot: string, onWait: () => void): Promise<M | undefined> {
    let delayMs = 2;
    for (;;) {
      let broken: unknown;
      const manifest = await this.manifest(op, snapshot).catch((error: unknown) => {
        if (!isLodeError(error, 'LODE_MANIFEST_INVALID', 'LODE_TRUNCATED')) throw error;
        // Go writes manifests in place: a reader may see the first half of one.
        broken = error;
        return undefined;
      });
      if (manifest !== undefined) return manifest;
      await this.#refuseForeignLayout(op, snapshot);
      if (this.#waitedMs(op, snapshot) >= (this.#settleMs ?? op.store.capabilities.settleMs)) {
        if (broken !== undefined) throw broken as Error;
        return undefined;
      }
      onWait();
      await op.env.sleep(delayMs, op.signal);
      delayMs = Math.min(delayMs * 2, pollDelayMaxMs);
    }
  }

  #waitedMs(op: Operation, snapshot: string): number {
    const now = op.env.monotonic();
    const since = this.#firstSeenMs.get(snapshot);
    if (since === undefined) this.#firstSeenMs.set(snapshot, now);
    return now - (since ?? now);
  }

  /** Once per pointer: another layout with the same pointer may own this snapshot. */
  async #refuseForeignLayout(op: Operation, snapshot: string): Promise<void> {
    if (this.#firstSeenMs.has(snapshot)) return;
    for (const key of this.#format.foreignManifestKeys(snapshot)) {
      if ((await op.store.head(key, { signal: op.signal })) === undefined) continue;
      const what = 'the head was written with another layout';
      const expected = this.#format.manifestKey(snapshot);
      const details = { ...this.#format.subject, snapshot, key, expected };
      log(op.logger, 'warn', what, details);
      throw new LodeError('LODE_LAYOUT_MISMATCH', what, details);
    }
  }

  async #skipFences(op: Operation, manifest: M): Promise<M | undefined> {
    const guard = new CircleGuard();
    let at: M | undefined = manifest;
    while (at !== undefined && this.#format.isFence(at)) {
      guard.pass(at.snapshotId);
      const parent: string | undefined = at.parentSnapshotId;
      at = parent === undefined ? undefined : await this.snapshot(op, parent);
    }
    return at;
  }

  /** Without a pointer, the head is a guess: of the largest ids the one that is nobody's parent and was made last. */
  async #newestByScan(op: Operation): Promise<M | undefined> {
    const ids = new Set<string>();
    for await (const id of this.#format.scan(op.store, { signal: op.signal })) ids.add(id);
    const newestFirst = [...ids].sort((a, b) => compareUtf8(b, a));
    const candidates: M[] = [];
    for (const id of newestFirst) {
      if (id === op.uploading) continue;
      const manifest = await this.snapshot(op, id);
      if (manifest === undefined || this.#format.isFence(manifest)) continue;
      candidates.push(manifest);
      if (candidates.length === scanCandidates) break;
    }
    const parents = new Set(candidates.map((manifest) => manifest.parentSnapshotId));
    return candidates
      .filter((manifest) => !parents.has(manifest.snapshotId))
      .sort((a, b) => compareTime(b.createdAt, a.createdAt))[0];
  }
}
