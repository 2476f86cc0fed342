/**
 * JSON with the bytes Go would write (docs/formats/dataset.md, sections 3 and 5), or a refusal that says where.
 *
 * Nothing is lost silently: a value JSON has no form for (NaN, undefined, a function, a Map, a cycle) is
 * `LODE_INVALID_RECORD` with the path to it. Own enumerable members with string names are the data of an object;
 * symbols are not. An instance of a class is written as what its `toJSON()` returns, and refused without one.
 */
import { utf8Decode } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { pathText } from './path.ts';
import type { Shape } from './shape.ts';
import { Shapes } from './shape.ts';
import { ByteSink } from './sink.ts';
import type { JsonFlavour } from './text.ts';
import { base64Text, dateText, numberText, quote } from './text.ts';

export interface JsonOptions {
  /** Default `manifest`. */
  readonly flavour?: JsonFlavour;
  /** Spaces per level. Compact when absent. */
  readonly indent?: number;
  /** What the value is called in errors, such as `metadata`. */
  readonly root?: string;
}

/** Deeper values are refused: a reader has to follow, and a cycle has to end. */
const writeDepthMax = 200;

/** Longer strings are encoded by the platform instead of unit by unit. */
const shortUnitsMax = 128;

/** One value as text. */
export function jsonText(value: unknown, options: JsonOptions = {}): string {
  const writer = new JsonWriter(options);
  writer.write(value);
  return utf8Decode(writer.sink.take()) ?? '';
}

/** Writes values one after another into its sink; faster when they resemble each other. */
export class JsonWriter {
  readonly sink: ByteSink = new ByteSink();
  readonly #flavour: JsonFlavour;
  readonly #indent: number | undefined;
  readonly #root: string | undefined;
  readonly #shapes: Shapes;
  /** Name or index of the value being written, per depth. Kept only for nested values; a leaf names itself. */
  readonly #path: (string | number)[] = [];
  /** Shape of the plain object written last. */
  #last: Shape | undefined;
  #record: number | undefined;

  constructor({ flavour = 'manifest', indent, root }: JsonOptions) {
    const colon = indent === undefined ? ':' : ': ';
    this.#flavour = flavour;
    this.#indent = indent;
    this.#root = root;
    this.#shapes = new Shapes(flavour, colon);
  }

  /** Writes a value whole or not at all. `record` is its index, for errors. */
  write(value: unknown, record?: number): void {
    const start = this.sink.length;
    this.#record = record;
    this.#last = this.#shapes.top;
    try {
      this.#value(value, '', 0, this.#shapes.top);
    } catch (error) {
      this.sink.rewind(start);
      throw error;
    }
    this.#shapes.top = this.#last;
  }

  /** `at` is the value's name or index in its parent; `depth` counts the parents. */
  #value(value: unknown, at: string | number, depth: number, guess: Shape | undefined): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') {
      if ((value | 0) === value && value !== 0) this.sink.integer(value);
      else if (Number.isFinite(value)) this.sink.ascii(numberText(value, this.#flavour));
      else throw this.#refusal(`${value} is not a JSON number`, at, depth);
    } else if (value === true) this.sink.ascii('true');
    else if (value === false) this.sink.ascii('false');
    else if (value === null) this.sink.ascii('null');
    else if (typeof value === 'object') {
      this.#path[depth] = at;
      this.#object(value, depth + 1, guess);
    } else if (typeof value === 'bigint') {
      if (!Number.isFinite(Number(value))) {
        throw this.#refusal('the integer is beyond what any reader takes (float64)', at, depth);
      }
      this.sink.ascii(`${value}`);
    } else
      throw this.#refusal(
        `${typeof value} has no JSON form`,
        at,
        depth,
        value === undefined ? 'Leave it out, or use null.' : undefined,
      );
  }

  #string(text: string): void {
    if (text.length <= shortUnitsMax && this.sink.plainString(text)) return;
    this.sink.text(quote(text, this.#flavour));
  }

  #object(value: object, depth: number, guess: Shape | undefined): void {
    if (depth > writeDepthMax) {
      throw this.#fault(`it is cyclic, or nested deeper than ${writeDepthMax} levels`, depth);
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
    this.#members(value as Readonly<Record<string, unknown>>, shape, depth);
    this.#last = shape;
  }

  #members(members: Readonly<Record<string, unknown>>, shape: Shape, depth: number): void {
    const { names, labels, nested } = shape;
    if (shape.ambiguous) throw this.#fault('lone surrogates make two of its names the same', depth);
    this.sink.byte(0x7b);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (i > 0) this.sink.byte(0x2c);
      if (this.#indent !== undefined) this.#newLine(depth);
      this.sink.bytes(labels[i] as Uint8Array);
      const value = members[name];
      if (typeof value === 'object' && value !== null) {
        this.#value(value, name, depth, nested[i]);
        if (i < nested.length) nested[i] = this.#last;
      } else {
        this.#value(value, name, depth, undefined);
      }
    }
    if (this.#indent !== undefined && names.length > 0) this.#newLine(depth - 1);
    this.sink.byte(0x7d);
  }

  #array(items: readonly unknown[], depth: number, guess: Shape | undefined): void {
    this.sink.byte(0x5b);
    this.#last = guess;
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.sink.byte(0x2c);
      if (this.#indent !== undefined) this.#newLine(depth);
      this.#value(items[i], i, depth, this.#last);
    }
    if (this.#indent !== undefined && items.length > 0) this.#newLine(depth - 1);
    this.sink.byte(0x5d);
  }

  #instance(value: object, prototype: object, depth: number, guess: Shape | undefined): void {
    if (value instanceof Uint8Array) return this.sink.text(`"${base64Text(value)}"`);
    if (value instanceof Date) {
      const time = dateText(value);
      if (time === undefined) throw this.#fault('the date has no year from 0000 to 9999', depth);
      return this.sink.ascii(`"${time}"`);
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

  #newLine(depth: number): void {
    this.sink.byte(0x0a);
    for (let i = depth * (this.#indent ?? 0); i > 0; i--) this.sink.byte(0x20);
  }

  /** Refuses the leaf named `at` inside the values on the path. */
  #refusal(why: string, at: string | number, depth: number, next?: string): LodeError {
    this.#path[depth] = at;
    return this.#fault(why, depth + 1, next);
  }

  /** Refuses the value the path leads to. The first part of the path is the top, which has no name. */
  #fault(why: string, depth: number, next?: string): LodeError {
    const path = this.#path.slice(1, depth);
    const field = pathText(this.#root === undefined ? path : [this.#root, ...path]);
    return new LodeError('LODE_INVALID_RECORD', `cannot write this as JSON: ${why}`, {
      ...(field === '' ? {} : { field }),
      ...(this.#record === undefined ? {} : { record: this.#record }),
      ...(next === undefined ? {} : { next }),
    });
  }
}
