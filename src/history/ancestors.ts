/**
 * Walking a history, newest first, in bounded memory: ids, and the manifests under way.
 *
 * Following parent links alone would fetch one manifest at a time. Ids grow along a history, so a listing of ids in
 * descending order tells what to fetch ahead; the links then decide what belongs to the history.
 */
import { compareUtf8 } from '../bytes/index.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { mapInOrder } from '../parallel.ts';
import { CircleGuard } from './circle.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { HeadFinder } from './head.ts';
import { IdList, IdSequence } from './id-list.ts';
import type { Operation } from './operation.ts';

export interface Walked<M> {
  readonly manifest: M;
  /** False for a snapshot that the head does not descend from: never acknowledged, or cut off by another writer. */
  readonly reachable: boolean;
}

/**
 * The history, newest first; then, with `unreachable`, every other snapshot that has a manifest, newest id first. Fences
 * are left out. A manifest that cannot be read ends the walk only where it is asked for.
 */
export async function* walk<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  { unreachable }: { readonly unreachable: boolean },
): AsyncGenerator<Walked<M>> {
  const head = await heads.find(op);
  const passed = new IdList();
  const metLate = new Set<string>();
  const ids = await listIds(op, format);
  for await (const manifest of descend(op, heads, {
    from: head.manifest?.snapshotId,
    ids,
    pass: (id) => passed.add(id),
    meet: (id) => passed.isEmpty() || metLate.add(id),
  })) {
    if (!format.isFence(manifest)) yield { manifest, reachable: true };
  }

  if (!unreachable) return;
  for await (const { id, read } of readAhead(op, heads, passed.newestFirst())) {
    const manifest = metLate.has(id) ? undefined : read();
    if (manifest !== undefined && !format.isFence(manifest)) yield { manifest, reachable: false };
  }
}

interface Descent {
  readonly from: string | undefined;
  /** In descending order: what to fetch ahead. */
  readonly ids: Iterable<string>;
  /** Told each id that was read ahead and not wanted yet. */
  readonly pass?: (id: string) => void;
  /** Told each id that came up later than its place in the listing, or is not listed. */
  readonly meet?: (id: string) => void;
  /** Told the parent that is not there: the descent ends with it. */
  readonly lost?: (id: string) => never;
}

/** From a snapshot to its ancestors, fences included, in the order of their links. */
async function* descend<M extends SnapshotFacts>(
  op: Operation,
  heads: HeadFinder<M>,
  { from, ids, pass, meet, lost }: Descent,
): AsyncGenerator<M> {
  const guard = new CircleGuard();
  let wanted = from;

  /** A parent with a larger id than its child (a slow writer elsewhere) is not met again in the listing. */
  async function* followPast(id: string | undefined): AsyncGenerator<M> {
    while (wanted !== undefined && (id === undefined || compareUtf8(wanted, id) > 0)) {
      guard.pass(wanted);
      meet?.(wanted);
      const late: M | undefined = await heads.snapshot(op, wanted);
      if (late === undefined) lost?.(wanted);
      else yield late;
      wanted = late?.parentSnapshotId;
    }
  }

  for await (const { id, read } of readAhead(op, heads, ids)) {
    yield* followPast(id);
    if (id !== wanted) {
      pass?.(id);
      continue;
    }
    const manifest = read();
    if (manifest === undefined) continue;
    guard.pass(id);
    wanted = manifest.parentSnapshotId;
    yield manifest;
  }
  // What is left was passed, or is from before canonical manifests, where the layout knows to look for it.
  yield* followPast(undefined);
}

/** Manifests in bounded parallel; `read()` gives one, or throws what kept it from being read. */
function readAhead<M extends SnapshotFacts>(
  op: Operation,
  heads: HeadFinder<M>,
  ids: Iterable<string>,
): AsyncIterable<{ readonly id: string; readonly read: () => M | undefined }> {
  return mapInOrder(ids, op.store.capabilities.concurrency, async (id) => {
    try {
      const manifest = await heads.snapshot(op, id);
      return { id, read: () => manifest };
    } catch (error) {
      if (!isLodeError(error, 'LODE_MANIFEST_INVALID', 'LODE_TRUNCATED')) throw error;
      return {
        id,
        read: () => {
          throw error;
        },
      };
    }
  });
}

/** So many parents are followed one by one: less than a listing costs where the gap is short. */
const stepsMax = 32;

/**
 * The chain from `from` down to (not including) `until`, fences left out. A parent that is not there is an error: whoever
 * asks for a chain asks for all of it.
 */
export async function* chain<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  from: M | undefined,
  until: string | undefined,
): AsyncGenerator<M> {
  for await (const manifest of links(op, format, heads, from, until))
    if (!format.isFence(manifest)) yield manifest;
}

/** Ids of the same chain, and its newest manifests, which need not be fetched again; `undefined` when `until` is not met. */
export async function span<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  from: M | undefined,
  until: string | undefined,
): Promise<Span<M> | undefined> {
  const ids = new IdSequence();
  const newest = new Map<string, M>();
  let end = from?.snapshotId;
  for await (const manifest of links(op, format, heads, from, until)) {
    end = manifest.parentSnapshotId;
    if (format.isFence(manifest)) continue;
    ids.push(manifest.snapshotId);
    if (newest.size < newestMax) newest.set(manifest.snapshotId, manifest);
  }
  return until === undefined || end === until ? { ids, newest } : undefined;
}

export interface Span<M> {
  /** Newest first. */
  readonly ids: IdSequence;
  readonly newest: ReadonlyMap<string, M>;
}

const newestMax = 4;

/** One by one at first, then with the help of a listing, in bounded parallel. */
async function* links<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  from: M | undefined,
  until: string | undefined,
): AsyncGenerator<M> {
  const guard = new CircleGuard();
  let at = from;
  for (let step = 0; at !== undefined && at.snapshotId !== until; step++) {
    guard.pass(at.snapshotId);
    yield at;
    const parent: string | undefined = at.parentSnapshotId;
    if (parent === undefined || parent === until) return;
    if (step === stepsMax) {
      yield* farLinks(op, format, heads, parent, until);
      return;
    }
    at = await heads.snapshot(op, parent);
    if (at === undefined) throw lost(format, parent);
  }
}

async function* farLinks<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  from: string,
  until: string | undefined,
): AsyncGenerator<M> {
  const ids = between(await listIds(op, format), from, until);
  const missing = (id: string): never => {
    throw lost(format, id);
  };
  for await (const manifest of descend(op, heads, { from, ids, lost: missing })) {
    yield manifest;
    if (manifest.parentSnapshotId === until) return;
  }
}

/** Ids grow along a history: those outside are not worth fetching ahead. */
function* between(
  newestFirst: Iterable<string>,
  from: string,
  until: string | undefined,
): Generator<string> {
  for (const id of newestFirst) {
    if (compareUtf8(id, from) > 0) continue;
    if (until !== undefined && compareUtf8(id, until) <= 0) return;
    yield id;
  }
}

function lost<M extends SnapshotFacts>(format: HistoryFormat<M>, snapshot: string): LodeError {
  return new LodeError('LODE_NOT_FOUND', 'the manifest of an ancestor is not there', {
    ...format.subject,
    snapshot,
    key: format.manifestKey(snapshot),
    next: 'Restore the manifest from a copy, or go on from a later snapshot.',
  });
}

/** Ids of all snapshots that may exist, newest first. */
export async function listIds<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
): Promise<Iterable<string>> {
  const ids = new IdList();
  for await (const id of format.scan(op.store, { signal: op.signal })) ids.add(id);
  return ids.newestFirst();
}
