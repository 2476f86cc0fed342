/**
 * Which version of an object a file holds, and the etag that names it.
 *
 * An etag is inode, size and time of modification, so that listing a store reads no objects. A kernel's clock ticks in
 * milliseconds and inodes are used again, so two more things keep a later version of a key from repeating an etag: up to
 * 64 bytes the content is part of it (what a pointer says is what it is compared by, whoever wrote it), and above, files
 * that may replace others get a time of their own (`Stamps`).
 */
import type { Disk, DiskFile, FileInfo } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { isLodeError } from '../../errors.ts';
import type { ETag, ObjectInfo } from '../store.ts';
import { refused } from './directories.ts';

/** Objects up to this size have their content in their etag. */
export const contentEtagBytesMax = 64;

/** `content`: of an object of up to `contentEtagBytesMax` bytes. */
export function etagOf(info: FileInfo, content: Uint8Array | undefined): ETag {
  let etag = `${info.inode.toString(36)}-${info.size.toString(36)}-${info.modifiedNs.toString(36)}`;
  if (content === undefined) return etag;
  etag += '-';
  for (const byte of content) etag += (byte < 16 ? '0' : '') + byte.toString(16);
  return etag;
}

/** An object as it is on disk now. */
interface Version {
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  /** Of objects that have it in their etag. */
  readonly content?: Uint8Array;
}

/** Reads the version of an open file; undefined when it is no file. */
export async function versionOf(file: DiskFile, path: string): Promise<Version | undefined> {
  const info = await file.info();
  if (info.kind === 'other') throw refused(path);
  if (info.kind !== 'file') return undefined;
  const lastModifiedMs = Number(info.modifiedNs / 1_000_000n);
  if (info.size > contentEtagBytesMax) {
    return { size: info.size, etag: etagOf(info, undefined), lastModifiedMs };
  }
  // Room for more than there should be: someone who writes in place may be at it just now.
  const into = new Uint8Array(info.size + 1);
  const size = await file.read(into, 0);
  if (size !== info.size) return versionOf(file, path);
  const content = into.subarray(0, size);
  return { size, etag: etagOf(info, content), lastModifiedMs, content };
}

/** Opens the file of an object; undefined when there is none. */
export async function openObject(disk: Disk, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    // A directory is no object, however the platform says so.
    if (isLodeError(error, 'LODE_NOT_FOUND', 'LODE_INVALID_ARGUMENT')) return undefined;
    throw error;
  }
}

export async function versionAt(disk: Disk, path: string): Promise<Version | undefined> {
  const file = await openObject(disk, path);
  if (file === undefined) return undefined;
  try {
    return await versionOf(file, path);
  } finally {
    await file.close();
  }
}

export function infoOf(key: string, { size, etag, lastModifiedMs }: Version): ObjectInfo {
  return { key, size, etag, lastModifiedMs };
}

/** Times that never repeat in this store, in steps that survive the way through a double. */
export class Stamps {
  readonly #env: Env;
  #last = 0n;

  constructor(env: Env) {
    this.#env = env;
  }

  next(): bigint {
    const now = this.#env.now();
    const next = this.#last + 1000n;
    return (this.#last = now > next ? now : next);
  }
}
