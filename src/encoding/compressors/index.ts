/** Compressors, each by the name Go gives it in manifests (docs/formats/dataset.md, section 6). */
export { gzip } from './gzip.ts';
export type { GzipOptions } from './gzip.ts';
export { none } from './none.ts';
export { zstd } from './zstd.ts';
export type { ZstdOptions } from './zstd.ts';
