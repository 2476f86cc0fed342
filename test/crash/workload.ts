/** What the power-loss bars run: work on a disk that notes what it promised, and a judge of what is left of it. */
import type { Disk } from '../../src/disk/disk.ts';
import type { DiskImage } from '../../src/disk/image.ts';
import type { Env } from '../../src/env.ts';
import { seededRandom, type SyncRules } from '../../src/testing/index.ts';

export interface Lab {
  readonly disk: Disk;
  readonly env: Env;
  readonly mark: (label: string) => void;
}

export interface Workload {
  readonly name: string;
  /** What the disk holds, durably, before. Nothing but `/` by default. */
  readonly image?: DiskImage;
  /**
   * Does the work, marking what begins, what is acknowledged and what failed. Calls may fail with a `LodeError`: it goes
   * on then. Anything else it throws is a defect.
   */
  run(lab: Lab): Promise<void>;
  /** Opens whatever a crash left and goes on working. */
  resume(lab: Lab): Promise<void>;
  /** Opens what is there and rejects unless the marks allow it. `crash` among the marks: the run before it was cut off. */
  verify(disk: Disk, marks: readonly string[]): Promise<void>;
  readonly rules: SyncRules;
  /** Opening it writes notes and syncs what is there, each time: a second opening is held to what the files say. */
  readonly isRestless?: boolean;
}

/** Chance and ids repeat. Time stands still while anything can run, then steps to whoever sleeps least. */
export function labEnv(seed: number): Env {
  const random = seededRandom(seed);
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  let ms = 1_700_000_000_000 + seed;
  let ids = 0;
  let stepping = false;

  function step(): void {
    stepping = false;
    const [first] = [...sleepers].sort((a, b) => a.at - b.at);
    if (first === undefined) return;
    ms = Math.max(ms, first.at);
    sleepers.delete(first);
    first.wake();
    stepWhenIdle();
  }

  function stepWhenIdle(): void {
    if (stepping || sleepers.size === 0) return;
    stepping = true;
    setImmediate(step);
  }

  return {
    now: () => BigInt(Math.round(ms * 1e6)),
    monotonic: () => ms,
    random,
    id: () => `${seed.toString(16).padStart(8, '0')}${(++ids).toString(16).padStart(24, '0')}`,
    sleep: (delay, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const wake = (): void => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const sleeper = { at: ms + delay, wake };
        signal?.addEventListener('abort', stop, { once: true });
        sleepers.add(sleeper);
        stepWhenIdle();
      }),
  };
}
