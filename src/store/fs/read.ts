/**
 * One read of one object. Small bodies were read when the object was opened. Large ones are opened again at the first
 * pull, so a read that nobody uses holds nothing; every byte is of the version named by the etag, or the read fails.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import type { ClippedRange } from '../range.ts';
import { objectChanged, readOnce } from '../stored-bytes.ts';
import type { ETag, ObjectInfo, StoredObject } from '../store.ts';
import { openObject, versionOf } from './version.ts';

const chunkBytes = 256 * 1024;

interface ReadOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly range: ClippedRange;
  /** The bytes of the range, when they have been read already. */
  readonly content: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
}

export class StoredFile implements StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  readonly range: ClippedRange;
  readonly #options: ReadOptions;
  #used = false;

  constructor(info: ObjectInfo, options: ReadOptions) {
    this.key = info.key;
    this.size = info.size;
    this.etag = info.etag;
    this.lastModifiedMs = info.lastModifiedMs;
    this.range = options.range;
    this.#options = options;
  }

  stream(): AsyncIterable<Uint8Array> {
    this.#use();
    return this.#chunks();
  }

  async bytes(): Promise<Uint8Array> {
    this.#use();
    const { content, range, signal } = this.#options;
    if (content !== undefined) return content;
    const into = allocate(range.length, this.key);
    const file = await this.#open();
    try {
      await this.#fill(file, into, range.offset);
      await this.#check(file);
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    return into;
  }

  async cancel(): Promise<void> {
    this.#used = true;
  }

  #use(): void {
    if (this.#used) throw readOnce(this.key);
    this.#used = true;
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    const { content, range, signal } = this.#options;
    if (content !== undefined) {
      if (content.length > 0) yield content;
      return;
    }
    const file = await this.#open();
    try {
      const end = range.offset + range.length;
      for (let at = range.offset; at < end; at += chunkBytes) {
        const chunk = new Uint8Array(Math.min(chunkBytes, end - at));
        await this.#fill(file, chunk, at);
        signal?.throwIfAborted();
        // Before the last chunk, so that who has all bytes knows that they are of one version.
        if (at + chunk.length === end) await this.#check(file);
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  async #open(): Promise<DiskFile> {
    const { disk, path, signal } = this.#options;
    signal?.throwIfAborted();
    const file = await openObject(disk, path);
    if (file === undefined) throw objectChanged(this.key, this.etag, 'none');
    try {
      await this.#check(file);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #check(file: DiskFile): Promise<void> {
    const etag = (await versionOf(file, this.#options.path))?.etag ?? 'none';
    if (etag !== this.etag) throw objectChanged(this.key, this.etag, etag);
  }

  async #fill(file: DiskFile, into: Uint8Array, offset: number): Promise<void> {
    await readRange(file, into, { key: this.key, offset, check: () => this.#check(file) });
  }
}

interface ReadRangeOptions {
  readonly key: string;
  readonly offset: number;
  /** Fails when the file is no longer the version it was. */
  readonly check: () => Promise<void>;
}

/** Fills `into` from a file that is known to be long enough. */
export async function readRange(
  file: DiskFile,
  into: Uint8Array,
  { key, offset, check }: ReadRangeOptions,
): Promise<void> {
  const count = await file.read(into, offset);
  if (count === into.length) return;
  await check();
  throw new LodeError('LODE_TRUNCATED', 'the file ends before the object does', {
    key,
    offset: offset + count,
    expected: into.length,
    actual: count,
  });
}

function allocate(length: number, key: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new LodeError(
      'LODE_LIMIT_EXCEEDED',
      'object is too large to be read whole',
      { key, actual: length, next: 'Read it as a stream, or in ranges.' },
      { cause },
    );
  }
}
