/**
 * A store that remembers when each request began and ended, and so what had to wait for what.
 *
 * Depth is the longest chain of requests of which each began after the one before had ended: with a store far away, the
 * time of an operation is its depth times the distance. A listing is one request a page of 1,000. A guarded put comes after
 * the requests of its guard.
 */
import type { ByteInput } from '../../bytes/index.ts';
import { systemEnv, type Env } from '../../env.ts';
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
} from '../../store/store.ts';
import { ForwardingStore } from '../../store/wrappers/forwarding.ts';
import type { StoreCall } from './faults.ts';

export interface TracedRequest {
  readonly call: StoreCall;
  /** Key, prefix, or the first key of a delete. */
  readonly key: string;
  /** Positions in the order of all beginnings and ends. */
  readonly began: number;
  readonly ended: number;
  /** Where its guard ended, for a guarded put: what it does itself waits for all that the guard asks. */
  readonly guarded?: number;
}

export interface Trace {
  readonly requests: readonly TracedRequest[];
  readonly depth: number;
  /** Most requests in flight at once. */
  readonly parallel: number;
}

export interface TracedStore {
  readonly store: Store;
  /** What was traced since the last `reset`. */
  trace(): Trace;
  reset(): void;
}

export interface TraceOptions {
  /** Every request takes this long, so that what can overlap does. Default 1 ms. */
  readonly latencyMs?: number;
  readonly env?: Env;
}

export function traceStore(store: Store, options: TraceOptions = {}): TracedStore {
  const traced = new Traced(store, options.latencyMs ?? 1, options.env ?? systemEnv);
  return {
    store: traced,
    trace: () => traced.trace(),
    reset: () => traced.reset(),
  };
}

const pageMax = 1000;

class Traced extends ForwardingStore {
  readonly #latencyMs: number;
  readonly #env: Env;
  #requests: TracedRequest[] = [];
  #clock = 0;

  constructor(inner: Store, latencyMs: number, env: Env) {
    super(inner);
    this.#latencyMs = latencyMs;
    this.#env = env;
  }

  reset(): void {
    this.#requests = [];
  }

  trace(): Trace {
    const requests = [...this.#requests].sort((a, b) => a.ended - b.ended);
    return { requests, depth: depthOf(requests), parallel: parallelOf(requests) };
  }

  override put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    const guard = options?.beforePublish;
    if (guard === undefined)
      return this.#request('put', key, () => this.inner.put(key, body, options));
    let guarded: number | undefined;
    const beforePublish = async (): Promise<Uint8Array | void> => {
      try {
        return await guard();
      } finally {
        guarded = ++this.#clock;
      }
    };
    return this.#request(
      'put',
      key,
      () => this.inner.put(key, body, { ...options, beforePublish }),
      () => guarded,
    );
  }

  override get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.#request('get', key, () => this.inner.get(key, options));
  }

  override head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#request('head', key, () => this.inner.head(key, options));
  }

  override delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    const key = typeof keys === 'string' ? keys : (keys[0] ?? '');
    return this.#request('delete', key, () => this.inner.delete(keys, options));
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    const iterator = this.inner.list(prefix, options)[Symbol.asyncIterator]();
    const page = (): Promise<(ObjectInfo | CommonPrefix)[]> => pageOf(iterator);
    try {
      for (;;) {
        const entries = await this.#request('list', prefix, page);
        yield* entries;
        if (entries.length < pageMax) return;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #request<T>(
    call: StoreCall,
    key: string,
    run: () => Promise<T>,
    guardedAt?: () => number | undefined,
  ): Promise<T> {
    const began = ++this.#clock;
    try {
      const result = await run();
      if (this.#latencyMs > 0) await this.#env.sleep(this.#latencyMs);
      return result;
    } finally {
      const guarded = guardedAt?.();
      const when = { began, ended: ++this.#clock, ...(guarded !== undefined && { guarded }) };
      this.#requests.push({ call, key, ...when });
    }
  }
}

async function pageOf<T>(iterator: AsyncIterator<T>): Promise<T[]> {
  const entries: T[] = [];
  while (entries.length < pageMax) {
    const step = await iterator.next();
    if (step.done === true) break;
    entries.push(step.value);
  }
  return entries;
}

/** Requests come in the order of their ends, so every one that ended before another began stands before it. */
function depthOf(requests: readonly TracedRequest[]): number {
  const depths: number[] = [];
  let deepest = 0;
  requests.forEach(({ began, guarded = began }, i) => {
    let depth = 1;
    for (let j = 0; j < i && (requests[j]?.ended ?? 0) < guarded; j++) {
      depth = Math.max(depth, (depths[j] ?? 0) + 1);
    }
    depths.push(depth);
    deepest = Math.max(deepest, depth);
  });
  return deepest;
}

function parallelOf(requests: readonly TracedRequest[]): number {
  const steps = requests.flatMap(({ began, guarded = began, ended }) => [
    { at: guarded, by: 1 },
    { at: ended, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of steps.sort((a, b) => a.at - b.at)) most = Math.max(most, (now += by));
  return most;
}
