/** JSON as Go writes it, and as hostile storage may hold it. */
export { encodeJson, jsonText, JsonWriter } from './writer.ts';
export type { JsonOptions } from './writer.ts';
export { decodeJsonText, parseJson, parseJsonText, parsePlain, readDepthMax } from './reader.ts';
export type { JsonLimits, JsonReadOptions } from './reader.ts';
export type { JsonPlace } from './parser.ts';
export type { JsonFlavour } from './text.ts';
