/**
 * Keys in UTF-8 byte order, kept in order only when somebody asks.
 *
 * Adding and removing cost O(1); the next look sorts what was added since into place. Removed keys stay in the array as
 * dead until they outnumber the living, so that neither a bulk delete nor a bulk write is quadratic.
 */
import { compareUtf8 } from '../bytes/text.ts';

/** Up to this many new keys are inserted one by one; more are sorted in with the rest. */
const insertMax = 32;

export class SortedKeys {
  #keys: string[] = [];
  #added: string[] = [];
  readonly #dead: Set<string> = new Set();

  /** The key must not be present. */
  add(key: string): void {
    // A dead key still has its place in the array (or among those added).
    if (!this.#dead.delete(key)) this.#added.push(key);
  }

  /** The key must be present. */
  remove(key: string): void {
    this.#dead.add(key);
  }

  /** Up to `limit` keys from the first that is at or above `from`. */
  page(from: string, limit: number): string[] {
    this.#settle();
    const found: string[] = [];
    for (let i = this.#lowerBound(from); i < this.#keys.length && found.length < limit; i++) {
      const key = this.#keys[i];
      if (key !== undefined && !this.#dead.has(key)) found.push(key);
    }
    return found;
  }

  #settle(): void {
    if (this.#added.length > insertMax) {
      // Two ascending runs: the engine's merge sort joins them in one pass.
      this.#keys = this.#keys.concat(this.#added.sort(compareUtf8)).sort(compareUtf8);
    } else {
      for (const key of this.#added) this.#keys.splice(this.#lowerBound(key), 0, key);
    }
    this.#added = [];
    if (this.#dead.size * 2 > this.#keys.length) {
      this.#keys = this.#keys.filter((key) => !this.#dead.has(key));
      this.#dead.clear();
    }
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
