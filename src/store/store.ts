/**
 * The Store seam: five methods over named objects. Everything durable in a Dataset goes through it.
 *
 * - Modes are data. A lost race is a value (`conflict`); a missing object is a value (`undefined`); a lost *response* is
 *   an error of its own (`LODE_WRITE_UNCERTAIN`).
 * - An adapter is dumb and small: no retry of commits, no cache, no healing. Wrappers add those.
 * - Every adapter and wrapper passes the suite in `testing/` (`storeConformance`), which also proves the capabilities.
 * - Non-goals: rename, append, partial update, transactions over several objects.
 */
import type { ByteInput } from '../bytes/source.ts';
import type { RetryEvent } from '../events.ts';

/** Opaque version of an object, compared for equality only. */
export type ETag = string & { readonly __etag?: never };

/**
 * `create`: only if nothing is there (the default). `overwrite`: whatever is there. `ifMatch`: only if the object is
 * there with this etag. `create` and `ifMatch` are atomic against every writer `capabilities.conditionalWrites` names.
 */
export type PutMode = 'create' | 'overwrite' | { readonly ifMatch: ETag };

/**
 * A lost race is an outcome, not an error. `etag` is that of the object now in place, where the store tells it. What a
 * conflict tells of is as durable as what was stored: callers build on it.
 */
export type PutResult =
  | { readonly outcome: 'stored'; readonly etag: ETag }
  | { readonly outcome: 'conflict'; readonly etag?: ETag };

/** Bytes `[offset, offset + length)`, all from `offset`, or the last `suffix`. Ranges past the end yield what is there. */
export type ByteRange =
  | { readonly offset: number; readonly length: number }
  | { readonly offset: number }
  | { readonly suffix: number };

export interface ObjectInfo {
  readonly key: string;
  /** Size of the whole object, in bytes. */
  readonly size: number;
  readonly etag: ETag;
  /** By the store's own clock, in milliseconds since the Unix epoch. */
  readonly lastModifiedMs: number;
}

/** A `list` entry for everything below one `/`: only with `delimiter`. Ends in `/`. */
export interface CommonPrefix {
  readonly prefix: string;
}

/**
 * One read of one object. Exactly one of `stream()` and `bytes()` may be called, once; a read that is not wanted is
 * `cancel()`led. Every byte comes from the version named by `etag`, or the read fails with `LODE_OBJECT_CHANGED`; a body
 * that ends early fails with `LODE_TRUNCATED`.
 */
export interface StoredObject extends ObjectInfo {
  /** Set when `ifNoneMatch` named the present version: there is no body then. */
  readonly notModified?: true;
  /** The part of the object that the body holds, after clipping to its size. */
  readonly range: { readonly offset: number; readonly length: number };
  stream(): AsyncIterable<Uint8Array>;
  bytes(): Promise<Uint8Array>;
  cancel(): Promise<void>;
}

export interface StoreCapabilities {
  /** Adapter name for messages, such as `fs`. */
  readonly name: string;
  /** Who `create` and `ifMatch` are atomic against: every writer of the storage, only this process, or nobody. */
  readonly conditionalWrites: 'all' | 'process' | 'none';
  /** `beforePublish` runs under the lock that publishes, so what it writes is there before the new content shows. */
  readonly guardedPut: boolean;
  /** `list` yields keys in ascending UTF-8 byte order. */
  readonly orderedList: boolean;
  /** A stored outcome survives power loss. */
  readonly durable: boolean;
  /** Longest key and longest `/`-separated part of a key, in UTF-8 bytes. */
  readonly keyBytesMax: number;
  readonly componentBytesMax: number;
  /** Requests worth keeping in flight at once. */
  readonly concurrency: number;
  /** How long an observer waits for a commit in flight to finish before a writer may fence it, in milliseconds. */
  readonly settleMs: number;
}

export interface CallOptions {
  /** Aborting rejects with `signal.reason`. A write may have landed by then. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each request that is sent again for this call, before it is. Must not throw. */
  readonly onRetry?: ((retry: RetryEvent) => void) | undefined;
}

export interface PutOptions extends CallOptions {
  readonly mode?: PutMode | undefined;
  /**
   * Only with `capabilities.guardedPut`: runs after the comparison holds and before the new content shows, under the
   * lock. When it throws, nothing is published and the error is rethrown. It may call the same store for other keys.
   * Bytes it returns are published in place of `body`. When the put is retried it is called again, under the new lock.
   */
  readonly beforePublish?: (() => Promise<Uint8Array | void>) | undefined;
}

export interface GetOptions extends CallOptions {
  readonly range?: ByteRange | undefined;
  /** Fails with `LODE_OBJECT_CHANGED` unless the object still has this etag. */
  readonly ifMatch?: ETag | undefined;
  /** Answers `notModified` without a body when the object still has this etag. */
  readonly ifNoneMatch?: ETag | undefined;
}

export interface ListOptions extends CallOptions {
  /** Only entries, keys or folded prefixes, that sort after this. */
  readonly startAfter?: string;
  /** Fold everything below the next `/` after the prefix into one `CommonPrefix`. */
  readonly delimiter?: '/';
}

export type DeleteResult =
  | { readonly key: string; readonly outcome: 'deleted' }
  | { readonly key: string; readonly outcome: 'failed'; readonly error: Error };

export interface Store {
  readonly capabilities: StoreCapabilities;

  /**
   * Stores a whole object or nothing: no reader sees a part of it, and when this rejects, the former content stands
   * (or the error is `LODE_WRITE_UNCERTAIN`). Never overwrites unless told to. One request, more for large bodies.
   */
  put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult>;

  /** Starts a read; `undefined` when there is no such object. One request. */
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined>;

  /** Facts about an object without its bytes; `undefined` when there is no such object. One request. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;

  /**
   * Objects whose key starts with `prefix`, in key order, a page (up to 1,000) at a time and in memory bounded by it.
   * `''` lists everything; a prefix ending in `/` matches whole parts only. One request a page.
   */
  list(prefix: string, options?: ListOptions & { delimiter?: never }): AsyncIterable<ObjectInfo>;
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo | CommonPrefix>;

  /**
   * Deletes one or many; a missing object counts as deleted. A result per key, as and in the order given; an invalid key
   * rejects the call before anything is deleted. One request per 1,000.
   */
  delete(keys: string | readonly string[], options?: CallOptions): Promise<DeleteResult[]>;
}
