/**
 * A whole disk in memory: directories, files, hard links, locks. Names point to inodes, as on POSIX, so a file outlives
 * its name while it is open and a link is the same file. It runs in a browser and is a disk of its own for each call.
 *
 * Nothing survives the process, so `datasync` and `syncDirectory` only check their argument and tell the observer.
 */
import { systemEnv } from '../env.ts';
import type { Env } from '../env.ts';
import { LodeError } from '../errors.ts';
import type { DirectoryEntry, Disk, DiskFile, DiskLock, FileInfo, OpenMode } from './disk.ts';
import type { DiskImage, DiskObserver, ImageNode, NameChange } from './image.ts';

export interface MemoryDiskOptions {
  readonly env?: Env;
  /** What is there from the start; nothing but `/` by default. */
  readonly image?: DiskImage;
  /** Told of every change and sync, in the order they happen. */
  readonly observe?: DiskObserver;
}

/** Paths are absolute whether they start with `/` or not; `/` is there from the start. */
export function memoryDisk(options: MemoryDiskOptions = {}): Disk {
  return new MemoryDisk(options.env ?? systemEnv, options.observe ?? (() => {}), options.image);
}

interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  modifiedNs: bigint;
  /** Capacity; content is the first `size` bytes, and all beyond them is zero. */
  bytes: Uint8Array;
  /** False while `bytes` belong to an image. */
  owned: boolean;
  size: number;
  locked: boolean;
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly inode: number;
  modifiedNs: bigint;
  readonly entries: Map<string, Node>;
}

type Node = FileNode | DirectoryNode;

/** Where a name is, or would be. */
interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
}

class MemoryDisk implements Disk {
  readonly lockScope = 'process';
  readonly #env: Env;
  readonly #observe: DiskObserver;
  readonly #root: DirectoryNode;
  #lastInode = 0;

  constructor(env: Env, observe: DiskObserver, image: DiskImage | undefined) {
    this.#env = env;
    this.#observe = observe;
    this.#root = image === undefined ? this.#newDirectory() : this.#load(image);
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.openSync(path, mode);
  }

  openSync(path: string, mode: OpenMode): DiskFile {
    return new MemoryFile(this.#openFile(path, mode), path, this.#env, this.#observe);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  renameSync(from: string, to: string): void {
    const source = this.#place(from);
    const node = this.#existing(source, from);
    const target = this.#place(to);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === node) return;
    if (replaced?.kind === 'directory') throw isDirectory(to);
    if (replaced !== undefined && node.kind === 'directory') throw taken(to);
    this.#change([source, undefined], [target, node]);
  }

  async link(from: string, to: string): Promise<void> {
    const node = this.#existing(this.#place(from), from);
    const target = this.#place(to);
    if (target.directory.entries.has(target.name)) throw taken(to);
    if (node.kind === 'directory') throw isDirectory(from);
    this.#change([target, node]);
  }

  async unlink(path: string): Promise<void> {
    const place = this.#place(path);
    if (this.#existing(place, path).kind === 'directory') throw isDirectory(path);
    this.#change([place, undefined]);
  }

  async makeDirectory(path: string): Promise<boolean> {
    if (partsOf(path).length === 0) return false;
    const place = this.#place(path);
    const present = place.directory.entries.get(place.name);
    if (present?.kind === 'directory') return false;
    if (present !== undefined) throw taken(path);
    this.#change([place, this.#newDirectory()]);
    return true;
  }

  async removeDirectory(path: string): Promise<void> {
    const directory = this.#directory(path);
    if (directory.entries.size > 0) throw taken(path);
    this.#change([this.#place(path), undefined]);
  }

  async syncDirectory(path: string): Promise<void> {
    this.syncDirectorySync(path);
  }

  syncDirectorySync(path: string): void {
    const { inode } = this.#directory(path);
    this.#observe({ kind: 'syncDirectory', inode });
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    return [...this.#directory(path).entries].map(([name, node]) => ({ name, kind: node.kind }));
  }

  async info(path: string): Promise<FileInfo | undefined> {
    return this.infoSync(path);
  }

  infoSync(path: string): FileInfo | undefined {
    const node = this.#find(partsOf(path));
    return node && infoOf(node);
  }

  async tryLock(path: string): Promise<DiskLock | undefined> {
    const file = this.#openFile(path, 'open-or-create');
    if (file.locked) return undefined;
    file.locked = true;
    let held = true;
    return {
      async release() {
        if (held) file.locked = false;
        held = false;
      },
    };
  }

  #openFile(path: string, mode: OpenMode): FileNode {
    const place = this.#place(path);
    const present = place.directory.entries.get(place.name);
    if (present !== undefined) {
      if (mode === 'create') throw taken(path);
      if (present.kind === 'directory') throw isDirectory(path);
      return present;
    }
    if (mode === 'read' || mode === 'write') throw missing(path);
    const file = newFile(++this.#lastInode, this.#env.now(), new Uint8Array(0), true);
    this.#change([place, file]);
    return file;
  }

  #newDirectory(): DirectoryNode {
    const inode = ++this.#lastInode;
    return { kind: 'directory', inode, modifiedNs: this.#env.now(), entries: new Map() };
  }

  #load(image: DiskImage): DirectoryNode {
    const modifiedNs = this.#env.now();
    const links = new Map<number, FileNode>();
    const load = (from: ImageNode): Node => {
      this.#lastInode = Math.max(this.#lastInode, from.inode);
      if (from.kind === 'directory') return loadDirectory(from);
      const file = links.get(from.inode) ?? newFile(from.inode, modifiedNs, from.bytes, false);
      links.set(from.inode, file);
      return file;
    };
    const loadDirectory = ({ inode, entries: from }: DiskImage): DirectoryNode => {
      const entries = new Map<string, Node>();
      for (const [name, node] of from) entries.set(name, load(node));
      this.#lastInode = Math.max(this.#lastInode, inode);
      return { kind: 'directory', inode, modifiedNs, entries };
    };
    return loadDirectory(image);
  }

  #find(parts: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of parts) {
      if (node?.kind !== 'directory') return undefined;
      node = node.entries.get(part);
    }
    return node;
  }

