/** Bytes in and out: sources of every kind users have, streamed with back-pressure and hard limits. */
export { byteSource, plainBytes } from './source.ts';
export type { ByteInput, ByteSource } from './source.ts';
export { bytePipe } from './pipe.ts';
export type { BytePipe } from './pipe.ts';
export { collect, concat, sameContent } from './collect.ts';
export { abortable, measured, readSource } from './read.ts';
export { compareUtf8, isWellFormed, utf8Decode, utf8Encode, utf8Length } from './text.ts';
export { copyOf } from './slab.ts';
