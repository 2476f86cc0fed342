/**
 * Random access to one stored object through a bounded cache of pages.
 *
 * Readers of indexed files ask for many small ranges near each other. Pages are fetched once, neighbours in one
 * request, and shared by callers that ask for them at the same time; one caller's abort never fails another's read.
 */
import { LodeError } from '../errors.ts';

export interface RangeReader {
  /** Bytes of the whole object. */
  readonly size: number;
  /** Bytes `[offset, offset + length)`, short only at the end of the object. The caller may keep and change them. */
  read(
    offset: number,
    length: number,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
}

export interface RangeReaderOptions {
  /** Default 64 KiB. */
  readonly pageBytes?: number | undefined;
  /** Most bytes of pages kept. Default 4 MiB. A read of more than half of it goes past the cache. */
  readonly cacheBytesMax?: number | undefined;
}

type Fetch = (offset: number, length: number) => Promise<Uint8Array>;

export function rangeReader(
  size: number,
  fetch: Fetch,
  options: RangeReaderOptions = {},
): RangeReader {
  const { pageBytes = 64 * 1024, cacheBytesMax = 4 * 1024 * 1024 } = options;
  assertPositive(pageBytes, 'pageBytes');
  assertPositive(cacheBytesMax, 'cacheBytesMax');
  const pages = new PageCache(size, fetch, pageBytes, Math.ceil(cacheBytesMax / pageBytes));
  return {
    size,
    async read(offset, length, { signal } = {}) {
      assertCount(offset, 'offset');
      assertCount(length, 'length');
      signal?.throwIfAborted();
      const end = Math.min(offset + length, size);
      if (end <= offset) return new Uint8Array(0);
      const large = end - offset > cacheBytesMax / 2;
      const bytes = large ? fetch(offset, end - offset) : pages.read(offset, end);
      return signal === undefined ? bytes : await unlessAborted(bytes, signal);
    },
  };
}

/** Least recently used pages go first: a map keeps the order of insertion, and a hit is inserted again. */
class PageCache {
  readonly #size: number;
  readonly #fetch: Fetch;
  readonly #pageBytes: number;
  readonly #pagesMax: number;
  readonly #pages: Map<number, Promise<Uint8Array>> = new Map();

  constructor(size: number, fetch: Fetch, pageBytes: number, pagesMax: number) {
    this.#size = size;
    this.#fetch = fetch;
    this.#pageBytes = pageBytes;
    this.#pagesMax = pagesMax;
  }

  async read(offset: number, end: number): Promise<Uint8Array> {
    const first = Math.floor(offset / this.#pageBytes);
    const last = Math.floor((end - 1) / this.#pageBytes);
    const wanted = this.#pagesOf(first, last);
    const bytes = new Uint8Array(end - offset);
    for (const [i, page] of (await Promise.all(wanted)).entries()) {
      const start = (first + i) * this.#pageBytes;
      const from = Math.max(offset - start, 0);
      bytes.set(page.subarray(from, Math.min(end - start, page.length)), start + from - offset);
    }
    return bytes;
  }

  #pagesOf(first: number, last: number): Promise<Uint8Array>[] {
    const wanted: Promise<Uint8Array>[] = [];
    for (let page = first; page <= last; page++) {
      if (!this.#pages.has(page)) this.#load(page, this.#endOfGap(page, last));
      wanted.push(this.#touched(page));
    }
    // Those just asked for are the newest: the limit never takes a page that this read still needs.
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= this.#pagesMax) break;
      this.#pages.delete(page);
    }
    return wanted;
  }

  /** The page after the run of missing ones that starts at `page`. */
  #endOfGap(page: number, last: number): number {
    let end = page + 1;
    while (end <= last && !this.#pages.has(end)) end++;
    return end;
  }

  /** One request for pages `[page, end)`. Those that fail are forgotten, so that the next read asks again. */
  #load(page: number, end: number): void {
    const start = page * this.#pageBytes;
    const length = Math.min(end * this.#pageBytes, this.#size) - start;
    const run = this.#fetch(start, length).then((bytes) => {
      if (bytes.length === length) return bytes;
      throw new LodeError('LODE_TRUNCATED', 'a range read came back short', {
        offset: start + bytes.length,
        expected: length,
        actual: bytes.length,
      });
    });
    for (let i = page; i < end; i++) {
      const from = (i - page) * this.#pageBytes;
      const whole = end - page === 1;
      const loaded = run.then((bytes) =>
        // A copy, so that one cached page does not keep the whole run in memory.
        whole ? bytes : bytes.slice(from, from + this.#pageBytes),
      );
      this.#pages.set(i, loaded);
      loaded.catch(() => {
        if (this.#pages.get(i) === loaded) this.#pages.delete(i);
      });
    }
  }

  #touched(page: number): Promise<Uint8Array> {
    const loaded = this.#pages.get(page) ?? Promise.resolve(new Uint8Array(0));
    this.#pages.delete(page);
    this.#pages.set(page, loaded);
    return loaded;
  }
}

async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function assertCount(value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw refused(field, value);
}

function assertPositive(value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 1) throw refused(field, value);
}

function refused(field: string, actual: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this is not a count of bytes', { field, actual });
}