  #place(path: string): Place {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw isDirectory(path);
    const directory = this.#find(parts);
    if (directory?.kind !== 'directory') throw missing(path);
    return { directory, name };
  }

  #existing(place: Place, path: string): Node {
    const node = place.directory.entries.get(place.name);
    if (node === undefined) throw missing(path);
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(partsOf(path));
    if (node?.kind !== 'directory') throw missing(path);
    return node;
  }

  /** The only place where names change: all of them at once, then the observer is told. */
  #change(...changes: readonly (readonly [Place, Node | undefined])[]): void {
    const told: NameChange[] = [];
    for (const [{ directory, name }, node] of changes) {
      if (node === undefined) directory.entries.delete(name);
      else directory.entries.set(name, node);
      directory.modifiedNs = this.#env.now();
      told.push({ directory: directory.inode, name, node });
    }
    this.#observe({ kind: 'names', changes: told });
  }
}

class MemoryFile implements DiskFile {
  readonly #node: FileNode;
  readonly #path: string;
  readonly #env: Env;
  readonly #observe: DiskObserver;
  #open = true;

  constructor(node: FileNode, path: string, env: Env, observe: DiskObserver) {
    this.#node = node;
    this.#path = path;
    this.#env = env;
    this.#observe = observe;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return this.readSync(into, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.writeSync(bytes, position);
  }

  async truncate(size: number): Promise<void> {
    this.truncateSync(size);
  }

  truncateSync(size: number): void {
    this.#checkOpen();
    const node = this.#node;
    reserve(node, Math.max(size, node.size));
    node.bytes.fill(0, size, node.size);
    node.size = size;
    node.modifiedNs = this.#env.now();
    this.#observe({ kind: 'truncate', inode: node.inode, size });
  }

  async datasync(): Promise<void> {
    this.datasyncSync();
  }

  async info(): Promise<FileInfo> {
    this.#checkOpen();
    return infoOf(this.#node);
  }

  async setModified(modifiedNs: bigint): Promise<void> {
    this.#checkOpen();
    this.#node.modifiedNs = modifiedNs;
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  closeSync(): void {
    this.#open = false;
  }

  readSync(into: Uint8Array, position: number): number {
    this.#checkOpen();
    const from = this.#node.bytes.subarray(0, this.#node.size).subarray(position);
    const found = from.subarray(0, into.length);
    into.set(found);
    return found.length;
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#checkOpen();
    const node = this.#node;
    const end = position + bytes.length;
    reserve(node, end);
    node.bytes.set(bytes, position);
    node.size = Math.max(node.size, end);
    node.modifiedNs = this.#env.now();
    this.#observe({ kind: 'write', inode: node.inode, position, bytes });
  }

  datasyncSync(): void {
    this.#checkOpen();
    this.#observe({ kind: 'datasync', inode: this.#node.inode });
  }

  #checkOpen(): void {
    if (!this.#open) {
      throw new LodeError('LODE_CLOSED', 'this file has been closed', { key: this.#path });
    }
  }
}

function infoOf(node: Node): FileInfo {
  const { kind, modifiedNs, inode } = node;
  return {
    kind,
    size: node.kind === 'file' ? node.size : 0,
    modifiedNs,
    inode: BigInt(inode),
  };
}

function newFile(inode: number, modifiedNs: bigint, bytes: Uint8Array, owned: boolean): FileNode {
  return { kind: 'file', inode, modifiedNs, bytes, owned, size: bytes.length, locked: false };
}

/**
 * Makes room for `size` bytes that may be written in place. Doubles the capacity, so that appends cost amortised
 * constant time; bytes of an image are copied first.
 */
function reserve(node: FileNode, size: number): void {
  if (node.owned && size <= node.bytes.length) return;
  node.owned = true;
  const larger = new Uint8Array(Math.max(size, node.bytes.length * 2));
  larger.set(node.bytes);
  node.bytes = larger;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function missing(path: string): LodeError {
  return new LodeError('LODE_NOT_FOUND', 'no such file or directory', { key: path });
}

function taken(path: string): LodeError {
  return new LodeError('LODE_ALREADY_EXISTS', 'something else is there', { key: path });
}

function isDirectory(path: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this is a directory', { key: path });
}
