/** From batches to their items: one settled promise an item, where an async generator would cost three turns each. */

export function flatten<T>(batches: AsyncIterable<readonly T[]>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new Items(batches[Symbol.asyncIterator]()) };
}

class Items<T> implements AsyncIterableIterator<T> {
  readonly #batches: AsyncIterator<readonly T[]>;
  #batch: readonly T[] = [];
  #at = 0;
  /** The call for the next batch, while it runs: later calls wait their turn behind it. */
  #refill: Promise<unknown> | undefined;

  constructor(batches: AsyncIterator<readonly T[]>) {
    this.#batches = batches;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#refill === undefined && this.#at < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#at++] as T });
    }
    const before = this.#refill ?? Promise.resolve();
    const mine = before.then(
      () => this.#pull(),
      () => this.#pull(),
    );
    const refill: Promise<unknown> = mine.then(
      () => this.#settled(refill),
      () => this.#settled(refill),
    );
    this.#refill = refill;
    return mine;
  }

  async return(): Promise<IteratorResult<T>> {
    this.#batch = [];
    this.#at = 0;
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }

  async #pull(): Promise<IteratorResult<T>> {
    while (this.#at >= this.#batch.length) {
      const { done, value } = await this.#batches.next();
      if (done === true) return { done, value: undefined };
      this.#batch = value;
      this.#at = 0;
    }
    return { done: false, value: this.#batch[this.#at++] as T };
  }

  #settled(refill: Promise<unknown>): void {
    if (this.#refill === refill) this.#refill = undefined;
  }
}
