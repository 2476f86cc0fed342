/** The double's own record of what it was asked: for budgets, depth, and what was sent where. */
import type { S3Operation, S3Request } from './protocol.ts';

export interface S3LogEntry {
  readonly method: string;
  readonly operation: S3Operation;
  readonly target: string;
  readonly key: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  /** Places in the order of all starts and ends; a request that has not ended has no end. */
  readonly started: number;
  readonly ended: number | undefined;
  /** One more than the deepest request that had ended when this one started. */
  readonly depth: number;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** Of an error answer. */
  readonly code: string | undefined;
  readonly bytesIn: number;
  /** Size of the whole answer before it was cut: its head, and its body. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

type Open = { -readonly [name in keyof S3LogEntry]: S3LogEntry[name] };

export class RequestLog {
  #entries: Open[] = [];
  #clock = 0;
  #deepest = 0;

  begin(request: S3Request, connection: number): Open {
    const { method, operation, target, key, headers } = request;
    const entry: Open = {
      method,
      operation,
      target,
      key,
      headers,
      connection,
      started: ++this.#clock,
      ended: undefined,
      depth: this.#deepest + 1,
      status: 0,
      code: undefined,
      bytesIn: 0,
      headBytes: 0,
      bodyBytes: 0,
    };
    this.#entries.push(entry);
    return entry;
  }

  end(entry: Open): void {
    entry.ended = ++this.#clock;
    this.#deepest = Math.max(this.#deepest, entry.depth);
  }

  get entries(): readonly S3LogEntry[] {
    return this.#entries;
  }

  clear(): void {
    this.#entries = [];
    this.#deepest = 0;
  }
}
