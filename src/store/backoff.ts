/** How long to wait before the next attempt, and who is told of it. */
import type { Env } from '../env.ts';
import { isLodeError } from '../errors.ts';
import { retries } from '../events.ts';
import type { CallOptions } from './store.ts';

export interface Backoff {
  /** Delay before the second attempt; doubles from there. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Share of each delay left to chance: 0 waits exactly, 1 waits anything from nothing to the whole delay. */
  readonly jitter: number;
}

/** Delay after `failures` failed attempts, counted from 1. */
export function backoffMs(failures: number, backoff: Backoff, env: Env): number {
  const { baseDelayMs, maxDelayMs, jitter } = backoff;
  const whole = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  return whole * (1 - jitter * env.random());
}

/** What is sent again, for whom, and why. */
export interface Resent extends CallOptions {
  readonly key?: string | undefined;
  readonly error?: unknown;
}

/** Tells those who watch that a request will be sent again. */
export function tellRetry(resent: Resent, failures: number, delayMs: number): void {
  const { key, error, onRetry } = resent;
  if (onRetry === undefined && !retries.isWatched) return;
  const code = isLodeError(error) ? error.code : undefined;
  const facts = { key, failures, delayMs, code };
  retries.tell(undefined, () => facts);
  onRetry?.(facts);
}
