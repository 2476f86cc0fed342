/** Manifests of volumes: types, exact encoding, tolerant and typed decoding. */
export { decodeManifest } from './decode.ts';
export { encodeManifest } from './encode.ts';
export { compactVersion, defaultManifestLimits, formatVersion, schemaName } from './format.ts';
export type { VolumeManifest, VolumeManifestLimits } from './format.ts';
