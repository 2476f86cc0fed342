/** A store in a directory. */
export { fsStore } from './store.ts';
export type { FsStoreOptions } from './store.ts';
