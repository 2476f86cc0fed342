/**
 * Garbage collection: data files that no manifest names, reachable or not. Writes that failed or died leave them.
 *
 * - Works from manifests and from the store's clock, never from folders or ids: a data file is garbage when no manifest
 *   names it and it is older than the age guard. What is not a data file by its key is never touched.
 * - Deletes nothing unless every manifest could be read and every ancestor is there, and nothing while a pointer dangles.
 * - Where the store has locks, each batch is checked again and deleted under the pointer's lock, which commits take too.
 *   Elsewhere it is the age that keeps collector and writers apart: a commit has a day to publish what it uploaded.
 */
import { isLodeError, LodeError } from '../errors.ts';
import type { Subject } from '../errors.ts';
import { forEachOf } from '../parallel.ts';
import { collectionAgeDefaultMs, collectionAgeMinMs } from './collection-age.ts';
import type { SnapshotFacts } from './format.ts';
import type { History } from './history.ts';
import type { MeteredOptions, Operation } from './operation.ts';

/** What a paradigm tells a collector about its objects. */
export interface GarbageFormat<M extends SnapshotFacts> {
  readonly subject: Subject;
  readonly history: History<M>;
  /** Holds everything, manifests too: those outside of it would be overlooked, and what they name deleted. */
  readonly root: string;
  /** What an object is by its key; `undefined` for what belongs to somebody else, which is never touched. */
  parse(key: string): ParsedKey | undefined;
  read(op: Operation, key: string, snapshot: string): Promise<M | undefined>;
  /** Takes what a manifest names out of what nothing names. */
  spare(manifest: M, unnamed: Map<string, Orphan>): void;
  /** Whether a writer may take over an object that nothing names, and make it young again. */
  readonly mayBeAdopted: boolean;
}

type ParsedKey =
  | { readonly kind: 'manifest'; readonly snapshot: string; readonly isCopy: boolean }
  | { readonly kind: 'data' };

export interface GcOptions extends MeteredOptions {
  /** Only report what would be deleted. Default true. */
  readonly dryRun?: boolean;
  /** Age from which a file that nothing names is garbage, in milliseconds. Default 7 days, at least one. */
  readonly olderThanMs?: number;
  readonly onProgress?: (progress: GcProgress) => void;
}

export interface GcProgress {
  readonly objects: number;
  readonly manifests: number;
  readonly deleted: number;
}

/** A data file that no manifest names. */
export interface Orphan {
  readonly key: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

export interface GcReport extends GcProgress {
  readonly dryRun: boolean;
  readonly olderThanMs: number;
  /** What is garbage: in a dry run the plan, else what was found when deletion began. In key order. */
  readonly orphans: readonly Orphan[];
  /** Files that nothing names yet, and that are too young to be taken for garbage. */
  readonly tooYoung: number;
  readonly deletedBytes: number;
  /** What could not be deleted, and why. Run again. */
  readonly failed: readonly { readonly key: string; readonly error: Error }[];
}

/** Deletions in one request; under a lock fewer, so that writers do not wait long. */
const batchMax = 1000;
const lockedBatchMax = 100;

export async function collectGarbage<M extends SnapshotFacts>(
  op: Operation,
  format: GarbageFormat<M>,
  options: GcOptions,
): Promise<GcReport> {
  const { dryRun = true, olderThanMs = collectionAgeDefaultMs } = options;
  if (!(olderThanMs >= collectionAgeMinMs)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'garbage has to be older than that', {
      field: 'olderThanMs',
      expected: `at least ${collectionAgeMinMs}`,
      actual: String(olderThanMs),
      next: 'Data of a commit under way looks like garbage for as long as the commit takes.',
    });
  }
  // Before the listing: what is too young now stays so, however long the listing takes.
  const nowMs = dryRun ? Number(op.env.now() / 1_000_000n) : await storeNowMs(op);
  const collector = new Collector(op, format, options.onProgress);
  await collector.find();
  const { old, young } = collector.byAge(nowMs - olderThanMs);
  if (!dryRun) await collector.remove(old, nowMs - olderThanMs);
  return {
    ...collector.report(),
    dryRun,
    olderThanMs,
    orphans: old,
    tooYoung: young,
  };
}

