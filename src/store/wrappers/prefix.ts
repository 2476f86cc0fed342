/**
 * `withPrefix`: a part of a store as a store of its own.
 *
 * Keys are cleaned before the prefix goes on, so `..` cannot leave it. Costs nothing; the longest key gets shorter by the
 * prefix. Errors of the store below name the whole key.
 */
import { utf8Length, type ByteInput } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { kindOf } from '../../options.ts';
import { normaliseKey, normalisePrefix } from '../key.ts';
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
  StoreCapabilities,
  StoredObject,
} from '../store.ts';
import { ForwardingObject, ForwardingStore } from './forwarding.ts';

/** A store whose keys are those of `store` below `prefix/`. An empty prefix is the store itself. */
export function withPrefix(store: Store, prefix: string): Store {
  if (typeof prefix !== 'string') {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'a prefix is text', {
      field: 'prefix',
      actual: kindOf(prefix),
    });
  }
  const base = normalisePrefix(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);
  return base === '' ? store : new PrefixStore(store, base);
}

class PrefixStore extends ForwardingStore {
  readonly #base: string;
  readonly #capabilities: StoreCapabilities;

  constructor(inner: Store, base: string) {
    super(inner);
    this.#base = base;
    const { capabilities } = inner;
    const keyBytesMax = capabilities.keyBytesMax - utf8Length(base);
    this.#capabilities = {
      ...capabilities,
      keyBytesMax,
      componentBytesMax: Math.min(capabilities.componentBytesMax, keyBytesMax),
    };
  }

  override get capabilities(): StoreCapabilities {
    return this.#capabilities;
  }

  // Async, so that an invalid key rejects here as it does in every other store.
  override async put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    return this.inner.put(this.#base + normaliseKey(key), body, options);
  }

  override async get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    const name = normaliseKey(key);
    const object = await this.inner.get(this.#base + name, options);
    return object && new ForwardingObject(object, name);
  }

  override async head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    const name = normaliseKey(key);
    const info = await this.inner.head(this.#base + name, options);
    return info && { ...info, key: name };
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    const { startAfter } = options;
    const below = {
      ...options,
      ...(startAfter === undefined ? {} : { startAfter: this.#base + startAfter }),
    };
    for await (const entry of this.inner.list(this.#base + normalisePrefix(prefix), below)) {
      yield this.#without(entry);
    }
  }

  override async delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    const given = typeof keys === 'string' ? [keys] : keys;
    const names = given.map((key) => this.#base + normaliseKey(key));
    const results = await this.inner.delete(names, options);
    return results.map((result, i) => ({ ...result, key: given[i] ?? result.key }));
  }

  #without(entry: ObjectInfo | CommonPrefix): ObjectInfo | CommonPrefix {
    const skip = this.#base.length;
    return 'prefix' in entry
      ? { prefix: entry.prefix.slice(skip) }
      : { ...entry, key: entry.key.slice(skip) };
  }
}
