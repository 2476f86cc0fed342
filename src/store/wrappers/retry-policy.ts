/** Which failures are worth another attempt, and how long to wait for it. */
import type { Env } from '../../env.ts';
import { isLodeError } from '../../errors.ts';
import { backoffMs, tellRetry, type Backoff, type Resent } from '../backoff.ts';

/** What the parts of this wrapper share. */
export interface RetryPolicy extends Backoff {
  readonly attempts: number;
  readonly spoolBytesMax: number;
  readonly env: Env;
}

/** True for failures that may pass by themselves. A full disk will not within any sensible backoff. */
export function passes(error: unknown): boolean {
  return isLodeError(error) && error.kind === 'unavailable' && error.code !== 'LODE_STORAGE_FULL';
}

/** Waits before the attempt that follows `failures` failed ones. */
export async function pause(policy: RetryPolicy, failures: number, resent: Resent): Promise<void> {
  const { signal } = resent;
  const delayMs = backoffMs(failures, policy, policy.env);
  tellRetry(resent, failures, delayMs);
  await policy.env.sleep(delayMs, signal);
  signal?.throwIfAborted();
}
