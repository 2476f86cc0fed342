/**
 * What happens inside, for those who watch: channels that anybody in the process may subscribe to, and the logger that a
 * dataset was given. Nothing is built while nobody listens.
 *
 * Payloads are facts about requests and commits: keys (with the values of their partitions), ids, times, counts, codes.
 * Never records, metadata, bodies, or credentials. Listening changes nothing: what a listener throws does not reach the
 * operation it watches.
 */
import { channel } from '#platform/events.js';
import type { EventChannel } from '#platform/events.js';
import type { LodeErrorCode, Subject } from './errors.ts';

/** Payloads by the name of their channel. */
export interface LodeEvents {
  /** A dataset's, volume's or reader's request to its store has been answered; a listing when it has ended. */
  readonly 'lode:request': RequestEvent;
  /** A request is sent again: its answer was a failure that passes, or did not come. */
  readonly 'lode:retry': RetryEvent;
  /** A commit of this process is the head. */
  readonly 'lode:commit': CommitEvent;
  /** A commit of this process lost a race. */
  readonly 'lode:conflict': ConflictEvent;
  /** Something of another writer was waited for; told when the wait is over. */
  readonly 'lode:wait': WaitEvent;
  /** The place of a manifest that never came was occupied, so that it cannot come late. */
  readonly 'lode:fence': FenceEvent;
  /** `repair()` wrote something. */
  readonly 'lode:repair': RepairEvent;
}

export interface RequestEvent {
  /** Name of the adapter, such as `s3`. */
  readonly store: string;
  readonly method: 'put' | 'get' | 'head' | 'list' | 'delete';
  /** The prefix of a listing; the first key of a deletion. */
  readonly key: string;
  /** `missing`, `conflict` and `unmodified` are answers, not failures. `stopped`: a listing that its reader left. */
  readonly outcome: 'ok' | 'missing' | 'conflict' | 'unmodified' | 'stopped' | 'failed';
  /** Of a failure, when it has one. */
  readonly code?: LodeErrorCode | undefined;
  /** Until the answer; the body of a `get` comes after it. */
  readonly ms: number;
  /** Keys deleted, or entries listed. */
  readonly count?: number;
}

export interface RetryEvent {
  /** Absent for requests that are about no one key. */
  readonly key?: string | undefined;
  /** Which failure of this request it was, counted from 1. */
  readonly failures: number;
  readonly delayMs: number;
  /** Of the failure. */
  readonly code?: LodeErrorCode | undefined;
}

export interface CommitEvent extends Subject {
  readonly snapshot: string;
  readonly parent: string | undefined;
  /** Races lost before this one was won. */
  readonly retries: number;
  /** Copies of the manifest that could not be written. */
  readonly missingCopies: readonly string[];
  /** Of a volume: bytes that are there with this commit. */
  readonly coveredBytes?: number;
  /** Of a volume: bytes that nobody has committed yet. */
  readonly missingBytes?: number;
}

export interface ConflictEvent extends Subject {
  /** What the commit was to build on. */
  readonly expectedHead: string | undefined;
  /** Further attempts follow; else the caller is told. */
  readonly retried: boolean;
  /** Another writer took this one's manifest for lost, and fenced it. */
  readonly fenced: boolean;
}

export interface WaitEvent {
  /** A commit between pointer and manifest, or the pointer's lock (told above a second). */
  readonly reason: 'commit' | 'lock';
  readonly key: string;
  readonly ms: number;
}

export interface FenceEvent extends Subject {
  readonly snapshot: string;
}

export interface RepairEvent extends Subject {
  readonly keys: readonly string[];
}

/** Takes messages and the facts beside them: `console`, or an adapter of three lines for another. */
export interface Logger {
  debug?(message: string, details: object): void;
  info?(message: string, details: object): void;
  warn?(message: string, details: object): void;
}

type Level = keyof Logger;

/** One channel, and how its events read in a log. */
class Topic<P extends object> {
  readonly #channel: EventChannel;
  readonly #level: Level;
  readonly #message: string;

  constructor(name: keyof LodeEvents, level: Level, message: string) {
    this.#channel = channel(name);
    this.#level = level;
    this.#message = message;
  }

  get isWatched(): boolean {
    return this.#channel.hasSubscribers;
  }

  tell(logger: Logger | undefined, payload: () => P): void {
    const { hasSubscribers } = this.#channel;
    if (!hasSubscribers && logger === undefined) return;
    const facts = payload();
    if (hasSubscribers) this.#channel.publish(facts);
    this.log(logger, facts);
  }

  log(logger: Logger | undefined, facts: P): void {
    log(logger, this.#level, this.#message, facts);
  }
}

export function log(
  logger: Logger | undefined,
  level: Level,
  message: string,
  facts: object,
): void {
  try {
    logger?.[level]?.(message, facts);
  } catch {
    // A log that is full must not fail a commit, least of all one that has landed.
  }
}

export const requests: Topic<RequestEvent> = new Topic('lode:request', 'debug', 'request');
export const retries: Topic<RetryEvent> = new Topic('lode:retry', 'info', 'request sent again');
export const commits: Topic<CommitEvent> = new Topic('lode:commit', 'debug', 'committed');
export const conflicts: Topic<ConflictEvent> = new Topic(
  'lode:conflict',
  'info',
  'another writer committed first',
);
export const waits: Topic<WaitEvent> = new Topic('lode:wait', 'info', 'waited for another writer');
export const fences: Topic<FenceEvent> = new Topic(
  'lode:fence',
  'warn',
  'fenced a commit that never finished',
);
export const repairs: Topic<RepairEvent> = new Topic(
  'lode:repair',
  'warn',
  'completed what an interrupted commit left',
);
