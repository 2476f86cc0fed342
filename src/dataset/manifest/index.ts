/** Manifests of datasets: types, exact encoding, tolerant and typed decoding. */
export { decodeManifest } from './decode.ts';
export { encodeManifest } from './encode.ts';
export { defaultManifestLimits, formatVersion, schemaName } from './format.ts';
export type { DatasetManifest, FileIndex, ManifestFile, ManifestLimits } from './format.ts';
