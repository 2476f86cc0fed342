/**
 * Scripts: which request, and what goes wrong with it. Every act is data, applied in the order of its members: on arrival,
 * on the effect, on the answer, on the wire.
 */
import type { Ending } from '#platform/loopback.js';
import { utf8Encode } from '../../bytes/index.ts';
import { fault } from './faults.ts';
import type { S3Answer, S3Operation, S3Request } from './protocol.ts';

export interface S3Act {
  /** Ends the connection before the body is read: nothing happens. */
  readonly refuse?: Ending;
  /** Answers before the body is read, with no effect, and takes no more than the answer needs. Needs `answer`. */
  readonly early?: true;
  /** Waits before the effect. */
  readonly delayMs?: number;
  /** Request headers, in lower case, that the server does not see. */
  readonly ignore?: readonly string[];
  /** The server sees the bucket as it was when the rule was given. Writes are lost. */
  readonly stale?: true;
  /**
   * `none`: nothing happens. `twice`: the request is delivered twice, the second answer counts. `laterBy`: it happens when
   * the k-th request after it does, and is answered now, with `answer` or by a reset.
   */
  readonly effect?: 'none' | 'twice' | { readonly laterBy: number };
  /** Replaces the effect; `run` is what an honest server would do, with the request given to it. */
  readonly serve?: (
    request: S3Request,
    run: (request: S3Request) => S3Answer,
  ) => S3Answer | Promise<S3Answer>;
  /** Replaces the answer or parts of it. */
  readonly answer?: S3Reply | ((answer: S3Answer, request: S3Request) => S3Answer);
  /** Waits between the effect and the answer. */
  readonly answerDelayMs?: number;
  /** Never answers; the connection stays open. */
  readonly hang?: true;
  /** `content-length` is off by so many bytes. */
  readonly lengthOff?: number;
  /** The body goes out in chunks, without `content-length`. */
  readonly chunked?: true;
  /** So many bytes at a time, a wait between them. */
  readonly pace?: { readonly bytes: number; readonly everyMs: number };
  /** Sends so many bytes of the head, or the whole head and so many bytes of the body, then ends the connection. */
  readonly cut?: { readonly head: number } | { readonly body: number };
  /** Ends the connection after what was sent. A cut answer ends with a reset otherwise. */
  readonly end?: Ending;
}

export interface S3Reply {
  /** The error answer of this code; the other members change it further. */
  readonly code?: string;
  readonly status?: number;
  /** `undefined` takes a header away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
}

export interface S3Rule {
  readonly on?: S3Operation | readonly S3Operation[] | ((request: S3Request) => boolean);
  readonly key?: string | ((key: string) => boolean);
  /** The first of the matching requests that it is for, from 0. */
  readonly at?: number;
  /** How many in a row it is for: one for each act, unless told. */
  readonly times?: number;
  /** Several are done in turn, the last of them from then on. */
  readonly do: S3Act | readonly S3Act[];
}

/** A rule in force. */
export class ActiveRule {
  readonly #rule: S3Rule;
  readonly #acts: readonly S3Act[];
  #seen = 0;
  #fired = 0;

  constructor(rule: S3Rule) {
    this.#rule = rule;
    this.#acts = Array.isArray(rule.do) ? (rule.do as readonly S3Act[]) : [rule.do as S3Act];
  }

  /** Requests it has changed so far. */
  get fired(): number {
    return this.#fired;
  }

  /** Counts the request when it matches; true when the rule is for it. */
  sees(request: S3Request): boolean {
    const { on, key, at = 0, times = this.#acts.length } = this.#rule;
    if (typeof on === 'function' ? !on(request) : on && !on.includes(request.operation))
      return false;
    if (typeof key === 'function' ? !key(request.key) : key !== undefined && key !== request.key)
      return false;
    const n = this.#seen++;
    return n >= at && n < at + times;
  }

  fire(): S3Act {
    const act = this.#acts[Math.min(this.#fired, this.#acts.length - 1)] ?? {};
    this.#fired++;
    return act;
  }
}

/** The request as a server sees it that drops some of its headers. */
export function without(request: S3Request, names: readonly string[]): S3Request {
  const headers = new Map([...request.headers].filter(([name]) => !names.includes(name)));
  return { ...request, headers };
}

export function reply(change: S3Act['answer'], answer: S3Answer, request: S3Request): S3Answer {
  if (change === undefined) return answer;
  if (typeof change === 'function') return change(answer, request);
  const from = change.code === undefined ? answer : fault(request, change.code);
  const headers = Object.entries({ ...from.headers, ...change.headers }).filter(
    (header): header is [string, string] => header[1] !== undefined,
  );
  const { body = from.body } = change;
  return {
    status: change.status ?? from.status,
    headers: Object.fromEntries(headers),
    body: typeof body === 'string' ? utf8Encode(body) : body,
  };
}
