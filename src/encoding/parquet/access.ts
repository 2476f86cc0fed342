/**
 * Positioned reads on one data file: in parts, where only parts are wanted; else all of it, verified by its digest.
 *
 * A small file is fetched whole and verified before anything is decoded. A large one is read from its beginning to its end
 * in one stream, holding a row group at a time: its digest is compared at the end, before the reader is told that it is done.
 */
import { collect, concat, sameContent } from '../../bytes/collect.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { Turns } from '../../parallel.ts';
import type { DataFile } from '../codec.ts';

export interface FileAccess {
  readonly size: number;
  /** Whether the footer is verified: only then may it say what can be passed over. */
  readonly trusted: boolean;
  /** Exactly `[offset, offset + length)`, which the caller knows to lie inside the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Ends a read of the whole file by comparing it with its digest. */
  finish(): Promise<void>;
  /** Gives up what is still under way. */
  close(): Promise<void>;
}

interface AccessOptions {
  /** Largest file held in memory. */
  readonly fileBytesMax: number;
  /** Not all columns are wanted. */
  readonly someColumns: boolean;
  /** Not all row groups are wanted. */
  readonly someRows: boolean;
}

/** Holds the footer of most files, and all of a small one. */
const tailBytes = 64 * 1024;
/** Files up to this size are read whole in one piece. */
const wholeBytesMax = 8 * 1024 * 1024;

export async function openAccess(file: DataFile, options: AccessOptions): Promise<FileAccess> {
  const { size, readRange, readIndex } = file;
  const isPart = options.someColumns || (options.someRows && readIndex !== undefined);
  const wholeMax = isPart ? tailBytes : wholeBytesMax;
  if (readRange === undefined || size === undefined || size <= wholeMax)
    return inMemory(await collect(file.stream(), options.fileBytesMax, { key: file.key }));
  const ranges = new Ranges(file.key, size, readRange);
  const wanted = Math.min(size, tailBytes);
  const tail =
    readIndex === undefined ? await ranges.read(size - wanted, wanted) : await readIndex(wanted);
  const access = isPart ? ranges : new Forward(file, ranges, size - tail.length);
  return new Ended(access, tail, size, readIndex !== undefined);
}

function inMemory(bytes: Uint8Array): FileAccess {
  return {
    size: bytes.length,
    // Nothing says that there was a digest to compare; and passing over what is in memory saves little.
    trusted: false,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

interface Body {
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @param tail  The end of the file as it was read first. */
  finish(tail: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A body whose end has been read already. */
class Ended implements FileAccess {
  readonly size: number;
  readonly trusted: boolean;
  readonly #body: Body;
  readonly #tail: Uint8Array;

  constructor(body: Body, tail: Uint8Array, size: number, trusted: boolean) {
    this.#body = body;
    this.#tail = tail;
    this.size = size;
    this.trusted = trusted;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - (this.size - this.#tail.length);
    if (at < 0) return this.#body.read(offset, length);
    return Promise.resolve(this.#tail.subarray(at, at + length));
  }

  finish(): Promise<void> {
    return this.#body.finish(this.#tail);
  }

  close(): Promise<void> {
    return this.#body.close();
  }
}

/** Each read is one request. */
class Ranges implements Body {
  readonly #key: string;
  readonly #size: number;
  readonly #readRange: NonNullable<DataFile['readRange']>;

  constructor(key: string, size: number, readRange: NonNullable<DataFile['readRange']>) {
    this.#key = key;
    this.#size = size;
    this.#readRange = readRange;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = await this.#readRange(offset, length);
    if (bytes.length === length) return bytes;
    throw shorter(this.#key, Math.min(this.#size, offset + bytes.length), length, bytes.length);
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}

/** One stream, read forward. What lies behind (files of others may have their row groups in any order) is read by range. */
class Forward implements Body {
  readonly #key: string;
  readonly #stream: AsyncIterator<Uint8Array>;
  readonly #behind: Ranges;
  readonly #tailAt: number;
  /** Where in the file the bytes in hand begin. */
  #at = 0;
  #inHand: Uint8Array = new Uint8Array(0);
  #ended = false;
  readonly #turns = new Turns();

  constructor(file: DataFile, behind: Ranges, tailAt: number) {
    this.#key = file.key;
    this.#stream = file.stream()[Symbol.asyncIterator]();
    this.#behind = behind;
    this.#tailAt = tailAt;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#turns.take(async () => {
      if (offset < this.#at) return this.#behind.read(offset, length);
      await this.#skip(offset - this.#at);
      return this.#take(length);
    });
  }

  async finish(tail: Uint8Array): Promise<void> {
    await this.#turns.take(async () => {
      await this.#skip(this.#tailAt - this.#at);
      const unseen = tail.subarray(this.#at - this.#tailAt);
      const end = await this.#take(unseen.length);
      // The digest is compared by the stream, when it ends.
      while (await this.#more());
      if (sameContent(end, unseen)) return;
      throw new LodeError(
        'LODE_CHECKSUM_MISMATCH',
        'parquet: the footer changed while it was read',
        {
          key: this.#key,
          offset: this.#tailAt,
        },
      );
    });
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#stream.return?.();
  }

  async #skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.#inHand.length === 0) await this.#need(left);
      left -= this.#hand(left).length;
    }
  }

  async #take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      if (this.#inHand.length === 0) await this.#need(left);
      const part = this.#hand(left);
      parts.push(part);
      left -= part.length;
    }
    return concat(parts);
  }

  /** Up to `count` of the bytes in hand. */
  #hand(count: number): Uint8Array {
    const part = this.#inHand.subarray(0, count);
    this.#inHand = this.#inHand.subarray(part.length);
    this.#at += part.length;
    return part;
  }

  async #need(count: number): Promise<void> {
    if (!(await this.#more())) throw shorter(this.#key, this.#at, count, 0);
  }

  async #more(): Promise<boolean> {
    const step = await this.#stream.next();
    this.#ended = step.done === true;
    if (step.done === true) return false;
    this.#inHand = step.value;
    return true;
  }
}

/** What to throw when decoding failed: that the file is not the one committed, if that is why. */
export async function causeOf(error: unknown, access: FileAccess): Promise<unknown> {
  if (!isLodeError(error) || tellsOfDamage(error)) return error;
  try {
    await access.finish();
    return error;
  } catch (damage) {
    return tellsOfDamage(damage) ? damage : error;
  }
}

function tellsOfDamage(error: unknown): boolean {
  return isLodeError(error, 'LODE_CHECKSUM_MISMATCH', 'LODE_TRUNCATED');
}

function shorter(key: string, offset: number, expected: number, actual: number): LodeError {
  return new LodeError('LODE_TRUNCATED', 'parquet: the file is shorter than it was', {
    key,
    offset,
    expected,
    actual,
  });
}
