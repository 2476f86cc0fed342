/**
 * A put that is repeated until there is a definite answer.
 *
 * An adapter that rejects with a failure of kind `unavailable` says nothing was stored; one that never heard back says
 * `LODE_TIMEOUT` or `LODE_WRITE_UNCERTAIN`: the write may have landed, or may land later. A condition makes repeating safe,
 * since at most one copy can win. A conflict then means either our own copy or somebody else's write:
 *
 * - Before any failed attempt of this call a conflict is a lost race, no questions asked.
 * - After one it is ours only if reading back finds exactly our bytes.
 * - After an unanswered one, other bytes prove nothing: ours may have landed and been replaced since. That stays open as
 *   `LODE_WRITE_UNCERTAIN`; its `resolve()` asks again, and callers that keep a history look for their write there.
 */
import {
  byteSource,
  concat,
  measured,
  type ByteInput,
  type ByteSource,
} from '../../bytes/index.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { checkMode } from '../mode.ts';
import type { ETag, PutOptions, PutResult, Store, StoredObject } from '../store.ts';
import { passes, pause, type RetryPolicy } from './retry-policy.ts';

export async function retriedPut(
  store: Store,
  policy: RetryPolicy,
  key: string,
  body: ByteInput,
  options: PutOptions,
): Promise<PutResult> {
  const mode = checkMode(options.mode);
  options.signal?.throwIfAborted();
  const source = await spool(byteSource(body), policy.spoolBytesMax, options.signal);
  const guard = guarded(options.beforePublish);
  const put = new RetriedPut(store, policy, key, source, guard, {
    ...options,
    mode,
    ...(guard === undefined ? {} : { beforePublish: guard.run }),
  });
  return put.run(source.replayable ? policy.attempts : 1);
}

/** `beforePublish`, called under the lock of every attempt; its own failures are the caller's, not the store's. */
interface Guard {
  readonly run: () => Promise<Uint8Array | void>;
  /** What it put in place of the body, attempt by attempt: any of them may have been published. */
  readonly instead: Uint8Array[];
  failure?: unknown;
}

class RetriedPut {
  readonly #store: Store;
  readonly #policy: RetryPolicy;
  readonly #key: string;
  readonly #source: ByteSource;
  readonly #guard: Guard | undefined;
  readonly #options: PutOptions;
  /** An attempt failed: a conflict that follows may be our own. */
  #failed = false;
  /** An attempt was not answered: it may have landed. */
  #unanswered = false;

  constructor(
    store: Store,
    policy: RetryPolicy,
    key: string,
    source: ByteSource,
    guard: Guard | undefined,
    options: PutOptions,
  ) {
    this.#store = store;
    this.#policy = policy;
    this.#key = key;
    this.#source = source;
    this.#guard = guard;
    this.#options = options;
  }

