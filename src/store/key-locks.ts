/** Mutual exclusion by key inside one process: first come, first served, and no promise is made where nobody waits. */

interface Waiter {
  readonly enter: () => void;
  /** Set when it has left the line. */
  gone: boolean;
}

export class KeyLocks {
  /** Those in line behind the holder, by key. A key that is free has no entry. */
  readonly #lines: Map<string, Waiter[]> = new Map();

  isHeld(key: string): boolean {
    return this.#lines.has(key);
  }

  /** The release: at once when the key is free, else once all before are done. Rejects with `signal.reason`. */
  acquire(key: string, signal?: AbortSignal): (() => void) | Promise<() => void> {
    const line = this.#lines.get(key);
    if (line !== undefined) return this.#wait(key, line, signal);
    this.#lines.set(key, []);
    return () => this.#next(key);
  }

  #wait(key: string, line: Waiter[], signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve(() => this.#next(key));
        },
        gone: false,
      };
      const leave = (): void => {
        waiter.gone = true;
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      line.push(waiter);
    });
  }

  #next(key: string): void {
    const line = this.#lines.get(key) ?? [];
    let waiter = line.shift();
    while (waiter?.gone === true) waiter = line.shift();
    if (waiter === undefined) this.#lines.delete(key);
    else waiter.enter();
  }
}
