/** Many snapshot ids in little memory: eight bytes for each id of the usual shape, text for the others. */
import { compareUtf8 } from '../bytes/index.ts';
import { numericId } from './ids.ts';

/** A set of ids, to be gone through in order. */
export class IdList {
  #numbers = new BigUint64Array(1024);
  #count = 0;
  readonly #others = new Set<string>();

  isEmpty(): boolean {
    return this.#count === 0 && this.#others.size === 0;
  }

  add(id: string): void {
    const number = numericId(id);
    if (number === undefined) {
      this.#others.add(id);
      return;
    }
    if (this.#count === this.#numbers.length) {
      const larger = new BigUint64Array(this.#count * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count++] = number;
  }

  /** In descending byte order, each once: ids of 19 digits compare as numbers do. */
  *newestFirst(): Generator<string> {
    const numbers = this.#numbers.subarray(0, this.#count).sort();
    const others = [...this.#others].sort(compareUtf8);
    let last: string | undefined;
    for (let n = numbers.length - 1; n >= 0 || others.length > 0;) {
      const number = n >= 0 ? String(numbers[n]) : undefined;
      const other = others.at(-1);
      const takeOther =
        other !== undefined && (number === undefined || compareUtf8(other, number) > 0);
      const id = takeOther ? others.pop() : number;
      if (!takeOther) n--;
      if (id !== undefined && id !== last) yield id;
      last = id;
    }
  }
}

/** Ids in the order they were added. */
export class IdSequence {
  #numbers = new BigUint64Array(64);
  #count = 0;
  /** By place; their number is 0. */
  readonly #others = new Map<number, string>();

  get length(): number {
    return this.#count;
  }

  push(id: string): void {
    if (this.#count === this.#numbers.length) {
      const larger = new BigUint64Array(this.#count * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    const number = numericId(id);
    if (number === undefined) this.#others.set(this.#count, id);
    this.#numbers[this.#count++] = number ?? 0n;
  }

  *forwards(): Generator<string> {
    for (let i = 0; i < this.#count; i++) yield this.#at(i);
  }

  *backwards(): Generator<string> {
    for (let i = this.#count - 1; i >= 0; i--) yield this.#at(i);
  }

  #at(i: number): string {
    return this.#others.get(i) ?? String(this.#numbers[i]);
  }
}
