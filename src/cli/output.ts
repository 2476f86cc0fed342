/** Where a command's words go: data to stdout, in blocks and with back-pressure; the rest to stderr. */
import { once } from 'node:events';
import { systemEnv } from 'lode';
import { jsonText } from './json.ts';

const blockChars = 32_768;
const progressEveryMs = 100;

type Items = AsyncIterable<unknown> | Iterable<unknown>;

interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly signal: AbortSignal;
}

export class Output {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #signal: AbortSignal;
  #pending = '';
  #progressShown = false;
  #progressAtMs = Number.NEGATIVE_INFINITY;

  constructor({ json, quiet, signal }: OutputOptions) {
    this.json = json;
    this.#quiet = quiet;
    this.#signal = signal;
  }

  /** Characters of a line: those of the terminal, else of `COLUMNS`, as other programs have it. */
  get columns(): number {
    const columns = process.stdout.columns ?? Number(process.env['COLUMNS']);
    return columns >= 1 ? columns : 80;
  }

  /** A line of data. */
  async line(text: string): Promise<void> {
    this.#pending += `${text}\n`;
    if (this.#pending.length >= blockChars || process.stdout.isTTY) await this.flush();
  }

  /** Data as it is. */
  async bytes(chunk: Uint8Array): Promise<void> {
    await this.flush();
    await this.#write(chunk);
  }

  /** A JSON document: `facts`, and under each name of `lists` its items as they come. */
  async list(facts: object, lists: Readonly<Record<string, Items>>): Promise<void> {
    this.#pending += jsonText({ version: 1, ...facts }).slice(0, -1);
    for (const [name, items] of Object.entries(lists)) {
      this.#pending += `,${jsonText(name)}:[`;
      let separator = '';
      for await (const item of items) {
        this.#pending += `${separator}\n${jsonText(item)}`;
        separator = ',';
        if (this.#pending.length >= blockChars) await this.flush();
      }
      this.#pending += '\n]';
    }
    await this.line('}');
  }

  async document(facts: object): Promise<void> {
    await this.line(jsonText({ version: 1, ...facts }));
  }

  /** Something a person wants to know, and a program does not. */
  note(text: string): void {
    if (this.#quiet) return;
    this.clearProgress();
    process.stderr.write(`${text}\n`);
  }

  /** Shown on a terminal only, a few times a second. */
  progress(text: () => string): void {
    if (this.#quiet || !process.stderr.isTTY) return;
    const now = systemEnv.monotonic();
    if (now - this.#progressAtMs < progressEveryMs) return;
    this.#progressAtMs = now;
    this.#progressShown = true;
    process.stderr.write(`\r\u001b[K${text().slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  clearProgress(): void {
    if (this.#progressShown) process.stderr.write('\r\u001b[K');
    this.#progressShown = false;
  }

  /** Colour where a terminal shows it and nobody asked for none. */
  paint(colour: 'red' | 'green' | 'yellow', text: string): string {
    if (!process.stdout.isTTY || !process.stdout.hasColors()) return text;
    const code = { red: 31, green: 32, yellow: 33 }[colour];
    return `\u001b[${code}m${text}\u001b[39m`;
  }

  async flush(): Promise<void> {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    await this.#write(text);
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    this.clearProgress();
    if (!process.stdout.write(chunk))
      await once(process.stdout, 'drain', { signal: this.#signal }).catch((error: unknown) => {
        this.#signal.throwIfAborted();
        throw error;
      });
  }
}
