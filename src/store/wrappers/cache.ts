/**
 * `withCache`: whole small objects kept in memory, for keys whose objects are written once.
 *
 * - Holds what was read completely and with its announced size; never absence, never pointers, never facts of `head`.
 * - Bounded by `bytesMax`; the least recently used goes first. Callers get private copies.
 * - Readers of one key at one time share a request. An abort stops that reader; the request stops when all are gone.
 * - A put or delete through this wrapper forgets the key. What others overwrite or delete elsewhere may be served as it
 *   was: `cacheable` must not be true of keys that change.
 */
import type { ByteInput } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import { normaliseKey } from '../key.ts';
import { checkRange } from '../range.ts';
import { notModified, StoredBytes } from '../stored-bytes.ts';
import type {
  CallOptions,
  DeleteResult,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoredObject,
} from '../store.ts';
import { Flight } from './flight.ts';
import { ForwardingStore } from './forwarding.ts';

export interface CacheOptions {
  /** Most bytes held, keys included. */
  readonly bytesMax: number;
  /** Largest object kept; larger ones are streamed past. Default an eighth of `bytesMax`. */
  readonly objectBytesMax?: number;
  /** Whether the object of a key never changes. Default: all but those named `latest`. */
  readonly cacheable?: (key: string) => boolean;
}

/** `store`, with small immutable objects kept in memory. A hit costs no request. */
export function withCache(store: Store, options: CacheOptions): Store {
  const names = { bytesMax: true, objectBytesMax: true, cacheable: true } as const;
  assertOptions<CacheOptions>(options, '', names);
  const { bytesMax, objectBytesMax = Math.floor(bytesMax / 8) } = options;
  for (const [field, value] of Object.entries({ bytesMax, objectBytesMax })) {
    if (value >= 0) continue;
    throw new LodeError('LODE_INVALID_ARGUMENT', 'cache size is not a number of bytes', {
      field,
      actual: value,
    });
  }
  return new CacheStore(store, bytesMax, objectBytesMax, options.cacheable ?? isNoPointer);
}

function isNoPointer(key: string): boolean {
  return key !== 'latest' && !key.endsWith('/latest');
}

interface Held {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array;
}

/** What an entry costs besides its bytes and its key. */
const overheadBytes = 256;

class CacheStore extends ForwardingStore {
  readonly #bytesMax: number;
  readonly #objectBytesMax: number;
  readonly #cacheable: (key: string) => boolean;
  /** In order of last use. */
  readonly #held: Map<string, Held> = new Map();
  readonly #flights: Map<string, Flight<StoredObject | Held | undefined>> = new Map();
  #bytes = 0;

  constructor(
    inner: Store,
    bytesMax: number,
    objectBytesMax: number,
    cacheable: (key: string) => boolean,
  ) {
    super(inner);
    this.#bytesMax = bytesMax;
    this.#objectBytesMax = objectBytesMax;
    this.#cacheable = cacheable;
  }

  override async put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    const name = normaliseKey(key);
    this.#forget(name);
    try {
      return await this.inner.put(name, body, options);
    } finally {
      // A read that began while the put was under way may have seen either version.
      this.#forget(name);
    }
  }

  override async delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    const names = (typeof keys === 'string' ? [keys] : keys).map(normaliseKey);
    for (const name of names) this.#forget(name);
    try {
      return await this.inner.delete(keys, options);
    } finally {
      for (const name of names) this.#forget(name);
    }
  }

  override async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    checkRange(options.range);
    const name = normaliseKey(key);
    options.signal?.throwIfAborted();
    if (!this.#cacheable(name)) return this.inner.get(name, options);
    const held = this.#held.get(name);
    if (held !== undefined && (options.ifMatch ?? held.info.etag) === held.info.etag) {
      this.#held.delete(name);
      this.#held.set(name, held);
      return serve(held, options);
    }
    const plain = (options.range ?? options.ifMatch ?? options.ifNoneMatch) === undefined;
    return plain ? this.#share(name, options) : this.inner.get(name, options);
  }

  /** Joins the request for this key that is under way, or starts it. */
  async #share(name: string, options: GetOptions): Promise<StoredObject | undefined> {
    const present = this.#flights.get(name);
    const joined = present !== undefined && !present.stopped;
    const flight = joined ? present : this.#start(name, options.onRetry);
    const answer = await flight.wait(options.signal);
    if (answer === undefined) {
      // Absence that was asked for before this caller came proves nothing: the object may have been written in between.
      return joined ? this.inner.get(name, options) : undefined;
    }
    if ('info' in answer) return serve(answer, options);
    // A body that streams past has one owner.
    return flight.claim(options.signal) ? answer : this.inner.get(name, options);
  }

  #start(name: string, onRetry: CallOptions['onRetry']): Flight<StoredObject | Held | undefined> {
    const flight = new Flight(async (signal) => {
      const object = await this.inner.get(name, { signal, onRetry });
      if (object === undefined || object.size > this.#objectBytesMax) return object;
      const bytes = await object.bytes();
      if (bytes.length !== object.size) {
        throw new LodeError('LODE_TRUNCATED', 'the store sent another length than it announced', {
          key: name,
          expected: object.size,
          actual: bytes.length,
        });
      }
      const { key, size, etag, lastModifiedMs } = object;
      const held = { info: { key, size, etag, lastModifiedMs }, bytes };
      if (this.#flights.get(name) === flight) this.#hold(name, held);
      return held;
    });
    this.#flights.set(name, flight);
    void flight.finished.then(() => {
      if (this.#flights.get(name) === flight) this.#flights.delete(name);
    });
    return flight;
  }

  #hold(name: string, held: Held): void {
    this.#drop(name);
    this.#held.set(name, held);
    this.#bytes += costOf(name, held);
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#drop(oldest);
    }
  }

  /** Drops what is held and disowns what is under way: its readers get it, nobody after them does. */
  #forget(name: string): void {
    this.#drop(name);
    this.#flights.delete(name);
  }

  #drop(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    this.#bytes -= costOf(name, held);
  }
}

function costOf(name: string, held: Held): number {
  return held.bytes.length + name.length * 2 + overheadBytes;
}

function serve({ info, bytes }: Held, options: GetOptions): StoredObject {
  return options.ifNoneMatch === info.etag
    ? notModified(info)
    : new StoredBytes(info, bytes, options.range);
}
