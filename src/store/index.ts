/** The Store seam and its parts. */
export { memoryStore } from './memory.ts';
export type { MemoryStoreOptions } from './memory.ts';
