/** What is asked of one attempt to move the head, and what came of it. */
import { assert } from '../errors.ts';
import type { ETag, PutMode } from '../store/store.ts';
import type { SnapshotFacts } from './format.ts';
import type { Written } from './guard.ts';
import type { Head } from './head.ts';
import { nextSnapshotId } from './ids.ts';
import type { Operation } from './operation.ts';

export interface CommitRequest<M> {
  /** Id under which the data was uploaded; kept as the snapshot's id while the parent allows. */
  readonly snapshotId: string;
  /** Called for each attempt; may store what the manifest refers to. */
  build(place: { readonly snapshotId: string; readonly parent: M | undefined }): M | Promise<M>;
  /** Commit only on top of this snapshot; `null`: only as the first. */
  readonly expectedParent?: string | null | undefined;
  /** What to do after a lost race, where it is not to commit again. */
  readonly afterConflict?: string | undefined;
  /** Set before anything that may refer to the data is written: from then on the data must not be deleted. */
  referenced: boolean;
  /** Called before each attempt to publish, under the lock where there is one; throws when the data is not there any more. */
  assertDataIsThere?(): Promise<void>;
}

export type Publication<M> =
  | {
      readonly outcome: 'landed';
      readonly head: Head<M>;
      readonly manifest: M;
      readonly missingCopies: readonly string[];
    }
  | { readonly outcome: 'conflict' }
  /** The pointer names no manifest: to be settled, without a lock, before anything is committed on top. */
  | { readonly outcome: 'dangling' }
  | { readonly outcome: 'fenced' }
  /** The manifest is there, but another writer took over before the pointer named it. */
  | { readonly outcome: 'superseded'; readonly snapshot: string };

export function landedAs<M extends SnapshotFacts>(
  op: Operation,
  written: Written<M> | undefined,
  etag: ETag | 'superseded' | undefined,
): Publication<M> {
  assert(written !== undefined, 'a pointer was published without its manifests');
  const { manifest } = written;
  return {
    outcome: 'landed',
    manifest,
    head: headOf(op, manifest, etag === 'superseded' ? undefined : etag),
    missingCopies: [],
  };
}

export function headOf<M extends SnapshotFacts>(
  { env }: Operation,
  manifest: M,
  etag: ETag | undefined,
): Head<M> {
  const pointed = manifest.snapshotId;
  return { etag, readAt: nextSnapshotId(env), pointed, manifest, dangling: false, held: false };
}

/** The condition under which the pointer is still what `head` saw. */
export function modeFor<M>(head: Head<M>): PutMode {
  return head.etag === undefined ? 'create' : { ifMatch: head.etag };
}
