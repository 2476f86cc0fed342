/**
 * A store in memory: the exact semantics of the seam, for tests, caches and short-lived data.
 *
 * One instance is one storage. Conditions are atomic against everything, since only this process can reach it; a
 * guarded put holds a lock on its key while `beforePublish` runs. Bytes are copied in and copied out.
 */
import { byteSource, compareUtf8, copyOf, readSource } from '../bytes/index.ts';
import type { ByteInput } from '../bytes/index.ts';
import { systemEnv, type Env } from '../env.ts';
import { keyBytesMax, normaliseKey, normalisePrefix } from './key.ts';
import { KeyLocks } from './key-locks.ts';
import { checkMode } from './mode.ts';
import { checkRange } from './range.ts';
import { SortedKeys } from './sorted-keys.ts';
import { notModified, objectChanged, StoredBytes } from './stored-bytes.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  ETag,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutMode,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from './store.ts';

export interface MemoryStoreOptions {
  readonly env?: Env;
}

/** A new, empty store. Share the instance to share the data. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options.env ?? systemEnv);
}

interface Entry {
  readonly bytes: Uint8Array;
  readonly etag: ETag;
  readonly modified: bigint;
}

const capabilities: StoreCapabilities = {
  name: 'memory',
  conditionalWrites: 'all',
  guardedPut: true,
  orderedList: true,
  durable: false,
  keyBytesMax,
  componentBytesMax: keyBytesMax,
  concurrency: 64,
  // A pointer is published after what it names and no other process writes here: nothing can be in flight.
  settleMs: 0,
};

const pageMax = 1000;

class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = capabilities;
  readonly #env: Env;
  readonly #entries: Map<string, Entry> = new Map();
  readonly #keys: SortedKeys = new SortedKeys();
  readonly #locks: KeyLocks = new KeyLocks();
  #version = 0;

  constructor(env: Env) {
    this.#env = env;
  }

  async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const name = normaliseKey(key);
    const mode = checkMode(options.mode);
    const { signal, beforePublish } = options;
    signal?.throwIfAborted();

    let bytes: Uint8Array;
    if (body instanceof Uint8Array) {
      bytes = copyOf(body);
    } else {
      // A race that is lost already needs no bytes of a stream.
      const lost = conflictWith(this.#entries.get(name), mode);
      if (lost !== undefined) return lost;
      bytes = await readBody(body, signal);
    }
    if (beforePublish === undefined && !this.#locks.isHeld(name)) {
      return this.#publish(name, bytes, mode);
    }
    const held = this.#locks.acquire(name, signal);
    const release = held instanceof Promise ? await held : held;
    try {
      const conflict = conflictWith(this.#entries.get(name), mode);
      if (conflict !== undefined) return conflict;
      const replacement = await beforePublish?.();
      signal?.throwIfAborted();
      return this.#publish(name, replacement ? copyOf(replacement) : bytes, mode);
    } finally {
      release();
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    checkRange(options.range);
    const name = normaliseKey(key);
    options.signal?.throwIfAborted();
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const { etag } = entry;
    if (options.ifMatch !== undefined && options.ifMatch !== etag) {
      throw objectChanged(name, options.ifMatch, etag);
    }
    const info = infoOf(name, entry);
    if (options.ifNoneMatch === etag) return notModified(info);
    return new StoredBytes(info, entry.bytes, options.range);
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    const name = normaliseKey(key);
    options.signal?.throwIfAborted();
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : infoOf(name, entry);
  }

  list(prefix: string, options?: ListOptions & { delimiter?: never }): AsyncIterable<ObjectInfo>;
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo | CommonPrefix>;
  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo | CommonPrefix> {
    const start = normalisePrefix(prefix);
    const { startAfter, delimiter, signal } = options;
    let from = start;
    if (startAfter !== undefined && compareUtf8(startAfter, start) >= 0) from = after(startAfter);
    for (;;) {
      signal?.throwIfAborted();
      const page = this.#keys.page(from, delimiter === undefined ? pageMax : 1);
      for (const key of page) {
        if (!key.startsWith(start)) return;
        from = after(key);
        const end = delimiter === undefined ? -1 : key.indexOf(delimiter, start.length);
        if (end !== -1) {
          const folded = key.slice(0, end + 1);
          from = afterAll(folded);
          if (startAfter === undefined || compareUtf8(folded, startAfter) > 0) {
            yield { prefix: folded };
          }
          continue;
        }
        const entry = this.#entries.get(key);
        if (entry !== undefined) yield infoOf(key, entry);
      }
      if (page.length === 0) return;
    }
  }

  async delete(
    keys: string | readonly string[],
    options: CallOptions = {},
  ): Promise<DeleteResult[]> {
    const given = typeof keys === 'string' ? [keys] : keys;
    const names = given.map(normaliseKey);
    options.signal?.throwIfAborted();
    for (const name of names) {
      // A guarded put of this key decides first: its comparison must still hold when it publishes.
      const release = this.#locks.isHeld(name)
        ? await this.#locks.acquire(name, options.signal)
        : undefined;
      if (this.#entries.delete(name)) this.#keys.remove(name);
      release?.();
    }
    return given.map((key) => ({ key, outcome: 'deleted' }));
  }

  /** Compares and publishes without a pause in between: no other writer can come in. */
  #publish(name: string, bytes: Uint8Array, mode: PutMode): PutResult {
    const present = this.#entries.get(name);
    const conflict = conflictWith(present, mode);
    if (conflict !== undefined) return conflict;
    const etag = String(++this.#version);
    if (present === undefined) this.#keys.add(name);
    this.#entries.set(name, { bytes, etag, modified: this.#env.now() });
    return { outcome: 'stored', etag };
  }
}

function conflictWith(present: Entry | undefined, mode: PutMode): PutResult | undefined {
  if (mode === 'overwrite') return undefined;
  if (mode === 'create' ? present === undefined : present?.etag === mode.ifMatch) return undefined;
  return present === undefined
    ? { outcome: 'conflict' }
    : { outcome: 'conflict', etag: present.etag };
}

function infoOf(key: string, entry: Entry): ObjectInfo {
  return {
    key,
    size: entry.bytes.length,
    etag: entry.etag,
    lastModifiedMs: Number(entry.modified / 1_000_000n),
  };
}

/** The smallest string above `key`. */
function after(key: string): string {
  return `${key}\0`;
}

/** The smallest string above everything that starts with `folded`, which ends in `/`. */
function afterAll(folded: string): string {
  return `${folded.slice(0, -1)}0`;
}

async function readBody(body: ByteInput, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const source = byteSource(body);
  if (source.bytes === undefined) return readSource(source, signal);
  // Bytes encoded from a string are nobody else's already; all others are copied.
  return typeof body === 'string' ? source.bytes : copyOf(source.bytes);
}
