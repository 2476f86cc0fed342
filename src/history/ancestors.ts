/**
 * Walking a history, newest first, in bounded memory: eight bytes for each id that has the usual shape.
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
import { numericId } from './ids.ts';
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
  const guard = new CircleGuard();
  /** Read ahead and not met yet: a parent with a larger id than its child (a slow writer elsewhere) comes up later. */
  const passed = new IdList();
  const metLate = new Set<string>();
  let wanted = head.manifest?.snapshotId;

  async function* followPast(id: string | undefined): AsyncGenerator<Walked<M>> {
    while (wanted !== undefined && (id === undefined || compareUtf8(wanted, id) > 0)) {
      guard.pass(wanted);
      if (!passed.isEmpty()) metLate.add(wanted);
      const late: M | undefined = await heads.snapshot(op, wanted);
      if (late !== undefined && !format.isFence(late)) yield { manifest: late, reachable: true };
      wanted = late?.parentSnapshotId;
    }
  }

  for await (const { id, read } of readAhead(op, heads, await listIds(op, format))) {
    yield* followPast(id);
    if (id !== wanted) {
      passed.add(id);
      continue;
    }
    const manifest = read();
    if (manifest === undefined) continue;
    guard.pass(id);
    wanted = manifest.parentSnapshotId;
    if (!format.isFence(manifest)) yield { manifest, reachable: true };
  }
  // What is left was passed, or is from before canonical manifests, where the layout knows to look for it.
  yield* followPast(undefined);

  if (!unreachable) return;
  for await (const { id, read } of readAhead(op, heads, passed.newestFirst())) {
    const manifest = metLate.has(id) ? undefined : read();
    if (manifest !== undefined && !format.isFence(manifest)) yield { manifest, reachable: false };
  }
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

/**
 * The chain from `from` down to (not including) `until`, by parent links alone. A parent that is not there is an error:
 * whoever asks for a chain asks for all of it.
 */
export async function* chain<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  from: M | undefined,
  until: string | undefined,
): AsyncGenerator<M> {
  const guard = new CircleGuard();
  for (let at = from; at !== undefined && at.snapshotId !== until;) {
    guard.pass(at.snapshotId);
    if (!format.isFence(at)) yield at;
    const parent: string | undefined = at.parentSnapshotId;
    if (parent === undefined || parent === until) return;
    at = await heads.snapshot(op, parent);
    if (at === undefined) throw lost(format, parent);
  }
}

function lost<M extends SnapshotFacts>(format: HistoryFormat<M>, snapshot: string): LodeError {
  return new LodeError('LODE_NOT_FOUND', 'the manifest of an ancestor is not there', {
    dataset: format.name,
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

/** Ids as 64-bit numbers where they are ours, as text where they are not. */
class IdList {
  #numbers = new BigUint64Array(1024);
  #count = 0;
  readonly #others = new Set<string>();

  isEmpty(): boolean {
    return this.#count === 0 && this.#others.size === 0;
  }

  add(id: string): void {
    const number = numericId(id);
    if (number === undefined) {
      this.#others.add(id);
      return;
    }
    if (this.#count === this.#numbers.length) {
      const larger = new BigUint64Array(this.#count * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count++] = number;
  }

  /** In descending byte order, each once: ids of 19 digits compare as numbers do. */
  *newestFirst(): Generator<string> {
    const numbers = this.#numbers.subarray(0, this.#count).sort();
    const others = [...this.#others].sort(compareUtf8);
    let last: string | undefined;
    for (let n = numbers.length - 1; n >= 0 || others.length > 0;) {
      const number = n >= 0 ? String(numbers[n]) : undefined;
      const other = others.at(-1);
      const takeOther =
        other !== undefined && (number === undefined || compareUtf8(other, number) > 0);
      const id = takeOther ? others.pop() : number;
      if (!takeOther) n--;
      if (id !== undefined && id !== last) yield id;
      last = id;
    }
  }
}
