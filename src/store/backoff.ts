/** How long to wait before the next attempt. */
import type { Env } from '../env.ts';

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
