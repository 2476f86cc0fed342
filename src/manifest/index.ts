/** What the manifests of datasets and volumes have in common. */
export { Members } from './members.ts';
export {
  assertMember,
  assertSealed,
  creationTime,
  metadataOf,
  parentOf,
  parseManifest,
  schemaOf,
  sealOf,
} from './read.ts';
export type { Metadata } from './read.ts';
export { sealed } from './seal.ts';
export {
  count,
  metadataText,
  name,
  ownMetadata,
  readable,
  refused,
  string,
  tooLarge,
} from './write.ts';
