/**
 * A JSON parser of our own, for what `JSON.parse` cannot do: integers kept exact, numbers beyond float64 refused, a
 * depth limit while parsing, bytes after the value left alone, and the offset of a fault.
 *
 * It accepts exactly the language of `JSON.parse` (RFC 8259). It is several times slower, so it runs only where the
 * text calls for it.
 */

import { utf8Encode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';

/** Where the text lies, for errors. */
export interface JsonPlace {
  readonly key: string;
  /** Offset of the text in the object; default 0. */
  readonly offset?: number;
  /** Index of the record in the object. */
  readonly record?: number;
}

interface ParserOptions {
  readonly depthMax: number;
  /** True: integers that a number cannot hold exactly become bigints. */
  readonly exactIntegers: boolean;
  /** True: what follows the first value is not looked at. */
  readonly trailing: boolean;
}

const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const blank = /[ \t\n\r]*/y;

/** Parses the first value of `text`, or throws where there is none. */
export function parseExactly(text: string, options: ParserOptions, place: JsonPlace): unknown {
  return new Parser(text, options, place).whole();
}

class Parser {
  readonly #text: string;
  readonly #options: ParserOptions;
  readonly #place: JsonPlace;
  #at = 0;

  constructor(text: string, options: ParserOptions, place: JsonPlace) {
    this.#text = text;
    this.#options = options;
    this.#place = place;
  }

  whole(): unknown {
    this.#blank();
    const value = this.#value(0);
    if (this.#options.trailing) return value;
    this.#blank();
    if (this.#at < this.#text.length) throw this.#fault('there is more after the value');
    return value;
  }

  #value(depth: number): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case undefined:
        throw this.#fault('the text ends where a value should be');
      default:
        return this.#number();
    }
  }

  #object(depth: number): object {
    this.#open(depth);
    const object: Record<string, unknown> = {};
    if (this.#took('}')) return object;
    do {
      this.#blank();
      if (this.#text[this.#at] !== '"') throw this.#fault('a member name is expected');
      const name = this.#string();
      if (!this.#took(':')) throw this.#fault('a colon is expected');
      this.#blank();
      define(object, name, this.#value(depth));
    } while (this.#took(','));
    if (!this.#took('}')) throw this.#fault('a comma or closing brace is expected');
    return object;
  }

  #array(depth: number): unknown[] {
    this.#open(depth);
    const items: unknown[] = [];
    if (this.#took(']')) return items;
    do {
      this.#blank();
      items.push(this.#value(depth));
    } while (this.#took(','));
    if (!this.#took(']')) throw this.#fault('a comma or closing bracket is expected');
    return items;
  }

  #open(depth: number): void {
    const { depthMax } = this.#options;
    if (depth > depthMax) {
      throw new LodeError('LODE_LIMIT_EXCEEDED', 'this JSON is nested too deep', {
        ...this.#place,
        offset: this.#offset(this.#at),
        expected: depthMax,
        next: 'Store data that is nested less deep.',
      });
    }
    this.#at++;
  }

  /** After blanks, takes `unit` if it is next. */
  #took(unit: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== unit) return false;
    this.#at++;
    return true;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let plain = true;
    for (let at = start + 1; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        return plain ? text.slice(start + 1, at) : this.#unescaped(start, at + 1);
      }
      if (unit < 0x20) throw this.#fault('a string holds a control character', at);
      if (unit === 0x5c) {
        plain = false;
        at++;
      }
    }
    throw this.#fault('a string does not end', start);
  }

  #unescaped(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end)) as string;
    } catch {
      throw this.#fault('a string holds an escape that is none', start);
    }
  }

  #number(): number | bigint {
    number.lastIndex = this.#at;
    const found = number.exec(this.#text);
    if (found === null) throw this.#fault('this is not a value');
    const [digits, fraction, exponent] = found;
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.#fault('the number is beyond float64');
    this.#at += digits.length;
    const whole = fraction === undefined && exponent === undefined;
    return whole && this.#options.exactIntegers && !Number.isSafeInteger(value)
      ? BigInt(digits)
      : value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('this is not a value');
    this.#at += word.length;
    return value;
  }

  #blank(): void {
    blank.lastIndex = this.#at;
    blank.test(this.#text);
    this.#at = blank.lastIndex;
  }

  #fault(why: string, at: number = this.#at): LodeError {
    return new LodeError('LODE_INVALID_FORMAT', `this is not valid JSON: ${why}`, {
      ...this.#place,
      offset: this.#offset(at),
    });
  }

  /** From an index of the text to an offset in the object. */
  #offset(at: number): number {
    return (this.#place.offset ?? 0) + utf8Encode(this.#text.slice(0, at)).length;
  }
}

/** Assigning to `__proto__` would change the object's prototype; defining it makes it a member like any other. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else {
    Object.defineProperty(object, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}
