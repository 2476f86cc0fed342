/** What every wrapper starts from: each call goes on unchanged, capabilities included. Wrappers override what they change. */
import type { ByteInput } from '../../bytes/index.ts';
import type { ClippedRange } from '../range.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  ETag,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from '../store.ts';

export class ForwardingStore implements Store {
  protected readonly inner: Store;

  constructor(inner: Store) {
    this.inner = inner;
  }

  get capabilities(): StoreCapabilities {
    return this.inner.capabilities;
  }

  put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    return this.inner.put(key, body, options);
  }

  get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.inner.get(key, options);
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.inner.head(key, options);
  }

  list(prefix: string, options?: ListOptions & { delimiter?: never }): AsyncIterable<ObjectInfo>;
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo | CommonPrefix>;
  list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo | CommonPrefix> {
    return this.entries(prefix, options);
  }

  /** What `list` yields: one method to override instead of an overloaded one. */
  protected entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    return this.inner.list(prefix, options);
  }

  delete(keys: string | readonly string[], options?: CallOptions): Promise<DeleteResult[]> {
    return this.inner.delete(keys, options);
  }
}

/** A read that goes on to another; wrappers override the part of the body they change. */
export class ForwardingObject implements StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  readonly range: ClippedRange;
  declare readonly notModified?: true;
  protected readonly inner: StoredObject;

  constructor(inner: StoredObject, key: string = inner.key) {
    this.inner = inner;
    this.key = key;
    this.size = inner.size;
    this.etag = inner.etag;
    this.lastModifiedMs = inner.lastModifiedMs;
    this.range = inner.range;
    if (inner.notModified) this.notModified = true;
  }

  stream(): AsyncIterable<Uint8Array> {
    return this.inner.stream();
  }

  bytes(): Promise<Uint8Array> {
    return this.inner.bytes();
  }

  cancel(): Promise<void> {
    return this.inner.cancel();
  }
}
