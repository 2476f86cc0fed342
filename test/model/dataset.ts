/**
 * A dataset next to a model of it in a few plain arrays: what every call must answer, and what the next one finds.
 *
 * Two handles share the store: one reports conflicts, one retries. Between calls the storage is damaged the way crashes and
 * people damage it: a pointer lost, emptied or ahead of its manifest, a manifest copy gone, a data file altered.
 */
import assert from 'node:assert/strict';
import { utf8Decode } from '../../src/bytes/index.ts';
import { hive, openDataset } from '../../src/dataset/index.ts';
import type { Dataset, Layout } from '../../src/dataset/index.ts';
import { jsonl } from '../../src/encoding/index.ts';
import type { LodeErrorCode } from '../../src/errors.ts';
import { isLodeError } from '../../src/errors.ts';
import { memoryDisk } from '../../src/disk/memory.ts';
import { fsStore } from '../../src/fs.ts';
import type { Store } from '../../src/store/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import { limitedStore, virtualEnv } from '../../src/testing/index.ts';
import type { VirtualEnv } from '../../src/testing/index.ts';

export interface Row {
  readonly k: string;
  readonly n: number;
}

/** What the pointer is, and so what a commit compares: every change of it is another version. */
type Pointer =
  | { readonly is: 'missing' }
  | { readonly is: 'empty' | 'right'; readonly version: number }
  | { readonly is: 'dangling'; readonly version: number; readonly id: string };

interface ModelSnapshot {
  readonly id: string;
  readonly rows: readonly Row[];
}

/** What a handle believes: nothing yet, or the head it last learned. */
interface Belief {
  readonly pointer: Pointer;
  readonly head: string | undefined;
}

export interface Model {
  /** Oldest first. */
  readonly chain: ModelSnapshot[];
  pointer: Pointer;
  versions: number;
  readonly beliefs: (Belief | undefined)[];
  readonly lostCopies: Set<string>;
  /** Length of the chain in the copy. */
  copied: number;
}

export interface Real {
  readonly store: Store;
  readonly copy: Store;
  readonly handles: Dataset<Row>[];
  open(handle: number): Promise<Dataset<Row>>;
}

export const layout: Layout = hive('k');
export const pointerKey = 'datasets/ds/latest';
/** Handle 1 retries lost races, handle 0 reports them. */
const retries = [0, 3];

export const storeKinds = ['memory', 'memory without guarded puts', 'fs'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** A store of this kind, empty. */
export async function storeOf(kind: StoreKind, env: VirtualEnv): Promise<Store> {
  if (kind === 'memory') return memoryStore({ env });
  if (kind === 'memory without guarded puts')
    return limitedStore(memoryStore({ env }), { guardedPut: false });
  const disk = memoryDisk({ env });
  await disk.makeDirectory('/root');
  return fsStore('/root', { disk, env });
}

export async function setup(kind: StoreKind): Promise<{ model: Model; real: Real }> {
  const env = virtualEnv();
  const store = await storeOf(kind, env);
  const open = (handle: number): Promise<Dataset<Row>> =>
    openDataset<Row>('ds', {
      store,
      env,
      layout,
      codec: jsonl<Row>(),
      // The disk in memory locks within this process only.
      writers: kind === 'fs' ? 'process' : 'any',
      settleMs: 200,
      retry: { attempts: retries[handle] ?? 0 },
    });
  const model: Model = {
    chain: [],
    pointer: { is: 'missing' },
    versions: 0,
    beliefs: [undefined, undefined],
    lostCopies: new Set(),
    copied: 0,
  };
  const handles = [await open(0), await open(1)];
  return { model, real: { store, copy: await storeOf(kind, env), handles, open } };
}

export const headOf = (model: Model): ModelSnapshot | undefined => model.chain.at(-1);

/** Records as a read gives them: partition by partition, in path order. */
export const inOrder = (rows: readonly Row[]): Row[] =>
  [...new Set(rows.map(({ k }) => k))].sort().flatMap((k) => rows.filter((row) => row.k === k));

/** That there is no pointer is no version to compare: then it is the head that counts. */
function stillHolds({ pointer, head }: Belief, model: Model): boolean {
  if (pointer.is === 'missing') return head === headOf(model)?.id;
  return model.pointer.is !== 'missing' && pointer.version === model.pointer.version;
}

/** Whether a write through this handle lands, by the guarantees; `expected` is what it insists on. */
export function lands(model: Model, handle: number, expected: string | null | undefined): boolean {
  const belief = model.beliefs[handle];
  const head = headOf(model)?.id;
  const isStale = belief !== undefined && !stillHolds(belief, model);
  if (expected !== undefined && (head ?? null) !== expected) return false;
  if (!isStale || (retries[handle] ?? 0) > 0) return true;
  // A belief that cannot be meant is looked at again; one that can be is compared, and loses.
  return expected !== undefined && (belief.head ?? null) !== expected;
}

/** The model after a write through `handle` has landed. */
export function committed(model: Model, handle: number, id: string, rows: readonly Row[]): void {
  model.chain.push({ id, rows });
  model.pointer = { is: 'right', version: ++model.versions };
  learned(model, handle);
}

export function learned(model: Model, handle: number): void {
  model.beliefs[handle] = { pointer: model.pointer, head: headOf(model)?.id };
}

/** Checks what a write answered, and brings the model up to date. */
export async function checkWrite(
  model: Model,
  store: Store,
  handle: number,
  rows: readonly Row[],
  expected: string | null | undefined,
  write: ReturnType<Dataset<Row>['write']>,
): Promise<void> {
  const parent = headOf(model)?.id;
  const isNamed = model.pointer.is !== 'missing' && model.pointer.is !== 'empty';
  if (!lands(model, handle, expected)) {
    await failsWith(write, 'LODE_SNAPSHOT_CONFLICT');
    await settled(model, store);
    if (!isNamed) await completed(model, store, parent);
    return;
  }
  const { id, manifest, missingCopies } = await write;
  assert.equal(manifest.parentSnapshotId, parent);
  assert.equal(manifest.rowCount, rows.length);
  assert.deepEqual(missingCopies, []);
  if (!isNamed) await completed(model, store, parent);
  assert.ok(parent === undefined || id > parent);
  committed(model, handle, id, rows);
}

/** Before it saw that it had lost, a write may have fenced a pointer that was ahead, or restored one that was gone. */
async function settled(model: Model, store: Store): Promise<void> {
  const { pointer } = model;
  if (pointer.is === 'dangling' && (await store.head(manifestKeyOf(pointer.id))))
    model.pointer = { is: 'right', version: pointer.version };
  if (pointer.is !== 'missing' && pointer.is !== 'empty') return;
  const named = utf8Decode((await (await store.get(pointerKey))?.bytes()) ?? new Uint8Array(0));
  if (named !== undefined && named === headOf(model)?.id)
    model.pointer = { is: 'right', version: ++model.versions };
}

/** A head without a pointer gets the copies it lacks before anything goes on top. */
async function completed(model: Model, store: Store, head: string | undefined): Promise<void> {
  for (const key of model.lostCopies)
    if (head !== undefined && key.includes(`/${head}/`) && (await store.head(key)) !== undefined)
      model.lostCopies.delete(key);
}

export async function failsWith(work: Promise<unknown>, code: LodeErrorCode): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isLodeError(error, code)) throw (error as Error | undefined) ?? new Error(`no ${code}`);
}

export async function collectAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const manifestKeyOf = (id: string, partition = ''): string =>
  layout.manifestKey('ds', id, partition);
