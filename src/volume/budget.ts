/** A number of something that many callers share: bytes in memory, requests in flight. First come, first served. */

interface Waiting {
  readonly amount: number;
  readonly go: () => void;
}

export class Budget {
  readonly #total: number;
  #free: number;
  readonly #queue: Waiting[] = [];

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Waits until there is room; answers how to give it back. More than there is at all counts as all of it. */
  async take(wanted: number, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    const amount = Math.min(wanted, this.#total);
    if (this.#queue.length > 0 || amount > this.#free) await this.#wait(amount, signal);
    else this.#free -= amount;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#free += amount;
      this.#serve();
    };
  }

  #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(signal?.reason as Error);
        this.#serve();
      };
      const go = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const waiting = { amount, go };
      this.#queue.push(waiting);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #serve(): void {
    for (let first = this.#queue[0]; first !== undefined && first.amount <= this.#free;) {
      this.#free -= first.amount;
      this.#queue.shift();
      first.go();
      first = this.#queue[0];
    }
  }
}
