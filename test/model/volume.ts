/**
 * A volume next to a model of it: for each snapshot a plain array of bytes with holes, and for the storage which content is
 * under which key. Two handles share the store: one reports conflicts, one goes on top of what came meanwhile.
 */
import assert from 'node:assert/strict';
import type { LodeErrorCode } from '../../src/errors.ts';
import type { Store } from '../../src/store/index.ts';
import { virtualEnv } from '../../src/testing/index.ts';
import { openVolume } from '../../src/volume/index.ts';
import type {
  CommittedVolumeSnapshot,
  StagedRange,
  Volume,
  VolumeBlock,
} from '../../src/volume/index.ts';
import { collectAll, failsWith, storeOf } from './dataset.ts';
import type { StoreKind } from './dataset.ts';

export const length = 3_000;
/** Small, so that there are many: compact manifests move what is more than 64 blocks into runs. */
export const blockBytes = 4;
/** In which form a handle writes manifests; `undefined`: as they are. */
export const forms = [undefined, 'compact', 'compatible'] as const;
export const pointerKey = 'volumes/vol/latest';
export const keyOf = (offset: number, size: number): string =>
  `volumes/vol/data/${offset}-${size}.bin`;

/** Handle 1 retries lost races, handle 0 reports them. */
const retries = [0, 5];

interface ModelSnapshot {
  readonly id: string;
  readonly blocks: readonly Block[];
  /** One element a byte; -1 is a hole. */
  readonly bytes: Int16Array;
}

type Block = Pick<VolumeBlock, 'offset' | 'length'>;

export interface Staged {
  readonly range: StagedRange;
  readonly bytes: Uint8Array;
}

/** What a handle has last seen: which version of the pointer, or none, and the head. */
interface Belief {
  readonly version: number | undefined;
  readonly snapshots: number;
  /** Seen when it was opened: built on once, and no race is lost when it is out of date. */
  readonly isHint: boolean;
}

export interface VolumeModel {
  /** Oldest first. */
  readonly chain: ModelSnapshot[];
  readonly staged: Staged[];
  /** Every block object there is, with its content. */
  readonly objects: Map<string, Uint8Array>;
  /** How often the pointer was written. */
  version: number | undefined;
  readonly beliefs: (Belief | undefined)[];
}

export interface VolumeReal {
  readonly store: Store;
  readonly handles: Volume[];
  open(handle: number, manifests?: (typeof forms)[number]): Promise<Volume>;
}

export async function setupVolume(
  kind: StoreKind,
): Promise<{ model: VolumeModel; real: VolumeReal }> {
  const env = virtualEnv();
  const store = await storeOf(kind, env);
  const open: VolumeReal['open'] = (handle, manifests) =>
    openVolume('vol', {
      store,
      env,
      length,
      blockBytes,
      // The disk in memory locks within this process only.
      writers: kind === 'fs' ? 'process' : 'any',
      settleMs: 200,
      retry: { attempts: retries[handle] ?? 0 },
      ...(manifests && { manifests }),
    });
  const model: VolumeModel = {
    chain: [],
    staged: [],
    objects: new Map(),
    version: undefined,
    beliefs: [undefined, undefined],
  };
  return { model, real: { store, handles: [await open(0), await open(1)], open } };
}

/** Content of the given kind: the same place holds other bytes in each. */
export function content(offset: number, size: number, kind: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (offset + i) * 7 + kind * 101);
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Where the pieces of a source go: around what is there with other bytes. `undefined`: a byte is taken. */
export function places(
  { objects }: VolumeModel,
  offset: number,
  bytes: Uint8Array,
): { readonly blocks: Block[]; readonly adopted: number } | undefined {
  const blocks: Block[] = [];
  let adopted = 0;
  const put = (at: number, piece: Uint8Array): boolean => {
    const there = objects.get(keyOf(at, piece.length));
    if (there === undefined || same(there, piece)) {
      if (there !== undefined) adopted++;
      blocks.push({ offset: at, length: piece.length });
      return true;
    }
    const half = piece.length >>> 1;
    if (half === 0) return false;
    return put(at, piece.subarray(0, half)) && put(at + half, piece.subarray(half));
  };
  for (let at = 0; at < bytes.length; at += blockBytes)
    if (!put(offset + at, bytes.subarray(at, at + blockBytes))) return undefined;
  return { blocks, adopted };
}

/** Checks what staging has answered, and brings the model up to date. */
export async function checkStage(
  model: VolumeModel,
  store: Store,
  offset: number,
  bytes: Uint8Array,
  stage: (told: (adopted: number) => void) => Promise<StagedRange>,
): Promise<void> {
  const expected = places(model, offset, bytes);
  let adopted = 0;
  const work = stage((count) => (adopted = count));
  if (expected === undefined) {
    await failsWith(work, 'LODE_ALREADY_EXISTS');
    await lookAgain(model, store);
    return;
  }
  const range = await work;
  const ranges = range.blocks.map(({ offset: from, length: size }) => ({
    offset: from,
    length: size,
  }));
  assert.deepEqual(ranges, expected.blocks);
  assert.deepEqual([range.offset, range.length], [offset, bytes.length]);
  assert.equal(adopted, expected.adopted);
  for (const { offset: at, length: size } of expected.blocks)
    model.objects.set(keyOf(at, size), bytes.slice(at - offset, at - offset + size));
  model.staged.push({ range, bytes });
}

