/**
 * What a disk in memory holds and what is done to it, as plain data: images to start a disk from, and the events that
 * lead from one image to the next. `lode/testing` builds on both to show what a power loss may leave.
 *
 * Images are never changed once made; disks that start from one copy what they write to.
 */

/** A whole disk at one moment: its root directory. A file with two names is one node in two places. */
export type DiskImage = ImageDirectory;

export interface ImageDirectory {
  readonly kind: 'directory';
  readonly inode: number;
  readonly entries: ReadonlyMap<string, ImageNode>;
}

export interface ImageFile {
  readonly kind: 'file';
  readonly inode: number;
  readonly bytes: Uint8Array;
}

export type ImageNode = ImageFile | ImageDirectory;

/** A name that now leads to `node`, or to nothing. */
export interface NameChange {
  /** Inode of the directory. */
  readonly directory: number;
  readonly name: string;
  readonly node: { readonly kind: ImageNode['kind']; readonly inode: number } | undefined;
}

/** Something that changed a disk, or made changes durable. All changes of one event happen at once. */
export type DiskEvent =
  | {
      readonly kind: 'write';
      readonly inode: number;
      readonly position: number;
      /** Lent for the call: an observer that keeps them copies them. */
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly inode: number; readonly size: number }
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'datasync'; readonly inode: number }
  | { readonly kind: 'syncDirectory'; readonly inode: number };

/** Told of each event once it has happened and before the call that caused it returns. */
export type DiskObserver = (event: DiskEvent) => void;