  async run(attempts: number): Promise<PutResult> {
    for (let failures = 0; ;) {
      let result: PutResult;
      try {
        result = await this.#store.put(this.#key, this.#source, this.#options);
      } catch (error) {
        if (this.#guard !== undefined && error === this.#guard.failure) throw error;
        if (!retries(error)) {
          throw this.#unanswered && isLodeError(error) ? this.#uncertain(error) : error;
        }
        this.#failed = true;
        if (!isLodeError(error, 'LODE_UNAVAILABLE')) this.#unanswered = true;
        if (++failures >= attempts) throw this.#exhausted(error);
        await this.#pause(failures, error);
        continue;
      }
      return result.outcome === 'conflict' && this.#failed ? this.#judge(result) : result;
    }
  }

  /** A conflict after a failed attempt: ours, somebody else's, or not to be told. */
  async #judge(conflict: PutResult): Promise<PutResult> {
    const found = await this.#readBack();
    if (found !== undefined) return { outcome: 'stored', etag: found };
    if (!this.#unanswered) return conflict;
    throw this.#uncertain(undefined);
  }

  /** The etag of the object when it holds exactly our bytes. */
  async #readBack(): Promise<ETag | undefined> {
    const { signal, onRetry } = this.#options;
    for (let failures = 0, cause: unknown; ;) {
      try {
        const object = await this.#store.get(this.#key, { signal, onRetry });
        if (object === undefined) return undefined;
        return (await this.#isOurs(object)) ? object.etag : undefined;
      } catch (error) {
        const known = passes(error) || isLodeError(error, 'LODE_TRUNCATED', 'LODE_OBJECT_CHANGED');
        if (!known) throw error;
        if (++failures >= this.#policy.attempts) throw this.#uncertain(error);
        cause = error;
      }
      await this.#pause(failures, cause);
    }
  }

  #pause(failures: number, error: unknown): Promise<void> {
    const { signal, onRetry } = this.#options;
    return pause(this.#policy, failures, { key: this.#key, signal, onRetry, error });
  }

  async #isOurs(object: StoredObject): Promise<boolean> {
    const instead = this.#guard?.instead ?? [];
    const candidates = [this.#source, ...instead.map(byteSource)].filter(
      ({ size }) => size === undefined || size === object.size,
    );
    const [only] = candidates;
    if (only === undefined) {
      await object.cancel();
      return false;
    }
    if (candidates.length === 1) return sameBytes(object.stream(), only.stream());
    const found = byteSource(await object.bytes());
    for (const candidate of candidates) {
      if (await sameBytes(found.stream(), candidate.stream())) return true;
    }
    return false;
  }

  #exhausted(error: unknown): unknown {
    if (!this.#unanswered || !this.#source.replayable) return error;
    return this.#uncertain(error);
  }

  #uncertain(cause: unknown): LodeError<'LODE_WRITE_UNCERTAIN'> {
    return new LodeError(
      'LODE_WRITE_UNCERTAIN',
      'the store did not say whether it took the write',
      { key: this.#key, resolve: () => this.#resolve() },
      { cause },
    );
  }

  /** Our bytes in place: landed. Else the same conditional put again, which settles what is still in flight. */
  async #resolve(): Promise<'landed' | 'not-landed'> {
    const again = new RetriedPut(this.#store, this.#policy, this.#key, this.#source, this.#guard, {
      mode: this.#options.mode ?? 'create',
      ...(this.#options.beforePublish && { beforePublish: this.#options.beforePublish }),
    });
    again.#failed = true;
    again.#unanswered = true;
    if ((await again.#readBack()) !== undefined) return 'landed';
    // Overwriting now could undo what others wrote since: not ours to repeat.
    if (this.#options.mode === 'overwrite') return 'not-landed';
    await again.run(this.#policy.attempts);
    return 'landed';
  }
}

function retries(error: unknown): boolean {
  return passes(error) || isLodeError(error, 'LODE_WRITE_UNCERTAIN');
}

function guarded(beforePublish: PutOptions['beforePublish']): Guard | undefined {
  if (beforePublish === undefined) return undefined;
  const guard: Guard = {
    instead: [],
    async run() {
      try {
        const instead = await beforePublish();
        if (instead !== undefined) guard.instead.push(instead);
        return instead;
      } catch (error) {
        guard.failure = error;
        throw error;
      }
    },
  };
  return guard;
}

/** A source that can be sent again, when it is short enough; else one that gives up what was read, then the rest, once. */
async function spool(
  source: ByteSource,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<ByteSource> {
  if (source.replayable || (source.size ?? 0) > bytesMax) return source;
  const iterator = measured(source, signal)[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const step = await iterator.next();
    if (step.done === true) return byteSource(concat(held));
    held.push(new Uint8Array(step.value));
    size += step.value.length;
    if (size <= bytesMax) continue;
    return {
      size: source.size,
      replayable: false,
      stream: () => joined(held, { [Symbol.asyncIterator]: () => iterator }),
    };
  }
}

async function* joined(
  held: Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) yield chunk;
  yield* rest;
}

/** Compares two streams whatever their chunks. */
async function sameBytes(
  a: AsyncIterable<Uint8Array>,
  b: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const other = b[Symbol.asyncIterator]();
  let rest = new Uint8Array(0);
  for await (const chunk of a) {
    for (let at = 0; at < chunk.length;) {
      if (rest.length === 0) {
        const step = await other.next();
        if (step.done === true) return false;
        rest = new Uint8Array(step.value);
      }
      const length = Math.min(rest.length, chunk.length - at);
      for (let i = 0; i < length; i++) if (rest[i] !== chunk[at + i]) return false;
      rest = rest.subarray(length);
      at += length;
    }
  }
  return rest.length === 0 && (await other.next()).done === true;
}
