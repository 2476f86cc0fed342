/**
 * Staged files: content that is written and synced under a name no key can have, before it gets its own.
 *
 * A crash leaves at most such a file behind. It is never listed, never read and in nobody's way.
 */
import { measured, type ByteSource } from '../../bytes/index.ts';
import type { Disk, DiskFile } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { reservedStart } from '../key.ts';
import type { ETag } from '../store.ts';
import { contentEtagBytesMax, etagOf, Stamps } from './version.ts';

export interface Staged {
  readonly path: string;
  /** What the object will be known by once it is published. */
  readonly etag: ETag;
}

interface StageOptions {
  /** In the directory where it will be published. */
  readonly directory: string;
  /** True when it may replace another version: its etag must then differ from all before. */
  readonly replaces: boolean;
  readonly signal: AbortSignal | undefined;
  /** What has to last before the file may be published; it is synced meanwhile. */
  readonly lasting: Promise<unknown> | undefined;
}

export class Staging {
  readonly #disk: Disk;
  readonly #env: Env;
  readonly #durable: boolean;
  readonly #stamps: Stamps;
  #prefix: string | undefined;
  #count = 0;

  constructor(disk: Disk, env: Env, durable: boolean) {
    this.#disk = disk;
    this.#env = env;
    this.#durable = durable;
    this.#stamps = new Stamps(env);
  }

  async stage(source: ByteSource, options: StageOptions): Promise<Staged> {
    const { path, file } = await this.#create(options.directory);
    try {
      let etag: ETag;
      try {
        const { size, head } = await fill(file, source, options.signal);
        if (size > contentEtagBytesMax && options.replaces) {
          await file.setModified(this.#stamps.next());
        }
        // After a failed sync the content is unknown: it is thrown away, never tried again.
        if (this.#durable) await file.datasync();
        etag = etagOf(await file.info(), size > contentEtagBytesMax ? undefined : head);
      } finally {
        await file.close();
      }
      if (options.lasting !== undefined) await options.lasting;
      options.signal?.throwIfAborted();
      return { path, etag };
    } catch (error) {
      await this.discard(path);
      throw error;
    }
  }

  /** As well as it goes: what cannot be removed is a hidden file, not a failure. */
  async discard(path: string): Promise<void> {
    try {
      await this.#disk.unlink(path);
    } catch {
      // It stays, hidden.
    }
  }

  /** A hidden name in `directory` that nothing has. */
  name(directory: string): string {
    this.#prefix ??= `${reservedStart}${this.#env.id()}-`;
    return `${directory}/${this.#prefix}${this.#count++}`;
  }

  async #create(directory: string): Promise<{ path: string; file: DiskFile }> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const path = this.name(directory);
      try {
        return { path, file: await this.#disk.open(path, 'create') };
      } catch (error) {
        if (!isLodeError(error, 'LODE_ALREADY_EXISTS')) throw error;
        // Left by a crash, under an Env that repeats its ids.
        this.#prefix = undefined;
      }
    }
    throw new LodeError('LODE_UNAVAILABLE', 'no free name for a staged file', { key: directory });
  }
}

interface Filled {
  readonly size: number;
  /** The first bytes, as many as an etag by content may need. */
  readonly head: Uint8Array;
}

async function fill(
  file: DiskFile,
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Filled> {
  if (source.bytes !== undefined) {
    await file.write(source.bytes, 0);
    return { size: source.bytes.length, head: source.bytes };
  }
  const head = new Uint8Array(contentEtagBytesMax);
  let size = 0;
  for await (const chunk of measured(source, signal)) {
    if (size < head.length) head.set(chunk.subarray(0, head.length - size), size);
    await file.write(chunk, size);
    size += chunk.length;
  }
  return { size, head: head.subarray(0, size) };
}
