/**
 * JSON text with the bytes Go would write (spec 3.1, 9.2), or a refusal that says where.
 *
 * Nothing is lost silently: a value JSON has no form for (NaN, undefined, a function, a Map, a cycle) is
 * `LODE_INVALID_RECORD` with the path to it. Own enumerable members with string names are the data of an object;
 * symbols are not. An instance of a class is written as what its `toJSON()` returns, and refused without one.
 */
import { utf8Encode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { pathText } from './path.ts';
import type { Shape } from './shape.ts';
import { Shapes } from './shape.ts';
import type { JsonFlavour } from './text.ts';
import { base64Text, numberText, quote, timeText } from './text.ts';

export interface JsonOptions {
  /** Default `manifest`. */
  readonly flavour?: JsonFlavour;
  /** Spaces per level. Compact when absent. */
  readonly indent?: number;
}

/** Deeper values are refused: a reader has to follow, and a cycle has to end. */
export const writeDepthMax = 200;

/** Members written in the order given instead of sorted, those that are `undefined` left out: a Go struct. */
export class JsonStruct {
  readonly members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.members = members;
  }
}

export function encodeJson(value: unknown, options: JsonOptions = {}): Uint8Array {
  return utf8Encode(new JsonWriter(options).text(value));
}

/** Writes many values; faster when they resemble each other. */
export class JsonWriter {
  readonly #flavour: JsonFlavour;
  readonly #indent: string | undefined;
  readonly #shapes: Shapes;
  /** Name or index of the value being written, per depth. Kept only for nested values; a leaf names itself. */
  readonly #path: (string | number)[] = [];
  /** Shape of the object written last. */
  #last: Shape | undefined;
  /** Index of the record, for errors. */
  record: number | undefined;

  constructor({ flavour = 'manifest', indent }: JsonOptions) {
    this.#flavour = flavour;
    this.#indent = indent === undefined ? undefined : ' '.repeat(indent);
    this.#shapes = new Shapes(flavour);
  }

  text(value: unknown): string {
    this.#last = this.#shapes.top;
    const text = this.#value(value, '', 0, this.#shapes.top);
    this.#shapes.top = this.#last;
    return text;
  }