class Collector<M extends SnapshotFacts> {
  readonly #op: Operation;
  readonly #format: GarbageFormat<M>;
  readonly #onProgress: ((progress: GcProgress) => void) | undefined;
  /** Data files that no manifest read so far names. */
  readonly #unnamed: Map<string, Orphan> = new Map();
  /** Snapshots whose manifest was read. */
  readonly #known = new Set<string>();
  /** Parents of those, not met themselves yet. */
  readonly #awaited = new Set<string>();
  readonly #failed: { key: string; error: Error }[] = [];
  #objects = 0;
  #deleted = 0;
  #deletedBytes = 0;

  constructor(
    op: Operation,
    format: GarbageFormat<M>,
    onProgress: ((progress: GcProgress) => void) | undefined,
  ) {
    this.#op = op;
    this.#format = format;
    this.#onProgress = onProgress;
  }

  report(): Pick<GcReport, 'objects' | 'manifests' | 'deleted' | 'deletedBytes' | 'failed'> {
    return { ...this.#progress(), deletedBytes: this.#deletedBytes, failed: this.#failed };
  }

  byAge(cutoffMs: number): { readonly old: Orphan[]; readonly young: number } {
    const unnamed = [...this.#unnamed.values()];
    const old = unnamed.filter(({ lastModifiedMs }) => lastModifiedMs < cutoffMs);
    return { old, young: unnamed.length - old.length };
  }

  /** Data first, then manifests: a file that is named by the time its manifest is read is not in the way. */
  async find(): Promise<void> {
    await this.#readManifests(await this.#list((orphan) => this.#unnamed.set(orphan.key, orphan)));
    await this.#catchUp();
  }

  /** @param cutoffMs  What has become younger than this since it was listed stays. */
  async remove(orphans: readonly Orphan[], cutoffMs: number): Promise<void> {
    if (orphans.length === 0) return;
    const { store } = this.#op;
    // Once more before the first deletion: manifests that came while the others were read, wherever they are.
    await this.#readManifests(await this.#list());
    const width = store.capabilities.guardedPut ? lockedBatchMax : batchMax;
    for (let at = 0; at < orphans.length; at += width) {
      this.#op.signal?.throwIfAborted();
      const batch = orphans.slice(at, at + width);
      await this.#format.history.exclusively(this.#op, async () => {
        await this.#catchUp();
        const unnamed = batch.filter(({ key }) => this.#unnamed.has(key));
        await this.#delete(await this.#stillOld(unnamed, cutoffMs));
      });
    }
  }

  /** Keys of manifests; data files go to `onData`. What is neither belongs to somebody else. */
  async #list(onData?: (orphan: Orphan) => void): Promise<{ id: string; key: string }[]> {
    const format = this.#format;
    const canonical: { id: string; key: string }[] = [];
    const copies = new Map<string, string>();
    for await (const object of this.#op.store.list(format.root, { signal: this.#op.signal })) {
      const { key, size: sizeBytes, lastModifiedMs } = object;
      const parsed = format.parse(key);
      if (onData !== undefined && ++this.#objects % 1000 === 0) this.#tell();
      if (parsed?.kind === 'data') onData?.({ key, sizeBytes, lastModifiedMs });
      if (parsed?.kind !== 'manifest') continue;
      if (!parsed.isCopy) canonical.push({ id: parsed.snapshot, key });
      else if (!copies.has(parsed.snapshot)) copies.set(parsed.snapshot, key);
    }
    // All copies are alike; they count where data from before canonical manifests has nothing else.
    for (const { id } of canonical) copies.delete(id);
    return [...canonical, ...[...copies].map(([id, key]) => ({ id, key }))];
  }

  /** A manifest that cannot be read may name anything: it ends the collection. */
  async #readManifests(manifests: readonly { id: string; key: string }[]): Promise<void> {
    const { concurrency } = this.#op.store.capabilities;
    // Newest first: where manifests are cumulative, the first one spares almost everything.
    const unread = manifests.filter(({ id }) => !this.#known.has(id)).reverse();
    await forEachOf(unread, concurrency, async ({ id, key }) => {
      const manifest = await this.#format.read(this.#op, key, id);
      if (manifest === undefined)
        throw new LodeError('LODE_NOT_FOUND', 'a manifest was listed and is not there', { key });
      this.#spare(manifest);
    });
  }

  /**
   * Snapshots committed since the manifests were listed, and those whose place the listing had passed when they came: the
   * head, and every ancestor of any snapshot that is known.
   */
  async #catchUp(): Promise<void> {
    const { history } = this.#format;
    const { manifest: head, dangling } = await history.head(this.#op);
    if (dangling !== undefined) throw this.#underWay(dangling);
    if (head !== undefined && !this.#known.has(head.snapshotId)) this.#spare(head);
    // Their own parents come in behind them.
    for (const id of this.#awaited) {
      const manifest = await history.fetch(this.#op, id);
      if (manifest === undefined) throw this.#ancestorMissing(id);
      this.#spare(manifest);
    }
  }

  #spare(manifest: M): void {
    const { snapshotId, parentSnapshotId } = manifest;
    this.#known.add(snapshotId);
    this.#awaited.delete(snapshotId);
    if (parentSnapshotId !== undefined && !this.#known.has(parentSnapshotId))
      this.#awaited.add(parentSnapshotId);
    this.#format.spare(manifest, this.#unnamed);
    if (this.#known.size % 100 === 0) this.#tell();
  }

  /** Without those that a writer has adopted since. */
  async #stillOld(orphans: readonly Orphan[], cutoffMs: number): Promise<readonly Orphan[]> {
    if (!this.#format.mayBeAdopted) return orphans;
    const { store, signal } = this.#op;
    const old: Orphan[] = [];
    await forEachOf(orphans, store.capabilities.concurrency, async (orphan) => {
      const info = await store.head(orphan.key, { signal });
      if (info !== undefined && info.lastModifiedMs < cutoffMs) old.push(orphan);
    });
    return old;
  }

  async #delete(orphans: readonly Orphan[]): Promise<void> {
    if (orphans.length === 0) return;
    const { store, signal } = this.#op;
    const sizes = new Map(orphans.map(({ key, sizeBytes }) => [key, sizeBytes]));
    for (const result of await store.delete([...sizes.keys()], { signal })) {
      if (result.outcome === 'failed') {
        this.#failed.push({ key: result.key, error: result.error });
        continue;
      }
      this.#deleted++;
      this.#deletedBytes += sizes.get(result.key) ?? 0;
    }
    this.#tell();
  }

  #progress(): GcProgress {
    return { objects: this.#objects, manifests: this.#known.size, deleted: this.#deleted };
  }

  #tell(): void {
    this.#onProgress?.(this.#progress());
  }

  #underWay(snapshot: string): LodeError {
    return new LodeError('LODE_NOT_FOUND', 'the pointer names a snapshot that has no manifest', {
      ...this.#format.subject,
      snapshot,
      next: 'Call repair() once no writer can still be at work on it, then collect.',
    });
  }

  #ancestorMissing(snapshot: string): LodeError {
    return new LodeError('LODE_NOT_FOUND', 'the manifest of an ancestor is not there', {
      ...this.#format.subject,
      snapshot,
      next: 'Restore the manifest from a copy: its data looks like garbage without it.',
    });
  }
}

/** The store's own clock, as the age of its objects is told by it: that of an object made for this, and removed. */
async function storeNowMs({ store, env, signal }: Operation): Promise<number> {
  const key = `lode-clock-${env.id()}`;
  try {
    await store.put(key, 'clock', { signal });
    const info = await store.head(key, { signal });
    if (info !== undefined) return info.lastModifiedMs;
    throw new LodeError('LODE_UNAVAILABLE', 'what was just written is not there', { key });
  } finally {
    // Not on the caller's signal: the key goes even when the caller has.
    await store.delete(key).catch((error: unknown) => {
      if (!isLodeError(error)) throw error;
    });
  }
}
