/**
 * An `Env` whose time, luck and ids a test owns: nothing waits, and the same seed gives the same run.
 *
 * Time stands still while anything can run. When everything waits, it jumps to the earliest sleeper: sleeping costs
 * nothing, yet sleepers wake in the order of their times.
 */
import type { Env } from '../env.ts';
import { seededRandom } from './random.ts';

export interface VirtualEnv extends Env {
  /** Milliseconds slept so far, the sum of all jumps. */
  readonly elapsedMs: number;
  /** Moves the wall clock, and only it, as a clock correction would. */
  stepWallClock(ms: number): void;
  /**
   * Says that something outside the event loop, such as bytes on a socket, is on its way. From the first call on, time
   * jumps only when nobody has called for a while.
   */
  stir(): void;
}

interface Sleeper {
  readonly wakeMs: number;
  readonly wake: () => void;
}

/** 2026-01-02T03:04:05.123456789Z. */
const startNs = 1_767_323_045_123_456_789n;

/** Turns of the event loop: more than bytes need from one socket of this process to another, far less than one can wait for. */
const quietTurns = 100;

export function virtualEnv(options: { readonly seed?: number } = {}): VirtualEnv {
  const random = seededRandom(options.seed ?? 1);
  const sleepers: Sleeper[] = [];
  let elapsedMs = 0;
  let wallStepNs = 0n;
  let reads = 0n;
  let ids = 0;
  let pumping = false;
  let quietWanted = 0;
  let quiet = 0;

  const pump = (): void => {
    pumping = false;
    if (quiet++ < quietWanted) return schedule();
    quiet = 0;
    const next = sleepers.shift();
    if (next === undefined) return;
    elapsedMs = Math.max(elapsedMs, next.wakeMs);
    next.wake();
    schedule();
  };
  // Immediates run once promises and finished I/O have had their turn.
  const schedule = (): void => {
    if (pumping || sleepers.length === 0) return;
    pumping = true;
    setImmediate(pump);
  };

  return {
    get elapsedMs() {
      return elapsedMs;
    },
    stepWallClock(ms) {
      wallStepNs += BigInt(ms) * 1_000_000n;
    },
    stir() {
      quietWanted = quietTurns;
      quiet = 0;
    },
    // A real clock moves on between two looks at it.
    now: () => startNs + wallStepNs + BigInt(Math.round(elapsedMs * 1e6)) + reads++ * 1000n,
    monotonic: () => elapsedMs,
    random,
    id: () => (++ids).toString(16).padStart(32, '0'),
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const sleeper: Sleeper = {
          wakeMs: elapsedMs + ms,
          wake: () => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        const onAbort = (): void => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        const at = sleepers.findIndex((other) => other.wakeMs > sleeper.wakeMs);
        sleepers.splice(at === -1 ? sleepers.length : at, 0, sleeper);
        schedule();
      });
    },
  };
}