  /** `at` is the value's name or index in its parent; `depth` counts the parents. */
  #value(value: unknown, at: string | number, depth: number, guess: Shape | undefined): string {
    if (typeof value === 'string') return quote(value, this.#flavour);
    if (typeof value === 'number') {
      if ((value | 0) === value && value !== 0) return `${value}`;
      if (value - value === 0) return numberText(value, this.#flavour);
      throw this.#refusal(`${value} is not a JSON number`, at, depth);
    }
    if (value === true) return 'true';
    if (value === false) return 'false';
    if (value === null) return 'null';
    if (typeof value === 'object') {
      this.#path[depth] = at;
      return this.#object(value, depth + 1, guess);
    }
    if (typeof value === 'bigint') {
      if (Number.isFinite(Number(value))) return `${value}`;
      throw this.#refusal('the integer is beyond what any reader takes (float64)', at, depth);
    }
    throw this.#refusal(`${typeof value} has no JSON form`, at, depth);
  }

  #object(value: object, depth: number, guess: Shape | undefined): string {
    if (depth > writeDepthMax) {
      throw this.#fault(
        `the value is cyclic, or nested deeper than ${writeDepthMax} levels`,
        depth,
      );
    }
    if (Array.isArray(value)) return this.#array(value, depth, guess);
    const prototype = Object.getPrototypeOf(value) as object | null;
    // Plain means literals, null prototypes, and the literals of another realm.
    if (
      prototype !== Object.prototype &&
      prototype !== null &&
      Object.getPrototypeOf(prototype) !== null
    ) {
      return this.#instance(value, prototype, depth, guess);
    }
    const shape = this.#shapes.of(value, guess);
    this.#last = shape;
    if (shape.ambiguous) {
      throw this.#fault(
        'two member names are the same text once lone surrogates are replaced',
        depth,
      );
    }
    const { names } = shape;
    if (names.length === 0) return '{}';
    const members = value as Readonly<Record<string, unknown>>;
    return this.#indent === undefined
      ? this.#members(members, shape, depth)
      : this.#block('{', '}', names.length, depth, (i) => this.#named(members, names[i], depth));
  }

  #members(members: Readonly<Record<string, unknown>>, shape: Shape, depth: number): string {
    const { names, labels, nested } = shape;
    let text = '';
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = members[name];
      text += labels[i];
      if (typeof value === 'object' && value !== null) {
        text += this.#value(value, name, depth, nested[i]);
        if (i < nested.length) nested[i] = this.#last;
      } else {
        text += this.#value(value, name, depth, undefined);
      }
    }
    this.#last = shape;
    return `${text}}`;
  }

  #array(items: readonly unknown[], depth: number, guess: Shape | undefined): string {
    const { length } = items;
    if (length === 0) return '[]';
    this.#last = guess;
    if (this.#indent !== undefined) {
      return this.#block('[', ']', length, depth, (i) =>
        this.#value(items[i], i, depth, this.#last),
      );
    }
    let text = `[${this.#value(items[0], 0, depth, guess)}`;
    for (let i = 1; i < length; i++) text += `,${this.#value(items[i], i, depth, this.#last)}`;
    return `${text}]`;
  }

  #named(members: Readonly<Record<string, unknown>>, name = '', depth: number): string {
    const colon = this.#indent === undefined ? ':' : ': ';
    return quote(name, this.#flavour) + colon + this.#value(members[name], name, depth, undefined);
  }

  #block(
    open: string,
    close: string,
    count: number,
    depth: number,
    item: (i: number) => string,
  ): string {
    const indent = this.#indent;
    const inner = indent === undefined ? '' : `\n${indent.repeat(depth)}`;
    const outer = indent === undefined ? '' : `\n${indent.repeat(depth - 1)}`;
    let text = open;
    for (let i = 0; i < count; i++) text += (i === 0 ? inner : `,${inner}`) + item(i);
    return text + outer + close;
  }

  #instance(value: object, prototype: object, depth: number, guess: Shape | undefined): string {
    if (value instanceof Date) {
      const time = timeText(value);
      if (time === undefined) throw this.#fault('the date has no year from 0000 to 9999', depth);
      return `"${time}"`;
    }
    if (value instanceof Uint8Array) return `"${base64Text(value)}"`;
    if (value instanceof JsonStruct) {
      const { members } = value;
      const names = Object.keys(members).filter((name) => members[name] !== undefined);
      if (names.length === 0) return '{}';
      return this.#block('{', '}', names.length, depth, (i) =>
        this.#named(members, names[i], depth),
      );
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const key = String(this.#path[depth - 1]);
      const plain = (toJSON as (key: string) => unknown).call(value, key);
      // One level deeper than the instance, so that a toJSON() that returns its own object comes to an end.
      return this.#value(plain, 'toJSON', depth, guess);
    }
    const { constructor } = prototype as { constructor?: { name?: unknown } };
    const name = typeof constructor?.name === 'string' ? constructor.name : 'unnamed';
    throw this.#fault(`an instance of class ${name} has no JSON form`, depth);
  }

  /** Refuses the leaf named `at` inside the values on the path. */
  #refusal(why: string, at: string | number, depth: number): LodeError {
    this.#path[depth] = at;
    return this.#fault(why, depth + 1);
  }

  /** Refuses the value the path leads to. The first part of the path is the top, which has no name. */
  #fault(why: string, depth: number): LodeError {
    const field = pathText(this.#path.slice(1, depth));
    return new LodeError('LODE_INVALID_RECORD', `cannot write this as JSON: ${why}`, {
      ...(field === '' ? {} : { field }),
      ...(this.record === undefined ? {} : { record: this.record }),
    });
  }
}
