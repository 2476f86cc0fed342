/**
 * `lode/fs`: objects as files in a directory. Durable by default, and safe for many writers of one machine at once,
 * Go Lode among them.
 */
export { fsStore } from './store/fs/index.ts';
export type { FsStoreOptions } from './store/fs/index.ts';
