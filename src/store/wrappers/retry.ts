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
import { assertOptions } from '../../options.ts';
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
import { passes, pause, type RetryPolicy } from './retry-policy.ts';
import { retriedPut } from './retry-put.ts';

export interface RetryOptions extends Partial<Backoff> {
  /** Tries in all, the first included. Default 5. */
  readonly attempts?: number;
  /** Most bytes held of a body that cannot be replayed. Default 8 MiB. */
  readonly spoolBytesMax?: number;
  readonly env?: Env;
}

const optionNames = {
  attempts: true,
  baseDelayMs: true,
  maxDelayMs: true,
  jitter: true,
  spoolBytesMax: true,
  env: true,
} as const;

/** `store`, with failures that pass retried. `baseDelayMs` 50, `maxDelayMs` 5,000 and `jitter` 1 unless told otherwise. */
export function withRetry(store: Store, options: RetryOptions = {}): Store {
  assertOptions<RetryOptions>(options, '', optionNames);
  const policy: RetryPolicy = {
    attempts: checked('attempts', options.attempts ?? 5, 1),
    baseDelayMs: checked('baseDelayMs', options.baseDelayMs ?? 50, 0),
    maxDelayMs: checked('maxDelayMs', options.maxDelayMs ?? 5_000, 0),
    jitter: checked('jitter', options.jitter ?? 1, 0, 1),
    spoolBytesMax: checked('spoolBytesMax', options.spoolBytesMax ?? 8 * 1024 * 1024, 0),
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
    const object = await this.#again(key, start, options);
    return object && new ResumedObject(object, this.inner, this.#policy, options);
  }

  override head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#again(key, () => this.inner.head(key, options), options);
  }

  /** Goes on after the last entry that came through; order makes that exact. */
  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    let { startAfter } = options;
    // Without an order there is no "after": an unordered listing that breaks off fails.
    const attempts = this.capabilities.orderedList ? this.#policy.attempts : 1;
    for (let failures = 0, error: unknown; ;) {
      const rest = startAfter === undefined ? options : { ...options, startAfter };
      try {
        for await (const entry of this.inner.list(prefix, rest)) {
          yield entry;
          startAfter = 'prefix' in entry ? entry.prefix : entry.key;
          failures = 0;
        }
        return;
      } catch (caught) {
        if (!passes(caught) || ++failures >= attempts) throw caught;
        error = caught;
      }
      const { signal, onRetry } = options;
      await pause(this.#policy, failures, { key: prefix, signal, onRetry, error });
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
      let error: unknown;
      const names = left.map((i) => given[i] ?? '');
      const last = failures + 1 >= this.#policy.attempts;
      try {
        const answers = await this.inner.delete(names, options);
        left.forEach((i, at) => {
          const answer = answers[at];
          if (answer !== undefined) results[i] = answer;
        });
      } catch (caught) {
        if (!passes(caught) || last) throw caught;
        error = caught;
      }
      left = left.filter((i) => {
        const result = results[i];
        if (result === undefined) return true;
        if (result.outcome !== 'failed' || !passes(result.error)) return false;
        error ??= result.error;
        return true;
      });
      if (left.length === 0 || last) return results;
      const { signal, onRetry } = options;
      await pause(this.#policy, ++failures, { key: given[left[0] ?? 0], signal, onRetry, error });
    }
  }

  async #again<T>(
    key: string,
    call: () => Promise<T>,
    { signal, onRetry }: CallOptions,
  ): Promise<T> {
    for (let failures = 0, error: unknown; ;) {
      try {
        return await call();
      } catch (caught) {
        if (!passes(caught) || ++failures >= this.#policy.attempts) throw caught;
        error = caught;
      }
      await pause(this.#policy, failures, { key, signal, onRetry, error });
    }
  }
}

/** A read whose body goes on where it broke off, pinned to its version by `ifMatch`. */
class ResumedObject extends ForwardingObject {
  readonly #store: Store;
  readonly #policy: RetryPolicy;
  readonly #call: CallOptions;
  #used = false;

  constructor(
    inner: StoredObject,
    store: Store,
    policy: RetryPolicy,
    { signal, onRetry }: CallOptions,
  ) {
    super(inner);
    this.#store = store;
    this.#policy = policy;
    this.#call = { signal, onRetry };
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
      return await readSource({ ...source, stream: () => this.#chunks(undefined, error) });
    }
  }

  #use(): void {
    if (this.#used) throw readOnce(this.key);
    this.#used = true;
  }

  /** Chunks of `body`, or from a new request where there is none. */
  async *#chunks(
    body: AsyncIterable<Uint8Array> | undefined,
    error?: unknown,
  ): AsyncGenerator<Uint8Array> {
    let cause = error;
    let done = 0;
    let failures = 0;
    for (let next = body; ; next = undefined) {
      try {
        if (next === undefined) {
          const resent = { ...this.#call, key: this.key, error: cause };
          await pause(this.#policy, Math.max(1, failures), resent);
          next = (await this.#rest(done)).stream();
        }
        for await (const chunk of next) {
          yield chunk;
          done += chunk.length;
          failures = 0;
        }
        return;
      } catch (caught) {
        if (!resumes(caught) || ++failures >= this.#policy.attempts) throw caught;
        cause = caught;
      }
    }
  }

  async #rest(done: number): Promise<StoredObject> {
    const range = { offset: this.range.offset + done, length: this.range.length - done };
    const object = await this.#store.get(this.key, {
      range,
      ifMatch: this.etag,
      ...this.#call,
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
