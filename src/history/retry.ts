/** When a lost race is run again: bounded, with exponential backoff and jitter. Off unless asked for. */
import type { Env } from '../env.ts';
import { LodeError } from '../errors.ts';
import { assertOptions } from '../options.ts';

export interface RetryOptions {
  /** Further attempts after a lost race. 0, the default, reports the first conflict. */
  readonly attempts?: number;
  /** Delay before the first retry in milliseconds, doubled each time. Default 10. */
  readonly baseDelayMs?: number;
  /** Longest delay in milliseconds. Default 2,000. */
  readonly maxDelayMs?: number;
  /** Share of the delay that is random, 0 to 1. Default 1: anywhere between nothing and the whole delay. */
  readonly jitter?: number;
}

export type RetryPolicy = Required<RetryOptions>;

const retryNames = { attempts: true, baseDelayMs: true, maxDelayMs: true, jitter: true } as const;

export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  assertOptions<RetryOptions>(options, 'retry', retryNames);
  const { attempts = 0, baseDelayMs = 10, maxDelayMs = 2_000, jitter = 1 } = options;
  check(
    Number.isSafeInteger(attempts) && attempts >= 0,
    'attempts',
    'a whole number from 0',
    attempts,
  );
  check(baseDelayMs > 0 && Number.isFinite(baseDelayMs), 'baseDelayMs', 'more than 0', baseDelayMs);
  check(maxDelayMs > 0 && Number.isFinite(maxDelayMs), 'maxDelayMs', 'more than 0', maxDelayMs);
  check(jitter >= 0 && jitter <= 1, 'jitter', 'from 0 to 1', jitter);
  return { attempts, baseDelayMs, maxDelayMs, jitter };
}

function check(holds: boolean, field: string, expected: string, actual: number): void {
  if (holds) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'retry option is out of range', {
    field: `retry.${field}`,
    expected,
    actual,
  });
}

/** Milliseconds to wait before retry `k`, counted from 1. */
export function retryDelayMs(policy: RetryPolicy, k: number, env: Env): number {
  const delay = Math.min(policy.baseDelayMs * 2 ** (k - 1), policy.maxDelayMs);
  const random = Math.trunc(delay * policy.jitter);
  return delay - random + env.random() * random;
}
