/** A child process spoken to in JSON, one value a line. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that prints one JSON value a line. Disposing closes its stdin and waits until it is gone. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  #complaint = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#exited = once(child, 'close');
    this.#exited.catch(() => undefined);
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
  }

  /** What the process wrote to stderr so far. */
  get complaint(): string {
    return this.#complaint;
  }

  send(line: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(line, keepNegativeZero)}\n`);
  }

  async *lines(): AsyncGenerator<unknown, void, undefined> {
    for await (const line of createInterface({ input: this.#child.stdout })) yield JSON.parse(line);
  }

  /** Ends the process at once, as `kill -9` does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    this.#child.stdout.resume();
    await this.#exited;
  }
}

/** JSON.stringify would make it a plain zero. */
function keepNegativeZero(_: string, value: unknown): unknown {
  return Object.is(value, -0) ? { $float: '-0' } : value;
}
