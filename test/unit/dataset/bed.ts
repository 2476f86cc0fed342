/** Datasets over each kind of store a commit meets, in virtual time, and the few looks into storage that tests need. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { collect, utf8Decode } from '../../../src/bytes/index.ts';
import type { Dataset, DatasetOptions } from '../../../src/dataset/index.ts';
import { openDataset } from '../../../src/dataset/index.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import type { LodeError, LodeErrorCode } from '../../../src/errors.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { limitedStore, virtualEnv } from '../../../src/testing/index.ts';
import type { VirtualEnv } from '../../../src/testing/index.ts';

export type Row = Record<string, unknown>;

export interface Bed {
  readonly kind: 'guarded put' | 'compare-and-swap';
  readonly store: Store;
  readonly env: VirtualEnv;
  /** A handle on `ds`, with JSONL unless told otherwise. */
  records(options?: Partial<DatasetOptions<Row>>): Promise<Dataset<Row>>;
  /** A handle on `ds` without a codec. */
  blobs(options?: Partial<Omit<DatasetOptions<Uint8Array>, 'codec'>>): Promise<Dataset<Uint8Array>>;
}

export const pointerKey = 'datasets/ds/latest';
export const manifestKey = (id: string): string => `datasets/ds/snapshots/${id}/manifest.json`;

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
    records: ({ codec = jsonl<Row>(), ...options } = {}) =>
      openDataset<Row>('ds', { store, env, ...options, codec }),
    blobs: (options = {}) => openDataset('ds', { store, env, ...options }),
  };
}

/** One test per kind of store. */
export function onBoth(fault: string, work: (bed: Bed) => Promise<void>): void {
  for (const kind of ['guarded put', 'compare-and-swap'] as const)
    void it(`${fault} (${kind})`, () => work(bedOf(kind)));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Awaits a failure with this code and answers it. */
export async function fails<C extends LodeErrorCode>(
  work: Promise<unknown> | AsyncIterable<unknown>,
  ...codes: C[]
): Promise<LodeError<C>> {
  const outcome = Symbol.asyncIterator in work ? all(work) : work;
  const error = await outcome.then(
    (value) => assert.fail(`expected ${codes.join(' or ')}, got ${String(value)}`),
    (reason: unknown) => reason,
  );
  if (isLodeError(error, ...codes)) return error;
  throw error as Error;
}

export async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  return (await all(store.list(prefix))).map(({ key }) => key);
}

export async function textOf(store: Store, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  return object && utf8Decode(await object.bytes());
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return collect(chunks, 2 ** 30, { key: 'test' });
}

export async function replace(store: Store, key: string, text: string | Uint8Array): Promise<void> {
  await store.put(key, text, { mode: 'overwrite' });
}

export async function textOfBlob(dataset: Dataset<Uint8Array>, id: string): Promise<string> {
  const [bytes] = await dataset.read(id);
  return utf8Decode(bytes ?? new Uint8Array(0)) ?? '';
}

/** Any typed error; anything else is a flaw. */
export async function typed(work: Promise<unknown>): Promise<LodeErrorCode | 'fine'> {
  return work.then(
    () => 'fine' as const,
    (error: unknown) => {
      if (isLodeError(error)) return error.code;
      throw error as Error;
    },
  );
}

/** What another store would be if some calls of it were watched. */
export function watched(store: Store, calls: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own = calls[name as keyof Store] ?? target[name as keyof Store];
      return typeof own === 'function' ? (own as () => unknown).bind(target) : own;
    },
  });
}
