/** One case of the store suite, and the few checks that cases are made of. */
import { isLodeError, type LodeErrorCode } from '../../errors.ts';
import { utf8Decode } from '../../bytes/index.ts';
import type { ListOptions, PutMode, Store } from '../../store/store.ts';

export interface Case {
  /** The fault this case would catch. */
  readonly name: string;
  run(storage: Opened, context: CaseContext): Promise<void>;
}

/** Storage that is empty and nobody else's. */
export interface Opened {
  readonly store: Store;
  /** Another handle on the same storage, as another process would have. */
  readonly another?: () => Promise<Store>;
  readonly close?: () => Promise<void>;
}

export interface CaseContext {
  /** Rounds of each race. */
  readonly rounds: number;
}

/** A case that needs nothing but a store. */
export function onStore(name: string, run: (store: Store) => Promise<void>): Case {
  return { name, run: ({ store }) => run(store) };
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Equal as JSON: enough for strings, numbers, and lists and objects of them. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${shorten(b)}, got ${shorten(a)}`);
}

function shorten(text: string | undefined): string {
  return text === undefined || text.length < 500 ? String(text) : `${text.slice(0, 500)}…`;
}

/** Runs `call` and returns the typed error it must fail with. */
export async function fails(
  call: () => Promise<unknown>,
  what: string,
  ...codes: LodeErrorCode[]
): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (isLodeError(error, ...codes)) return;
    throw new Error(`${what}: expected ${codes.join(' or ')}, got ${String(error)}`, {
      cause: error,
    });
  }
  throw new Error(`${what}: expected ${codes.join(' or ')}, got a result`);
}

/** Runs `call`, which must reject with exactly `reason`. */
export async function rejectsWith(
  call: () => Promise<unknown>,
  reason: unknown,
  what: string,
): Promise<void> {
  let caught: unknown;
  try {
    await call();
  } catch (error) {
    caught = error;
    if (error === reason) return;
  }
  throw new Error(`${what}: expected the very reason given, got ${String(caught)}`, {
    cause: caught,
  });
}

/** Stores and returns the etag; anything but `stored` fails the case. */
export async function stored(
  store: Store,
  key: string,
  content: string | Uint8Array,
  mode: PutMode = 'create',
): Promise<string> {
  const result = await store.put(key, content, { mode });
  check(result.outcome === 'stored', `put of ${key} was answered ${result.outcome}`);
  return result.etag;
}

/** The text of an object, `undefined` when there is none. */
export async function text(store: Store, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  return object && utf8Decode(await object.bytes());
}

/** Names a listing yields, folded prefixes included. */
export async function names(
  store: Store,
  prefix: string,
  options: ListOptions = {},
): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of store.list(prefix, options)) {
    found.push('prefix' in entry ? entry.prefix : entry.key);
  }
  return store.capabilities.orderedList ? found : found.sort();
}

/** Expected names in the order the store promises. */
export function inOrder(store: Store, expected: string[]): string[] {
  return store.capabilities.orderedList ? expected : expected.sort();
}
