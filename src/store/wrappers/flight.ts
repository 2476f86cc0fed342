/**
 * One piece of work that several callers wait for. Each may leave on its own signal; the work is told to stop only when the
 * last has left.
 */
export class Flight<T> {
  readonly #stop = new AbortController();
  readonly #work: Promise<T>;
  #waiting = 0;
  #claimed = false;

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#work = start(this.#stop.signal);
  }

  /** Settles when the work has, whatever came of it; never rejects. */
  get finished(): Promise<void> {
    return this.#work.then(
      () => {},
      () => {},
    );
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting++;
    try {
      return await orAborted(this.#work, signal);
    } catch (error) {
      // The reason of an abort belongs to this caller alone.
      if (--this.#waiting === 0) this.#stop.abort(error);
      throw error;
    }
  }

  /** Nobody waited any more: a late-comer would only be told of somebody else's abort. */
  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /**
   * For a result that only one can have and that goes on working, such as a body: true for the first who asks, whose
   * signal rules it from then on.
   */
  claim(signal: AbortSignal | undefined): boolean {
    if (this.#claimed) return false;
    this.#claimed = true;
    signal?.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
    return true;
  }
}

/** Waits for `work`, at most until the signal aborts; the work goes on. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
