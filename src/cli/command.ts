/** What a command is: its options, and what it does with a call. */
import type { ParseArgsConfig } from 'node:util';
import { LodeError } from 'lode';
import type { Output } from './output.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

export interface Command {
  /** Besides those all commands have. */
  readonly options: Options;
  /** Fewest and most arguments. */
  readonly takes: readonly [number, number];
  /** What they are called; STORE and NAME unless told otherwise. */
  readonly names?: readonly string[];
  /** Answers the exit code; 0 when it answers nothing. */
  run(call: Call): Promise<number | void>;
}

export const commonOptions: Options = {
  json: { type: 'boolean' },
  kind: { type: 'string' },
  layout: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
};

type Value = string | boolean | (string | boolean)[] | undefined;

/** One call of one command. */
export class Call {
  readonly args: readonly string[];
  readonly out: Output;
  readonly signal: AbortSignal;
  readonly #values: Readonly<Record<string, Value>>;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(
    args: readonly string[],
    values: Readonly<Record<string, Value>>,
    out: Output,
    signal: AbortSignal,
  ) {
    this.args = args;
    this.#values = values;
    this.out = out;
    this.signal = signal;
  }

  get json(): boolean {
    return this.flag('json');
  }

  /** Something to close when the call is over. */
  atEnd(close: () => Promise<void>): void {
    this.#closing.push(close);
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.splice(0).map((close) => close()));
  }

  /** An argument that has to be there. */
  arg(at: number): string {
    return this.args[at] ?? '';
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** A whole number; `undefined` when it was not given. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw usage(`--${name} takes a whole number`, text);
  }

  /** True for a command that changes something and was told to. */
  get applies(): boolean {
    if (this.flag('apply') && this.flag('dry-run'))
      throw usage('--apply and --dry-run exclude each other');
    return this.flag('apply');
  }
}

/** A mistake in the call. */
export function usage(what: string, actual?: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', what, {
    ...(actual === undefined ? {} : { actual }),
    next: 'See --help.',
  });
}
