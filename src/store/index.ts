/**
 * The Store seam and its parts: what storage promises, a store in memory, and the wrappers that add to any store.
 *
 * Wrappers compose. From the outside in, the order that works:
 *
 *     withMeter(withCache(withRetry(withMeter(withProbe(withPrefix(adapter, 'team')), wire))), asked)
 *
 * - `withPrefix` next to the adapter, so that everything else, the probe's key too, stays inside the prefix.
 * - `withProbe` below `withRetry`: a probe that got no answer is tried again.
 * - `withMeter` below `withRetry` and `withCache` counts what the storage was asked, above them what the caller asked, and
 *   the retries.
 * - `withRetry` below `withCache`: a resumed body is cached whole, and a hit needs no retry.
 *
 * Every wrapper forwards capabilities as they are, except that a prefix shortens the longest key.
 */
export { memoryStore } from './memory.ts';
export type { MemoryStoreOptions } from './memory.ts';
export { withCache } from './wrappers/cache.ts';
export type { CacheOptions } from './wrappers/cache.ts';
export { createMeter, withMeter } from './wrappers/meter.ts';
export type { Cost, Meter } from './wrappers/meter.ts';
export { withPrefix } from './wrappers/prefix.ts';
export { withProbe } from './wrappers/probe.ts';
export type { ProbeOptions } from './wrappers/probe.ts';
export { watched, withEvents } from './wrappers/watch.ts';
export type { EventsOptions } from './wrappers/watch.ts';
export { withRetry } from './wrappers/retry.ts';
export type { RetryOptions } from './wrappers/retry.ts';
export type {
  ByteRange,
  CallOptions,
  CommonPrefix,
  DeleteResult,
  ETag,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutMode,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from './store.ts';
