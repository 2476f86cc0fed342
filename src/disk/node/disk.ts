/**
 * The machine's file system. The only place that imports `node:fs`.
 *
 * Calls that only touch names or the page cache are made on the calling thread: they take microseconds on a local disk,
 * a trip through the thread pool takes tens. Syncs, large transfers and directory listings go through the pool
 * (docs/decisions/0002-sync-metadata-calls.md).
 */
import * as fs from 'node:fs';
import type { DirectoryEntry, Disk, DiskFile, DiskLock, FileInfo, OpenMode } from '../disk.ts';
import { LodeError } from '../../errors.ts';
import { call, diskError, errorNumber } from './errors.ts';
import { infoOf, kindOf, NodeFile } from './file.ts';
import { platformLock } from './lock.ts';
import type { LockMechanism } from './lock.ts';

interface NodeDiskOptions {
  /** Instead of the platform's own choice. */
  readonly lock?: LockMechanism;
}

export function nodeDisk(options: NodeDiskOptions = {}): Disk {
  return new NodeDisk(options.lock ?? platformLock());
}

/**
 * Windows has neither O_DIRECTORY, O_NOFOLLOW nor O_NONBLOCK: undefined there, which counts as 0. O_NONBLOCK is so that a
 * FIFO planted where a file should be does not hang the process in `open`.
 */
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
const onWindows = process.platform === 'win32';

const flags: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  write: O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  create: O_RDWR | O_CREAT | O_EXCL,
  'open-or-create': O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
};

class NodeDisk implements Disk {
  readonly #lock: LockMechanism;

  constructor(lock: LockMechanism) {
    this.#lock = lock;
  }

  get lockScope(): Disk['lockScope'] {
    return this.#lock.scope;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.openSync(path, mode);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    try {
      fs.linkSync(from, to);
    } catch (error) {
      if (errorNumber(error) !== 'EPERM') throw diskError(error, 'link', to);
      throw new LodeError(
        'LODE_UNSUPPORTED',
        'this file system does not make hard links',
        { key: to, next: 'Keep the files on a file system with hard links.' },
        { cause: error },
      );
    }
  }

  async unlink(path: string): Promise<void> {
    call('unlink', path, () => fs.unlinkSync(path));
  }

  async makeDirectory(path: string): Promise<boolean> {
    try {
      fs.mkdirSync(path, 0o755);
      return true;
    } catch (error) {
      if (errorNumber(error) === 'EEXIST' && (await this.info(path))?.kind === 'directory') {
        return false;
      }
      throw diskError(error, 'make a directory', path);
    }
  }

  async removeDirectory(path: string): Promise<void> {
    call('remove a directory', path, () => fs.rmdirSync(path));
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows opens no directories; NTFS logs its names by itself.
    if (onWindows) return;
    const descriptor = openDirectory(path);
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(descriptor, (error) =>
          error === null ? resolve() : reject(diskError(error, 'sync a directory', path)),
        );
      });
    } finally {
      fs.closeSync(descriptor);
    }
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    try {
      const entries = await fs.promises.readdir(path, { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    } catch (error) {
      throw diskError(error, 'list', path);
    }
  }

  async info(path: string): Promise<FileInfo | undefined> {
    return this.infoSync(path);
  }

  tryLock(path: string): Promise<DiskLock | undefined> {
    return this.#lock.tryLock(path);
  }

  openSync(path: string, mode: OpenMode): DiskFile {
    if (onWindows) refuseLink(path);
    return new NodeFile(
      call(`open (${mode})`, path, () => fs.openSync(path, flags[mode], 0o644)),
      path,
    );
  }

  renameSync(from: string, to: string): void {
    call('rename', to, () => fs.renameSync(from, to));
  }

  syncDirectorySync(path: string): void {
    if (onWindows) return;
    const descriptor = openDirectory(path);
    try {
      call('sync a directory', path, () => fs.fsyncSync(descriptor));
    } finally {
      fs.closeSync(descriptor);
    }
  }

  infoSync(path: string): FileInfo | undefined {
    try {
      const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats && infoOf(stats);
    } catch (error) {
      if (errorNumber(error) === 'ENOTDIR') return undefined;
      throw diskError(error, 'inspect', path);
    }
  }
}

function openDirectory(path: string): number {
  return call('open a directory', path, () => fs.openSync(path, O_RDONLY | O_DIRECTORY));
}

/** Where `O_NOFOLLOW` does not exist: a check before the open, with the race that leaves. */
function refuseLink(path: string): void {
  const stats = call('inspect', path, () => fs.lstatSync(path, { throwIfNoEntry: false }));
  if (stats?.isSymbolicLink() !== true) return;
  throw new LodeError('LODE_PERMISSION_DENIED', 'this is a symbolic link', { key: path });
}
