/** Bytes from chunks of any size, taken in pieces of the size a format asks for. */

import { concat } from '../../bytes/index.ts';

export class ByteQueue {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #current: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `count` bytes; fewer only at the end. */
  async take(count: number): Promise<Uint8Array> {
    if (this.#current.length < count) await this.#gather(count);
    const taken = this.#current.subarray(0, count);
    this.#current = this.#current.subarray(taken.length);
    this.#offset += taken.length;
    return taken;
  }

  /** Passes over `count` bytes without holding them; false when there are fewer. */
  async skip(count: number): Promise<boolean> {
    for (let left = count; left > 0;) {
      const { length } = await this.take(Math.min(left, 65_536));
      if (length === 0) return false;
      left -= length;
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #gather(count: number): Promise<void> {
    const parts = [this.#current];
    let { length } = this.#current;
    while (length < count) {
      const { done, value } = await this.#chunks.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
    this.#current = concat(parts);
  }
}
