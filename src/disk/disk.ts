/**
 * The Disk seam: local files with explicit durability. The fs store and the Journal are its users; nothing else touches
 * the machine's file system.
 *
 * A write is durable only after `datasync()` of its file, a name only after `syncDirectory()` of its directory. The
 * `recording` disk knows the difference and can show every state a crash may leave.
 *
 * Paths are absolute or relative to the process, with `/`. Errors are `LodeError`s: `LODE_NOT_FOUND` (also for a path
 * that leads through a file), `LODE_ALREADY_EXISTS`, `LODE_INVALID_ARGUMENT` (a directory where a file should be),
 * `LODE_PERMISSION_DENIED` (also for a symbolic link as the last part), `LODE_READ_ONLY`, `LODE_STORAGE_FULL`,
 * `LODE_UNAVAILABLE`.
 */

/** `create`: must not exist. `open-or-create`: created when missing. `write`, `read`: must exist. */
export type OpenMode = 'read' | 'write' | 'create' | 'open-or-create';

export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  /** Modification time in nanoseconds since the Unix epoch. */
  readonly modifiedNs: bigint;
  /** Distinguishes files of one file system, where the platform can. */
  readonly inode: bigint;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
}

export interface DiskFile {
  /** Bytes read into `into`: fewer than asked for only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes`, or rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Makes content and size durable. After it rejects, the file's unsynced content is unknown: never retry it. */
  datasync(): Promise<void>;
  info(): Promise<FileInfo>;
  /** As precisely as the platform keeps it: Node passes times on in steps of about 250 ns. */
  setModified(modifiedNs: bigint): Promise<void>;
  close(): Promise<void>;

  readSync(into: Uint8Array, position: number): number;
  writeSync(bytes: Uint8Array, position: number): void;
  truncateSync(size: number): void;
  datasyncSync(): void;
  closeSync(): void;
}

/** Held until released or until the process ends, however it ends. */
export interface DiskLock {
  release(): Promise<void>;
}

export interface Disk {
  /** Who `tryLock` excludes: every process on the machine that takes the same lock, or only this one. */
  readonly lockScope: 'machine' | 'process';

  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; `LODE_ALREADY_EXISTS` when `to` is taken. Atomic. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes one directory; false when it was there. */
  makeDirectory(path: string): Promise<boolean>;
  removeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Entries in no particular order. */
  list(path: string): Promise<DirectoryEntry[]>;
  /** `undefined` when nothing is there. Does not follow a final symbolic link. */
  info(path: string): Promise<FileInfo | undefined>;
  /** Takes the exclusive lock on the file at `path`, made when missing; `undefined` when another holder has it. Never waits. */
  tryLock(path: string): Promise<DiskLock | undefined>;

  openSync(path: string, mode: OpenMode): DiskFile;
  renameSync(from: string, to: string): void;
  syncDirectorySync(path: string): void;
  infoSync(path: string): FileInfo | undefined;
}
