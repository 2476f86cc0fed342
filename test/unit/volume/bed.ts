/** Volumes over each kind of store a commit meets, in virtual time, and the few looks into storage that tests need. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { utf8Decode, utf8Encode } from '../../../src/bytes/index.ts';
import type { LodeError, LodeErrorCode } from '../../../src/errors.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { limitedStore, virtualEnv } from '../../../src/testing/index.ts';
import type { VirtualEnv } from '../../../src/testing/index.ts';
import { openVolume } from '../../../src/volume/index.ts';
import type { Volume, VolumeBlock, VolumeOptions } from '../../../src/volume/index.ts';

export interface Bed {
  readonly kind: 'guarded put' | 'compare-and-swap';
  readonly store: Store;
  readonly env: VirtualEnv;
  /** A handle on `vol`, 100 bytes long unless told otherwise. */
  volume(options?: Partial<VolumeOptions>): Promise<Volume>;
}

export const pointerKey = 'volumes/vol/latest';
export const manifestKey = (id: string): string => `volumes/vol/snapshots/${id}/manifest.json`;
export const blockKey = (offset: number, length: number): string =>
  `volumes/vol/data/${offset}-${length}.bin`;

export function bedOf(kind: Bed['kind'], wrap: (store: Store) => Store = (store) => store): Bed {
  const env = virtualEnv();
  const memory = memoryStore({ env });
  const store = wrap(
    kind === 'guarded put'
      ? memory
      : limitedStore(memory, { name: 'bucket', guardedPut: false, settleMs: 5_000 }),
  );
  return {
    kind,
    store,
    env,
    volume: (options = {}) => openVolume('vol', { store, env, length: 100, ...options }),
  };
}

/** One test per kind of store. */
export function onBoth(fault: string, work: (bed: Bed) => Promise<void>): void {
  for (const kind of ['guarded put', 'compare-and-swap'] as const)
    void it(`${fault} (${kind})`, () => work(bedOf(kind)));
}

/** `length` bytes that tell where they are. */
export function content(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (offset + i) * 7 + ((offset + i) >> 8));
}

/** Stages and commits the right bytes for these ranges. */
export async function put(
  volume: Volume,
  ...ranges: readonly (readonly [offset: number, length: number])[]
): Promise<string> {
  const staged = [];
  for (const [offset, length] of ranges)
    staged.push(await volume.stageWriteAt(offset, content(offset, length)));
  return (await volume.commit(staged)).id;
}

export function block(offset: number, length: number): VolumeBlock {
  return { offset, length, path: blockKey(offset, length) };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Awaits a failure with this code and answers it. */
export async function failure<C extends LodeErrorCode>(
  code: C,
  work: Promise<unknown>,
): Promise<LodeError<C>> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isLodeError(error, code), `${code} expected, not ${String(error)}`);
  return error;
}

export async function text(store: Store, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  return object && utf8Decode(await object.bytes());
}

/** A manifest as somebody else may have left it, and the pointer to it. */
export async function plant(
  store: Store,
  id: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const manifest = {
    schema_name: 'lode-volume-manifest',
    format_version: '1.0.0',
    volume_id: 'vol',
    snapshot_id: id,
    created_at: '2026-01-02T03:04:05Z',
    metadata: {},
    total_length: 100,
    blocks: [],
    ...changes,
  };
  await store.put(manifestKey(id), utf8Encode(JSON.stringify(manifest)), { mode: 'overwrite' });
  await store.put(pointerKey, id, { mode: 'overwrite' });
}

/** The same store with another `put`. */
export function withPut(
  store: Store,
  putInstead: (...args: Parameters<Store['put']>) => ReturnType<Store['put']>,
): { -readonly [K in keyof Store]: Store[K] } {
  return {
    capabilities: store.capabilities,
    put: putInstead,
    get: (...args) => store.get(...args),
    head: (...args) => store.head(...args),
    list: ((...args: Parameters<Store['list']>) => store.list(...args)) as Store['list'],
    delete: (...args) => store.delete(...args),
  };
}
