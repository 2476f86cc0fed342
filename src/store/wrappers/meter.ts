/**
 * `withMeter`: counts what goes through it, at the price of a few additions.
 *
 * Outermost it counts what an operation asked for; right above an adapter, what the storage was asked for (attempts of
 * `withRetry` included, hits of `withCache` excluded). Retries below it are counted apart. A page of a listing and 1,000 keys of a delete are one request each.
 */
import { byteSource, utf8Length, type ByteInput } from '../../bytes/index.ts';
import type { RetryEvent } from '../../events.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoredObject,
} from '../store.ts';
import { ForwardingObject, ForwardingStore } from './forwarding.ts';

/** What was asked of a store. */
export interface Cost {
  /** Sum of the five below. */
  readonly requests: number;
  readonly puts: number;
  readonly gets: number;
  readonly heads: number;
  readonly lists: number;
  readonly deletes: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Conditional puts that lost. */
  readonly conflicts: number;
  /** Requests sent again below this meter, by `withRetry` or by the adapter: on top of `requests`. */
  readonly retries: number;
}

/** A running count. Share one between stores to add up, or make one per operation. */
export class Meter {
  puts = 0;
  gets = 0;
  heads = 0;
  lists = 0;
  deletes = 0;
  bytesUp = 0;
  bytesDown = 0;
  conflicts = 0;
  retries = 0;

  readonly countRetry = (): void => {
    this.retries++;
  };

  /** The counts now, or what was added since an earlier snapshot. */
  snapshot(since?: Cost): Cost {
    const { puts, gets, heads, lists, deletes } = this;
    return {
      requests: puts + gets + heads + lists + deletes - (since?.requests ?? 0),
      puts: puts - (since?.puts ?? 0),
      gets: gets - (since?.gets ?? 0),
      heads: heads - (since?.heads ?? 0),
      lists: lists - (since?.lists ?? 0),
      deletes: deletes - (since?.deletes ?? 0),
      bytesUp: this.bytesUp - (since?.bytesUp ?? 0),
      bytesDown: this.bytesDown - (since?.bytesDown ?? 0),
      conflicts: this.conflicts - (since?.conflicts ?? 0),
      retries: this.retries - (since?.retries ?? 0),
    };
  }
}

export function createMeter(): Meter {
  return new Meter();
}

/** `store`, with every call counted by `meter`. */
export function withMeter(store: Store, meter: Meter): Store {
  return new MeteredStore(store, meter);
}

const perRequest = 1000;
const none: PutOptions & GetOptions = {};

class MeteredStore extends ForwardingStore {
  readonly #meter: Meter;

  constructor(inner: Store, meter: Meter) {
    super(inner);
    this.#meter = meter;
  }

  override async put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    const meter = this.#meter;
    meter.puts++;
    // Spelled out: spreading the options would cost more than all the rest of this wrapper.
    const { mode, signal, beforePublish, onRetry } = options ?? none;
    const all = { mode, signal, beforePublish, onRetry: this.#count(onRetry) };
    const result = await this.inner.put(key, countUp(body, meter), all);
    if (result.outcome === 'conflict') meter.conflicts++;
    return result;
  }

  override async get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    this.#meter.gets++;
    const { range, ifMatch, ifNoneMatch, signal, onRetry } = options ?? none;
    const all = { range, ifMatch, ifNoneMatch, signal, onRetry: this.#count(onRetry) };
    const object = await this.inner.get(key, all);
    return object && new MeteredObject(object, this.#meter);
  }

  override head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    this.#meter.heads++;
    return this.inner.head(key, { ...options, onRetry: this.#count(options?.onRetry) });
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    const all = { ...options, onRetry: this.#count(options.onRetry) };
    let entries = 0;
    this.#meter.lists++;
    for await (const entry of this.inner.list(prefix, all)) {
      if (entries > 0 && entries % perRequest === 0) this.#meter.lists++;
      entries++;
      yield entry;
    }
  }

  override delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    this.#meter.deletes += typeof keys === 'string' ? 1 : Math.ceil(keys.length / perRequest);
    return this.inner.delete(keys, { ...options, onRetry: this.#count(options?.onRetry) });
  }

  /** For the options of a call: counts its retries, and passes them on. */
  #count(outer: CallOptions['onRetry']): (retry: RetryEvent) => void {
    if (outer === undefined) return this.#meter.countRetry;
    return (retry) => {
      this.#meter.countRetry();
      outer(retry);
    };
  }
}

/** Counts what is in memory now and what streams as it goes; hands on what it was given where it can. */
function countUp(body: ByteInput, meter: Meter): ByteInput {
  if (typeof body === 'string') {
    meter.bytesUp += utf8Length(body);
    return body;
  }
  if (body instanceof Uint8Array) {
    meter.bytesUp += body.length;
    return body;
  }
  const source = byteSource(body);
  if (source.bytes !== undefined) {
    meter.bytesUp += source.bytes.length;
    return source;
  }
  const { size, replayable } = source;
  return { size, replayable, stream: () => tap(source.stream(), (n) => (meter.bytesUp += n)) };
}

class MeteredObject extends ForwardingObject {
  readonly #meter: Meter;

  constructor(inner: StoredObject, meter: Meter) {
    super(inner);
    this.#meter = meter;
  }

  override stream(): AsyncIterable<Uint8Array> {
    return tap(this.inner.stream(), (n) => (this.#meter.bytesDown += n));
  }

  override async bytes(): Promise<Uint8Array> {
    const bytes = await this.inner.bytes();
    this.#meter.bytesDown += bytes.length;
    return bytes;
  }
}

async function* tap(
  stream: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    count(chunk.length);
    yield chunk;
  }
}
