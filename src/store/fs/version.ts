/**
 * Which version of an object a file holds, and the etag that names it.
 *
 * Up to 64 bytes the etag is the content itself: what a pointer says is what it is compared by, and nothing about files
 * or clocks has to be trusted. Above, it is inode, size and time of modification, so that listing a store reads no
 * objects. A kernel's clock ticks in milliseconds and inodes are used again, so files that replace others get a time
 * of their own (`stamp`): no later version of a key repeats an earlier etag.
 */
import type { Disk, DiskFile, FileInfo } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { isLodeError } from '../../errors.ts';
import type { ETag, ObjectInfo } from '../store.ts';
import { refused } from './directories.ts';

/** Objects up to this size are named by their content. */
export const contentEtagBytesMax = 64;

export function contentEtag(content: Uint8Array): ETag {
  let etag = '=';
  for (const byte of content) etag += hexOf(byte);
  return etag;
}

function hexOf(byte: number): string {
  return (byte < 16 ? '0' : '') + byte.toString(16);
}

/** Of an object longer than `contentEtagBytesMax`. */
export function fileEtag(info: FileInfo): ETag {
  return `${info.inode.toString(36)}-${info.size.toString(36)}-${info.modifiedNs.toString(36)}`;
}

/** An object as it is on disk now. */
export interface Version {
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  /** Of objects named by their content. */
  readonly content?: Uint8Array;
}

/** Reads the version of an open file; undefined when it is no file. */
export async function versionOf(file: DiskFile, path: string): Promise<Version | undefined> {
  const info = await file.info();
  if (info.kind === 'other') throw refused(path);
  if (info.kind !== 'file') return undefined;
  const lastModifiedMs = Number(info.modifiedNs / 1_000_000n);
  if (info.size > contentEtagBytesMax) {
    return { size: info.size, etag: fileEtag(info), lastModifiedMs };
  }
  // Room for more than there should be: someone who writes in place may be at it just now.
  const into = new Uint8Array(contentEtagBytesMax + 1);
  const size = await file.read(into, 0);
  if (size > contentEtagBytesMax) return versionOf(file, path);
  const content = into.subarray(0, size);
  return { size, etag: contentEtag(content), lastModifiedMs, content };
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
