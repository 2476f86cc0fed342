/**
 * Items that come in batches: one settled promise an item, where an async generator would cost three turns each. What is
 * done to all items is done to the batches below, so that no layer costs a turn of its own.
 */

/** The items of the batches, one by one. An abort is felt at the next item, in the middle of a batch too. */
export function flatten<T>(
  batches: AsyncIterable<readonly T[]>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  return new Items(batches, signal);
}

/** The batches of what `flatten` made; of other items, each by itself. */
export function batchesOf<T>(items: AsyncIterable<T>): AsyncIterable<readonly T[]> {
  return items instanceof Items ? (items as Items<T>).batches : singles(items);
}

async function* singles<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const item of items) yield [item];
}

class Items<T> implements AsyncGenerator<T, void, undefined> {
  readonly batches: AsyncIterable<readonly T[]>;
  readonly #signal: AbortSignal | undefined;
  #iterator: AsyncIterator<readonly T[]> | undefined;
  #batch: readonly T[] = [];
  #at = 0;
  /** The call for the next batch, while it runs: later calls wait their turn behind it. */
  #refill: Promise<unknown> | undefined;

  constructor(batches: AsyncIterable<readonly T[]>, signal: AbortSignal | undefined) {
    this.batches = batches;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#refill === undefined && this.#at < this.#batch.length) {
      if (this.#signal?.aborted === true) return this.throw(this.#signal.reason);
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

  async return(): Promise<IteratorResult<T, void>> {
    this.#batch = [];
    this.#at = 0;
    await this.#open().return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    await this.return();
    throw error;
  }

  async #pull(): Promise<IteratorResult<T, void>> {
    while (this.#at >= this.#batch.length) {
      const { done, value } = await this.#open().next();
      if (done === true) return { done, value: undefined };
      this.#batch = value;
      this.#at = 0;
    }
    return { done: false, value: this.#batch[this.#at++] as T };
  }

  #open(): AsyncIterator<readonly T[]> {
    return (this.#iterator ??= this.batches[Symbol.asyncIterator]());
  }

  #settled(refill: Promise<unknown>): void {
    if (this.#refill === refill) this.#refill = undefined;
  }
}
