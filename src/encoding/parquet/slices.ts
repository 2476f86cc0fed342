/** Many byte strings in one buffer, without an object for each. */
export class ByteSlices {
  readonly bytes: Uint8Array;
  readonly #starts: Int32Array;
  /** Undefined when each value ends where the next begins. */
  readonly #ends: Int32Array | undefined;

  constructor(bytes: Uint8Array, starts: Int32Array, ends: Int32Array | undefined) {
    this.bytes = bytes;
    this.#starts = starts;
    this.#ends = ends;
  }

  start(index: number): number {
    return this.#starts[index] as number;
  }

  end(index: number): number {
    return (this.#ends === undefined ? this.#starts[index + 1] : this.#ends[index]) as number;
  }

  length(index: number): number {
    return this.end(index) - this.start(index);
  }

  /** Shares memory with the page. */
  view(index: number): Uint8Array {
    return this.bytes.subarray(this.start(index), this.end(index));
  }
}
