/**
 * Taking turns on one key: first in line within the process, then by the lock file that every process respects.
 *
 * The line keeps the writers of one process from racing each other for the file, which would starve some of them. The
 * wait for both has a deadline and can be aborted.
 */
import type { Disk, DiskLock } from '../../disk/disk.ts';
import { withDeadline, type Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { KeyLocks } from '../key-locks.ts';

/** One set of lines per disk, shared by all stores on it. */
const linesOf = new WeakMap<Disk, KeyLocks>();

const firstDelayMs = 1;
const lastDelayMs = 50;

interface TurnsOptions {
  readonly disk: Disk;
  readonly env: Env;
  readonly timeoutMs: number;
}

/** Gives the turn to the next. */
type EndTurn = () => Promise<void>;

export class Turns {
  readonly #disk: Disk;
  readonly #env: Env;
  readonly #timeoutMs: number;
  readonly #lines: KeyLocks;

  constructor({ disk, env, timeoutMs }: TurnsOptions) {
    this.#disk = disk;
    this.#env = env;
    this.#timeoutMs = timeoutMs;
    const lines = linesOf.get(disk) ?? new KeyLocks();
    linesOf.set(disk, lines);
    this.#lines = lines;
  }

  /** The turn at the lock file `path`, which is made when it is missing and never removed. */
  async take(path: string, signal: AbortSignal | undefined): Promise<EndTurn> {
    // Nobody in line and the lock free: no timer, no waiting.
    if (!this.#lines.isHeld(path)) {
      const leave = await this.#lines.acquire(path);
      const lock = await this.#tryLock(path, leave);
      if (lock !== undefined) return endOf(lock, leave);
      leave();
    }
    return withDeadline(
      this.#env,
      this.#timeoutMs,
      (deadline) => this.#wait(path, signal ? AbortSignal.any([signal, deadline]) : deadline),
      () =>
        new LodeError('LODE_TIMEOUT', 'another writer has held this lock for too long', {
          key: path,
          expected: `${this.#timeoutMs} ms at most`,
          next: 'See who holds the lock file (lsof), or allow more time. Do not delete it.',
        }),
    );
  }

  /**
   * The turn, if writers take turns at this key at all; otherwise there is nothing to wait for, and no lock file is left
   * behind. The very first conditional put of another process may slip in between.
   */
  async takeIfUsed(path: string, signal: AbortSignal | undefined): Promise<EndTurn | undefined> {
    if (!this.#lines.isHeld(path) && (await this.#disk.info(path)) === undefined) return undefined;
    return this.take(path, signal);
  }

  async #wait(path: string, signal: AbortSignal): Promise<EndTurn> {
    const leave = await this.#lines.acquire(path, signal);
    for (let delay = firstDelayMs; ; delay = Math.min(delay * 2, lastDelayMs)) {
      const lock = await this.#tryLock(path, leave);
      if (lock !== undefined) {
        if (!signal.aborted) return endOf(lock, leave);
        await lock.release();
      }
      try {
        await this.#env.sleep(delay * (0.5 + this.#env.random()), signal);
      } catch (error) {
        leave();
        throw error;
      }
    }
  }

  async #tryLock(path: string, leave: () => void): Promise<DiskLock | undefined> {
    try {
      return await this.#disk.tryLock(path);
    } catch (error) {
      leave();
      throw error;
    }
  }
}

function endOf(lock: DiskLock, leave: () => void): EndTurn {
  return async () => {
    try {
      await lock.release();
    } catch {
      // It ends with its descriptor, which is gone even when closing it reports an error.
    } finally {
      leave();
    }
  };
}
