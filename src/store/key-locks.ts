/** Mutual exclusion by key inside one process: first come, first served, and free when nobody waits. */
export class KeyLocks {
  /** Settles when the last in line has released. */
  readonly #last: Map<string, Promise<void>> = new Map();

  isHeld(key: string): boolean {
    return this.#last.has(key);
  }

  /** Resolves with the release once all before are done; rejects with `signal.reason` without holding up those behind. */
  async acquire(key: string, signal?: AbortSignal): Promise<() => void> {
    const before = this.#last.get(key);
    let open = (): void => {};
    const mine = new Promise<void>((resolve) => (open = resolve));
    const last = before === undefined ? mine : before.then(() => mine);
    this.#last.set(key, last);
    const release = (): void => {
      open();
      if (this.#last.get(key) === last) this.#last.delete(key);
    };
    if (before === undefined) return release;
    try {
      await unlessAborted(before, signal);
    } catch (error) {
      // Leave the line: whoever is behind waits for those before us only. The entry goes when they are done.
      open();
      void last.then(release);
      throw error;
    }
    return release;
  }
}

function unlessAborted(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return wait;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
