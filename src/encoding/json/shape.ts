/**
 * Shapes: the member names of an object, sorted and quoted once, reused for every object with the same names.
 *
 * Records of one dataset mostly have one shape, so the writer compares names instead of sorting and escaping them
 * again. A guess that does not fit costs a look-up, never a wrong name.
 */
import { compareUtf8, utf8Encode } from '../../bytes/index.ts';
import type { JsonFlavour } from './text.ts';
import { quote } from './text.ts';

export interface Shape {
  /** As the object enumerates them. */
  readonly keys: readonly string[];
  /** Sorted by their UTF-8 bytes: the order of the text. */
  readonly names: readonly string[];
  /** Per name: the name in quotes and a colon. */
  readonly labels: readonly Uint8Array[];
  /** Per name: the shape its value had last, a guess for the next. Empty for objects with very many names. */
  readonly nested: (Shape | undefined)[];
  /** Two names are written alike, because lone surrogates are all written as U+FFFD. */
  readonly ambiguous: boolean;
}

const shapesMax = 256;
const namesMax = 64;

export class Shapes {
  readonly #flavour: JsonFlavour;
  readonly #colon: ':' | ': ';
  readonly #known = new Map<string, Shape>();
  /** A guess for the next value at the top. */
  top: Shape | undefined;

  /** `colon` stands between a name and its value. */
  constructor(flavour: JsonFlavour, colon: ':' | ': ') {
    this.#flavour = flavour;
    this.#colon = colon;
  }

  of(value: object, guess: Shape | undefined): Shape {
    if (guess !== undefined && fits(value, guess.keys)) return guess;
    const keys = Object.keys(value);
    if (keys.length > namesMax) return this.#shape(keys);
    const id = keys.join('\0');
    const known = this.#known.get(id);
    // Names may hold U+0000 themselves, so equal ids do not prove equal names.
    if (known !== undefined && fits(value, known.keys)) return known;
    const shape = this.#shape(keys);
    if (this.#known.size >= shapesMax) {
      // Objects used as maps have ever new names: forget all, with the guesses that hold on to them.
      this.#known.clear();
      this.top = undefined;
    }
    this.#known.set(id, shape);
    return shape;
  }

  #shape(keys: readonly string[]): Shape {
    const names = [...keys].sort(compareUtf8);
    const quoted = names.map((name) => quote(name, this.#flavour));
    return {
      keys,
      names,
      labels: quoted.map((name) => utf8Encode(name + this.#colon)),
      nested: keys.length > namesMax ? [] : names.map(() => undefined),
      ambiguous: new Set(quoted).size !== quoted.length,
    };
  }
}

function fits(value: object, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in value) if (key !== keys[i++]) return false;
  return i === keys.length;
}
