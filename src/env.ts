/**
 * Everything non-deterministic comes in through here: clock, chance, ids, timers. Lint forbids the globals elsewhere,
 * so a test that passes an `Env` of its own owns time and luck.
 */
export interface Env {
  /** Wall clock, in nanoseconds since the Unix epoch. May step backwards, as wall clocks do. */
  now(): bigint;
  /** Milliseconds from an arbitrary start. Never steps backwards. */
  monotonic(): number;
  /** A uniform number in [0, 1). */
  random(): number;
  /** A fresh identifier: 32 lower-case hex digits, 122 bits of them random. */
  id(): string;
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock, random source and timers. */
export const systemEnv: Env = {
  now: wallClock(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  id: () => crypto.randomUUID().replaceAll('-', ''),
  sleep,
};

/**
 * The wall clock with microseconds. `Date` has milliseconds only, and what `performance` adds to the start of the process
 * stands still while the machine sleeps and ignores corrections of the clock: so the second refines the first and is set
 * right whenever the two disagree. Ids drawn from it keep step with those of other processes.
 */
function wallClock(): () => bigint {
  const originMs = performance.timeOrigin;
  let correctionMs = 0;
  return () => {
    const wallMs = Date.now();
    const sinceTick = originMs + performance.now() + correctionMs - wallMs;
    const belowMs = Math.min(Math.max(sinceTick, 0), 0.999);
    correctionMs += belowMs - sinceTick;
    return BigInt(wallMs * 1_000 + Math.floor(belowMs * 1_000)) * 1_000n;
  };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves or rejects like `work`, or with `onTimeout()` once `ms` have passed; `work` is told by its signal. */
export async function withDeadline<T>(
  env: Env,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  const stop = new AbortController();
  const done = new AbortController();
  const timer = env.sleep(ms, done.signal).then(
    () => {
      const error = onTimeout();
      stop.abort(error);
      throw error;
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work(stop.signal), timer]);
  } finally {
    done.abort();
  }
}
