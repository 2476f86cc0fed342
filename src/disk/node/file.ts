/**
 * One open file. Transfers of up to 64 KiB go straight to the page cache on the calling thread; larger ones and every
 * sync go through the thread pool (docs/decisions/0002-sync-metadata-calls.md).
 */
import * as fs from 'node:fs';
import { LodeError } from '../../errors.ts';
import type { DiskFile, FileInfo } from '../disk.ts';
import { call, diskError } from './errors.ts';

/** A thread-pool hop costs as much as copying this many bytes many times over. */
const inlineBytesMax = 64 * 1024;
/** Node takes no longer transfers in one call than 2 GiB. */
const transferBytesMax = 1024 * 1024 * 1024;

export class NodeFile implements DiskFile {
  #descriptor: number | undefined;
  readonly #path: string;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (into.length <= inlineBytesMax) return this.readSync(into, position);
    const descriptor = this.#open();
    let done = 0;
    while (done < into.length) {
      const count = await new Promise<number>((resolve, reject) => {
        const length = Math.min(into.length - done, transferBytesMax);
        fs.read(descriptor, into, done, length, position + done, (error, bytes) =>
          error === null ? resolve(bytes) : reject(diskError(error, 'read', this.#path)),
        );
      });
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (bytes.length <= inlineBytesMax) return this.writeSync(bytes, position);
    const descriptor = this.#open();
    let done = 0;
    while (done < bytes.length) {
      done += await new Promise<number>((resolve, reject) => {
        const length = Math.min(bytes.length - done, transferBytesMax);
        fs.write(descriptor, bytes, done, length, position + done, (error, count) =>
          error === null ? resolve(count) : reject(diskError(error, 'write', this.#path)),
        );
      });
    }
  }

  async truncate(size: number): Promise<void> {
    this.truncateSync(size);
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#open(), (error) =>
        error === null ? resolve() : reject(diskError(error, 'sync', this.#path)),
      );
    });
  }

  async info(): Promise<FileInfo> {
    const descriptor = this.#open();
    return infoOf(call('inspect', this.#path, () => fs.fstatSync(descriptor, { bigint: true })));
  }

  async setModified(modifiedNs: bigint): Promise<void> {
    const descriptor = this.#open();
    const seconds = Number(modifiedNs) / 1e9;
    call('set the time', this.#path, () => fs.futimesSync(descriptor, seconds, seconds));
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  readSync(into: Uint8Array, position: number): number {
    const descriptor = this.#open();
    return call('read', this.#path, () => {
      let done = 0;
      while (done < into.length) {
        const length = Math.min(into.length - done, transferBytesMax);
        const count = fs.readSync(descriptor, into, done, length, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  writeSync(bytes: Uint8Array, position: number): void {
    const descriptor = this.#open();
    call('write', this.#path, () => {
      let done = 0;
      while (done < bytes.length) {
        const length = Math.min(bytes.length - done, transferBytesMax);
        done += fs.writeSync(descriptor, bytes, done, length, position + done);
      }
    });
  }

  truncateSync(size: number): void {
    const descriptor = this.#open();
    call('truncate', this.#path, () => fs.ftruncateSync(descriptor, size));
  }

  datasyncSync(): void {
    const descriptor = this.#open();
    call('sync', this.#path, () => fs.fdatasyncSync(descriptor));
  }

  closeSync(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    call('close', this.#path, () => fs.closeSync(descriptor));
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    throw new LodeError('LODE_CLOSED', 'this file has been closed', { key: this.#path });
  }
}

export function infoOf(stats: fs.BigIntStats): FileInfo {
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    modifiedNs: stats.mtimeNs,
    inode: stats.ino,
  };
}

export function kindOf(entry: fs.BigIntStats | fs.Dirent): FileInfo['kind'] {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other';
}
