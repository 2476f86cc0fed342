/** A `StoredObject` over bytes in memory. Callers get private copies; the bytes given in are never changed. */
import { LodeError } from '../errors.ts';
import { clipRange, type ClippedRange } from './range.ts';
import type { ByteRange, ETag, ObjectInfo, StoredObject } from './store.ts';

const chunkBytes = 256 * 1024;

export class StoredBytes implements StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  readonly range: ClippedRange;
  readonly #content: Uint8Array;
  #used = false;

  constructor(info: ObjectInfo, content: Uint8Array, range: ByteRange | undefined) {
    this.key = info.key;
    this.size = info.size;
    this.etag = info.etag;
    this.lastModifiedMs = info.lastModifiedMs;
    this.range = clipRange(range, info.size);
    this.#content = content;
  }

  stream(): AsyncIterable<Uint8Array> {
    this.#use();
    return chunks(this.#content, this.range);
  }

  async bytes(): Promise<Uint8Array> {
    this.#use();
    return this.#content.slice(this.range.offset, this.range.offset + this.range.length);
  }

  async cancel(): Promise<void> {
    this.#used = true;
  }

  #use(): void {
    if (this.#used) throw readOnce(this.key);
    this.#used = true;
  }
}

/** The answer to a read whose `ifNoneMatch` named the present version. */
export function notModified(info: ObjectInfo): StoredObject {
  return {
    ...info,
    notModified: true,
    range: { offset: 0, length: 0 },
    stream: () => chunks(new Uint8Array(0), { offset: 0, length: 0 }),
    bytes: async () => new Uint8Array(0),
    cancel: async () => {},
  };
}

/** What a second use of one read fails with. */
export function readOnce(key: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this read has been used or cancelled already', {
    key,
    next: 'Call get() again for another read.',
  });
}

/** What a read of a version that is gone fails with. */
export function objectChanged(key: string, expected: ETag, actual: ETag): LodeError {
  return new LodeError('LODE_OBJECT_CHANGED', 'the object is no longer the version asked for', {
    key,
    expected,
    actual,
  });
}

async function* chunks(content: Uint8Array, range: ClippedRange): AsyncGenerator<Uint8Array> {
  const end = range.offset + range.length;
  for (let at = range.offset; at < end; at += chunkBytes) {
    yield content.slice(at, Math.min(at + chunkBytes, end));
  }
}
