/**
 * Stores whose requests are told to those who listen. `watched`: what datasets work on, for the length of one call; where
 * nobody listens it is the store itself. `withEvents`: a store that is used without a dataset.
 */
import type { ByteInput } from '../../bytes/index.ts';
import { systemEnv, type Env } from '../../env.ts';
import { isLodeError } from '../../errors.ts';
import { requests, retries, waits, type Logger, type RequestEvent } from '../../events.ts';
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
import { ForwardingStore } from './forwarding.ts';

/** Locks are held for milliseconds: a wait this long says that writers are in each other's way. */
const slowLockMs = 1000;

export function watched(store: Store, env: Env, logger?: Logger): Store {
  if (logger === undefined && !requests.isWatched && !waits.isWatched) return store;
  // One that tells already is not told of twice.
  return new WatchedStore(store instanceof WatchedStore ? store.watches : store, env, logger);
}

export interface EventsOptions {
  /** Hears of requests that are sent again, and of long waits for locks. */
  readonly logger?: Logger;
  readonly env?: Env;
}

/** Tells `lode:request` of a store that is used by itself. Datasets tell of theirs: on this store, once. */
export function withEvents(store: Store, { logger, env = systemEnv }: EventsOptions = {}): Store {
  return new WatchedStore(store, env, logger);
}

type Method = RequestEvent['method'];
type Answered = Pick<RequestEvent, 'outcome' | 'code' | 'count'>;

class WatchedStore extends ForwardingStore {
  readonly #env: Env;
  readonly #logger: Logger | undefined;

  constructor(inner: Store, env: Env, logger: Logger | undefined) {
    super(inner);
    this.#env = env;
    this.#logger = logger;
  }

  get watches(): Store {
    return this.inner;
  }

  override put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const { beforePublish } = options;
    const all =
      beforePublish === undefined
        ? options
        : { ...options, beforePublish: this.#timed(key, beforePublish) };
    return this.#told(
      'put',
      key,
      () => this.inner.put(key, body, this.#heard(all)),
      ({ outcome }) => ({ outcome: outcome === 'stored' ? 'ok' : 'conflict' }),
    );
  }

  override get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.#told(
      'get',
      key,
      () => this.inner.get(key, this.#heard(options)),
      (object) => ({ outcome: object?.notModified === true ? 'unmodified' : found(object) }),
    );
  }

  override head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#told(
      'head',
      key,
      () => this.inner.head(key, this.#heard(options)),
      (info) => ({ outcome: found(info) }),
    );
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    const startMs = this.#env.monotonic();
    let count = 0;
    let answered: Answered = { outcome: 'stopped' };
    try {
      for await (const entry of this.inner.list(prefix, this.#heard(options))) {
        count++;
        yield entry;
      }
      answered = { outcome: 'ok' };
    } catch (error) {
      answered = failed(error);
      throw error;
    } finally {
      this.#tell('list', prefix, startMs, { ...answered, count });
    }
  }

  override delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    const first = typeof keys === 'string' ? keys : (keys[0] ?? '');
    return this.#told(
      'delete',
      first,
      () => this.inner.delete(keys, this.#heard(options)),
      (results) => {
        const failure = results.find(({ outcome }) => outcome === 'failed');
        const count = results.filter(({ outcome }) => outcome === 'deleted').length;
        return failure?.outcome === 'failed'
          ? { ...failed(failure.error), count }
          : { outcome: 'ok', count };
      },
    );
  }

  async #told<T>(
    method: Method,
    key: string,
    call: () => Promise<T>,
    read: (answer: T) => Answered,
  ): Promise<T> {
    const startMs = this.#env.monotonic();
    let answered: Answered | undefined;
    try {
      const answer = await call();
      answered = read(answer);
      return answer;
    } catch (error) {
      answered = failed(error);
      throw error;
    } finally {
      if (answered !== undefined) this.#tell(method, key, startMs, answered);
    }
  }

  #tell(method: Method, key: string, startMs: number, answered: Answered): void {
    requests.tell(undefined, () => {
      const ms = this.#env.monotonic() - startMs;
      return { store: this.capabilities.name, method, key, ...answered, ms };
    });
  }

  /** Retries told to the logger, which has no channel of its own. */
  #heard<O extends CallOptions>(options: O): O;
  #heard<O extends CallOptions>(options: O | undefined): O | undefined;
  #heard<O extends CallOptions>(options: O | undefined): O | undefined {
    const logger = this.#logger;
    if (logger === undefined) return options;
    const outer = options?.onRetry;
    const onRetry: CallOptions['onRetry'] = (retry) => {
      retries.log(logger, retry);
      outer?.(retry);
    };
    return { ...(options as O), onRetry };
  }

  /** The guard runs once the lock is held. */
  #timed<T>(key: string, beforePublish: () => Promise<T>): () => Promise<T> {
    const startMs = this.#env.monotonic();
    let isFirst = true;
    return () => {
      const ms = this.#env.monotonic() - startMs;
      if (isFirst && ms >= slowLockMs)
        waits.tell(this.#logger, () => ({ reason: 'lock', key, ms }));
      isFirst = false;
      return beforePublish();
    };
  }
}

function found(what: object | undefined): 'ok' | 'missing' {
  return what === undefined ? 'missing' : 'ok';
}

function failed(error: unknown): Answered {
  return { outcome: 'failed', code: isLodeError(error) ? error.code : undefined };
}
