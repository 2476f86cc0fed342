/** JSON as Go writes it, and as hostile storage may hold it. */
export { jsonText, JsonWriter } from './writer.ts';
export type { JsonOptions } from './writer.ts';
export { decodeJsonText, parseJson, parseJsonText, parsePlain, readDepthMax } from './reader.ts';
export type { JsonReadOptions } from './reader.ts';
