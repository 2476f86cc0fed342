/** Bounded parallelism: many items, a few at a time, no item after the first failure; and none at all, one after another. */

/** Work that must not overlap: each begins when all before it have ended, well or not. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** When all that has been given so far has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}

/** Runs `work` over `items`, at most `width` at a time. Rejects with the first failure once all that started settled. */
export async function forEachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
}

/** Maps in parallel and yields in order: up to `width` results are under way or waiting to be taken. */
export async function* mapInOrder<T, U>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const ahead: Promise<U>[] = [];
  const source = items[Symbol.iterator]();
  const refill = (): void => {
    while (ahead.length < width) {
      const { done, value } = source.next();
      if (done === true) return;
      const result = work(value);
      // Looked at when its turn comes; until then a failure is not unhandled.
      result.catch(() => {});
      ahead.push(result);
    }
  };
  refill();
  for (let result = ahead.shift(); result !== undefined; result = ahead.shift()) {
    const value = await result;
    refill();
    yield value;
  }
}
