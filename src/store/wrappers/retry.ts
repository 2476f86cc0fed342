/**
 * `withRetry`: rides out failures that pass, and finds out what became of writes that were not answered.
 *
 * Reads, listings and deletes are repeated with backoff; a body that breaks off is resumed where it stopped, from the same
 * version. Puts follow `retry-put.ts`. Lost races, missing objects, bad calls and denials go through at once. Costs nothing
 * while all goes well, except that a body which cannot be replayed is held in memory up to `spoolBytesMax`; a longer one
 * is sent once and not retried.
 */
import { readSource, type ByteInput } from '../../bytes/index.ts';
import { systemEnv, type Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { Backoff } from '../backoff.ts';
import { readOnce } from '../stored-bytes.ts';
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
import type { Meter } from './meter.ts';
import { passes, pause, type RetryPolicy } from './retry-policy.ts';
import { retriedPut } from './retry-put.ts';

export interface RetryOptions extends Partial<Backoff> {
  /** Tries in all, the first included. Default 5. */
  readonly attempts?: number;
  /** Most bytes held of a body that cannot be replayed. Default 8 MiB. */
  readonly spoolBytesMax?: number;
  /** Counts the retries. */
  readonly meter?: Meter;
  readonly env?: Env;
}

/** `store`, with failures that pass retried. `baseDelayMs` 50, `maxDelayMs` 5,000 and `jitter` 1 unless told otherwise. */
export function withRetry(store: Store, options: RetryOptions = {}): Store {
  const policy: RetryPolicy = {
    attempts: checked('attempts', options.attempts ?? 5, 1),
    baseDelayMs: checked('baseDelayMs', options.baseDelayMs ?? 50, 0),
    maxDelayMs: checked('maxDelayMs', options.maxDelayMs ?? 5_000, 0),
    jitter: checked('jitter', options.jitter ?? 1, 0, 1),
    spoolBytesMax: checked('spoolBytesMax', options.spoolBytesMax ?? 8 * 1024 * 1024, 0),
    meter: options.meter,
    env: options.env ?? systemEnv,
  };
  return new RetryStore(store, policy);
}

class RetryStore extends ForwardingStore {
  readonly #policy: RetryPolicy;

  constructor(inner: Store, policy: RetryPolicy) {
    super(inner);
    this.#policy = policy;
  }

  override put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    return retriedPut(this.inner, this.#policy, key, body, options);
  }

  override async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const start = (): Promise<StoredObject | undefined> => this.inner.get(key, options);
    const object = await this.#again(start, options.signal);
    return object && new ResumedObject(object, this.inner, this.#policy, options.signal);
  }

  override head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#again(() => this.inner.head(key, options), options.signal);
  }

  /** Goes on after the last entry that came through; order makes that exact. */
  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    let { startAfter } = options;
    // Without an order there is no "after": an unordered listing that breaks off fails.
    const attempts = this.capabilities.orderedList ? this.#policy.attempts : 1;
    for (let failures = 0; ;) {
      const rest = startAfter === undefined ? options : { ...options, startAfter };
      try {
        for await (const entry of this.inner.list(prefix, rest)) {
          yield entry;
          startAfter = 'prefix' in entry ? entry.prefix : entry.key;
          failures = 0;
        }
        return;
      } catch (error) {
        if (!passes(error) || ++failures >= attempts) throw error;
      }
      await pause(this.#policy, failures, options.signal);
    }
  }

  override async delete(
    keys: string | readonly string[],
    options: CallOptions = {},
  ): Promise<DeleteResult[]> {
    const given = typeof keys === 'string' ? [keys] : keys;
    const results: DeleteResult[] = [];
    let left = given.map((_, i) => i);
    for (let failures = 0; ;) {
      const names = left.map((i) => given[i] ?? '');
      const last = failures + 1 >= this.#policy.attempts;
      try {
        const answers = await this.inner.delete(names, options);
        left.forEach((i, at) => {
          const answer = answers[at];
          if (answer !== undefined) results[i] = answer;
        });
      } catch (error) {
        if (!passes(error) || last) throw error;
      }
      left = left.filter((i) => {
        const result = results[i];
        return result === undefined || (result.outcome === 'failed' && passes(result.error));
      });
      if (left.length === 0 || last) return results;
      await pause(this.#policy, ++failures, options.signal);
    }
  }

  async #again<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let failures = 0; ;) {
      try {
        return await call();
      } catch (error) {
        if (!passes(error) || ++failures >= this.#policy.attempts) throw error;
      }
      await pause(this.#policy, failures, signal);
    }
  }
}

/** A read whose body goes on where it broke off, pinned to its version by `ifMatch`. */
class ResumedObject extends ForwardingObject {
  readonly #store: Store;
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  #used = false;

  constructor(
    inner: StoredObject,
    store: Store,
    policy: RetryPolicy,
    signal: AbortSignal | undefined,
  ) {
    super(inner);
    this.#store = store;
    this.#policy = policy;
    this.#signal = signal;
  }

  override stream(): AsyncIterable<Uint8Array> {
    this.#use();
    return this.#chunks(this.inner.stream());
  }

  override async bytes(): Promise<Uint8Array> {
    this.#use();
    try {
      return await this.inner.bytes();
    } catch (error) {
      if (!resumes(error)) throw error;
      const source = { size: undefined, replayable: false };
      return await readSource({ ...source, stream: () => this.#chunks(undefined) });
    }
  }

  #use(): void {
    if (this.#used) throw readOnce(this.key);
    this.#used = true;
  }

  /** Chunks of `body`, or from a new request where there is none. */
  async *#chunks(body: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<Uint8Array> {
    let done = 0;
    let failures = 0;
    for (let next = body; ; next = undefined) {
      try {
        if (next === undefined) {
          await pause(this.#policy, Math.max(1, failures), this.#signal);
          next = (await this.#rest(done)).stream();
        }
        for await (const chunk of next) {
          yield chunk;
          done += chunk.length;
          failures = 0;
        }
        return;
      } catch (error) {
        if (!resumes(error) || ++failures >= this.#policy.attempts) throw error;
      }
    }
  }

  async #rest(done: number): Promise<StoredObject> {
    const range = { offset: this.range.offset + done, length: this.range.length - done };
    const object = await this.#store.get(this.key, {
      range,
      ifMatch: this.etag,
      signal: this.#signal,
    });
    if (object !== undefined) return object;
    throw new LodeError('LODE_OBJECT_CHANGED', 'the object was deleted while it was read', {
      key: this.key,
      expected: this.etag,
    });
  }
}

function resumes(error: unknown): boolean {
  return passes(error) || isLodeError(error, 'LODE_TRUNCATED');
}

function checked(field: string, value: number, min: number, max = Number.MAX_VALUE): number {
  if (value >= min && value <= max) return value;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'retry option is out of range', {
    field,
    expected: `${min} or more${max === Number.MAX_VALUE ? '' : `, at most ${max}`}`,
    actual: value,
  });
}
