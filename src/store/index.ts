/** The Store seam and its parts: what storage promises, a store in memory, and the wrappers that add to any store. */
export { memoryStore } from './memory.ts';
export type { MemoryStoreOptions } from './memory.ts';
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
