/**
 * `lode/fs`: objects as files in a directory. Durable by default, and safe for many writers of one machine at once,
 * Go Lode among them. And volumes as local files.
 */
export { fsStore } from './store/fs/index.ts';
export type { FsStoreOptions } from './store/fs/index.ts';
export { materialize } from './local/materialize.ts';
export type { MaterializeOptions } from './local/materialize.ts';