/** After a staging that failed half way: whatever it has put is there, and nothing that was there has changed. */
export async function lookAgain(model: VolumeModel, store: Store): Promise<void> {
  const found = await collectAll(store.list('volumes/vol/data/'));
  for (const { key } of found) {
    const bytes = (await (await store.get(key))?.bytes()) ?? new Uint8Array(0);
    const before = model.objects.get(key);
    assert.ok(before === undefined || same(before, bytes), `${key} was replaced`);
    model.objects.set(key, bytes);
  }
  assert.equal(found.length, model.objects.size, 'a block is gone');
}

/** Why blocks cannot go on top of a snapshot, if so. */
function refusal(
  on: ModelSnapshot | undefined,
  added: readonly Block[],
): LodeErrorCode | undefined {
  let already = 0;
  let overlaps = false;
  for (const a of added) {
    for (const b of on?.blocks ?? []) {
      if (a.offset >= b.offset + b.length || b.offset >= a.offset + a.length) continue;
      overlaps = true;
      if (a.offset === b.offset && a.length === b.length) already++;
    }
  }
  if (!overlaps) return undefined;
  return already < added.length ? 'LODE_OVERLAPPING_BLOCKS' : 'LODE_ALREADY_EXISTS';
}

function overlapAmong(blocks: readonly Block[]): boolean {
  const sorted = blocks.toSorted((a, b) => a.offset - b.offset);
  return sorted.some((block, i) => {
    const before = sorted[i - 1];
    return before !== undefined && before.offset + before.length > block.offset;
  });
}

/** How a commit through this handle fails, or `undefined` when it lands. */
function fate(
  model: VolumeModel,
  handle: number,
  added: readonly Block[],
  expected: string | null | undefined,
): LodeErrorCode | undefined {
  if (overlapAmong(added)) return 'LODE_OVERLAPPING_BLOCKS';
  const head = model.chain.at(-1);
  const isMeant = expected === undefined || (head?.id ?? null) === expected;
  const belief = model.beliefs[handle];
  if (belief === undefined || !isStale(model, belief))
    return isMeant ? refusal(head, added) : 'LODE_SNAPSHOT_CONFLICT';
  const believed = model.chain[belief.snapshots - 1];
  if (expected === undefined || (believed?.id ?? null) === expected) {
    // Built on what it believes, and refused or beaten there.
    const early = refusal(believed, added);
    if (early !== undefined) return early;
    const isBeaten = (retries[handle] ?? 0) === 0 && !belief.isHint;
    if (!isMeant || isBeaten) return 'LODE_SNAPSHOT_CONFLICT';
  }
  // A belief that cannot be meant is looked at again.
  return isMeant ? refusal(head, added) : 'LODE_SNAPSHOT_CONFLICT';
}

/** That there is no pointer is no version to compare: then it is the head that counts. */
function isStale({ version, chain }: VolumeModel, belief: Belief): boolean {
  if (belief.version === undefined) return belief.snapshots !== chain.length;
  return belief.version !== version;
}

export function learned(model: VolumeModel, handle: number, isHint = false): void {
  model.beliefs[handle] = { version: model.version, snapshots: model.chain.length, isHint };
}

/** Checks what a commit has answered, and brings the model up to date. */
export async function checkCommit(
  model: VolumeModel,
  handle: number,
  volume: Volume,
  staged: readonly Staged[],
  expected?: string | null,
): Promise<void> {
  const added = staged.flatMap(({ range }) => range.blocks);
  const code = fate(model, handle, added, expected);
  const work = volume.commit(
    staged.map(({ range }) => range),
    { by: handle },
    expected === undefined ? {} : { expectedParent: expected },
  );
  if (code !== undefined) {
    await failsWith(work, code);
    // What a handle has learned before it failed is its own business: from here on it knows the head.
    assert.equal((await volume.head())?.id, model.chain.at(-1)?.id);
    learned(model, handle);
    return;
  }
  committed(model, await work, staged);
  learned(model, handle);
}

/** The model after these were committed; the snapshot says so too. */
export function committed(
  model: VolumeModel,
  snapshot: CommittedVolumeSnapshot,
  staged: readonly Staged[],
): void {
  const parent = model.chain.at(-1);
  const bytes = parent?.bytes.slice() ?? new Int16Array(length).fill(-1);
  for (const { range, bytes: own } of staged) bytes.set(own, range.offset);
  const added = staged.flatMap(({ range }) => range.blocks);
  const blocks = [...(parent?.blocks ?? []), ...added].toSorted((a, b) => a.offset - b.offset);
  assert.equal(snapshot.manifest.parentSnapshotId, parent?.id);
  assert.equal(snapshot.manifest.blocks.count, blocks.length);
  assert.equal(snapshot.coveredBytes, bytes.filter((byte) => byte >= 0).length);
  assert.equal(snapshot.complete, !bytes.includes(-1));
  assert.ok(parent === undefined || snapshot.id > parent.id);
  model.chain.push({ id: snapshot.id, blocks, bytes });
  model.version = (model.version ?? 0) + 1;
}

export interface Run {
  readonly offset: number;
  readonly length: number;
}

/** The runs of a part of a snapshot that are there, or that are not. */
export function runs(bytes: Int16Array, from: number, size: number, there: boolean): Run[] {
  const found: { offset: number; length: number }[] = [];
  for (let at = from; at < from + size; at++) {
    if ((bytes[at] ?? -1) >= 0 !== there) continue;
    const last = found.at(-1);
    if (last !== undefined && last.offset + last.length === at) last.length++;
    else found.push({ offset: at, length: 1 });
  }
  return found;
}
