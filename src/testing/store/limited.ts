/**
 * A store that declares, and keeps to, less than the one below: a file system's short names, a bucket without guarded puts.
 * What an adapter with such limits would do, without that adapter.
 */
import { utf8Length, type ByteInput } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { normaliseKey } from '../../store/key.ts';
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
} from '../../store/store.ts';
import { ForwardingStore } from '../../store/wrappers/forwarding.ts';

/** `store` with other capabilities, all of which may only be weaker. */
export function limitedStore(store: Store, capabilities: Partial<StoreCapabilities>): Store {
  return new Limited(store, { ...store.capabilities, ...capabilities });
}

class Limited extends ForwardingStore {
  readonly #capabilities: StoreCapabilities;

  constructor(inner: Store, capabilities: StoreCapabilities) {
    super(inner);
    this.#capabilities = capabilities;
  }

  override get capabilities(): StoreCapabilities {
    return this.#capabilities;
  }

  override async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const { name, guardedPut } = this.#capabilities;
    if (options.beforePublish !== undefined && !guardedPut) {
      throw new LodeError('LODE_UNSUPPORTED', `storage "${name}" has no guarded put`, { key });
    }
    return this.inner.put(this.#fits(key), body, options);
  }

  override async get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.inner.get(this.#fits(key), options);
  }

  override async head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.inner.head(this.#fits(key), options);
  }

  override async delete(
    keys: string | readonly string[],
    options?: CallOptions,
  ): Promise<DeleteResult[]> {
    for (const key of typeof keys === 'string' ? [keys] : keys) this.#fits(key);
    return this.inner.delete(keys, options);
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    if (this.#capabilities.orderedList) return yield* this.inner.list(prefix, options);
    const all: (ObjectInfo | CommonPrefix)[] = [];
    for await (const entry of this.inner.list(prefix, options)) all.push(entry);
    for (const entry of all.reverse()) {
      options.signal?.throwIfAborted();
      yield entry;
    }
  }

  #fits(key: string): string {
    const clean = normaliseKey(key);
    const { keyBytesMax, componentBytesMax, name } = this.#capabilities;
    const longest = Math.max(...clean.split('/').map(utf8Length));
    if (utf8Length(clean) <= keyBytesMax && longest <= componentBytesMax) return clean;
    throw new LodeError('LODE_INVALID_KEY', `key is too long for storage "${name}"`, { key });
  }
}
