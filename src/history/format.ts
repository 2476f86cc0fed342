/**
 * What a paradigm tells `history/` about its objects. Dataset and Volume have the same protocol (a pointer moved by
 * compare-and-swap, immutable manifests linked to their parents) over different keys and manifests.
 */
import type { Subject } from '../errors.ts';
import type { CommitEvent } from '../events.ts';
import type { CallOptions, Store } from '../store/store.ts';
import type { Operation } from './operation.ts';

/** What every manifest says of its place in the history. */
export interface SnapshotFacts {
  readonly snapshotId: string;
  readonly parentSnapshotId?: string | undefined;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Metadata member that marks a manifest as a fence: it occupies an id whose own manifest never came. */
export const fenceMember = 'lode.fence';

export interface HistoryFormat<M extends SnapshotFacts> {
  /** The dataset or volume, as messages and events name it. */
  readonly subject: Subject;
  /** The one mutable object. */
  readonly pointerKey: string;
  /** Canonical manifest key. Its existence is what makes a snapshot exist. */
  manifestKey(snapshot: string): string;
  /** Further keys that hold a copy of the same manifest bytes. */
  copyKeys(manifest: M): readonly string[];
  /** Serialises and validates: whatever cannot be stored is refused here, before anything is visible. */
  encode(manifest: M): Uint8Array;
  /** `LODE_MANIFEST_INVALID` or `LODE_FORMAT_TOO_NEW` for anything it cannot vouch for. */
  decode(bytes: Uint8Array, key: string, snapshot: string): M;
  /** Fetches what a decoded manifest refers to and cannot be used without. */
  complete?(op: Operation, manifest: M): Promise<M>;
  /** Ids of all snapshots that may exist, from a listing, in no promised order; may repeat. */
  scan(store: Store, options: CallOptions): AsyncIterable<string>;
  /** Where else the manifest of a snapshot may be (data written before canonical manifests existed). */
  locate?(store: Store, snapshot: string, options: CallOptions): Promise<string | undefined>;
  /** Manifest keys that other layouts with the same pointer would use. */
  foreignManifestKeys(snapshot: string): readonly string[];
  /** A manifest that changes nothing and occupies `snapshot`, so that its late writer cannot land. */
  fence(snapshot: string, parent: M | undefined): M;
  isFence(manifest: M): boolean;
  /** What the event of a commit says beyond its place in the history. */
  progress?(manifest: M): Pick<CommitEvent, 'coveredBytes' | 'missingBytes'>;
  /** False for text that cannot be a snapshot id, whatever a pointer may contain. */
  isSnapshotId(text: string): boolean;
}
