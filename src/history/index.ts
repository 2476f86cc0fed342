/**
 * The commit protocol that Dataset and Volume share. Guarantees and cost are stated on `History`; what makes a paradigm
 * its own is in the `HistoryFormat` it passes. Non-goals: branches, merges, locks that outlive a call.
 */
export { History } from './history.ts';
export type { Committed } from './history.ts';
export { fenceMember } from './format.ts';
export type { HistoryFormat } from './format.ts';
export type { CommitRequest } from './publication.ts';
export { beginOperation } from './operation.ts';
export type { CallOptions, MeteredOptions, Operation } from './operation.ts';
export { assertName, assertSnapshotId, isSnapshotId, refuseName } from './names.ts';
export {
  assertDigest,
  fetchBytes,
  fetchFile,
  fetchStream,
  rangesOf,
  readStored,
} from './stored-file.ts';
export type { StoredFileOptions } from './stored-file.ts';
export { foldersOf } from './folders.ts';
export { assertMayCommit } from './writers.ts';
export type { Writers } from './writers.ts';
export { collectionAgeMinMs, lateness, uncheckedCommitMs } from './collection-age.ts';
export type { RetryOptions, RetryPolicy } from './retry.ts';
export { retryPolicy } from './retry.ts';
export { mayHaveLanded, notVisible, putDefinitely, sameBytes } from './lost-response.ts';
