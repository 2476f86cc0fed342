/**
 * Which blocks are known to be there: those this process has put itself, not long ago. A commit looks for all others:
 * those of another process, adopted ones, and those old enough that a collector may have taken them (E-25).
 */
import { uncheckedCommitMs } from '../history/index.ts';
import type { Operation } from '../history/index.ts';
import type { VolumeBlock } from './types.ts';

interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export class Proofs {
  /** Weak: what is staged and never committed is forgotten with its block. */
  readonly #put = new WeakMap<VolumeBlock, Moment>();

  add(block: VolumeBlock, op: Operation): void {
    this.#put.set(block, now(op));
  }

  has(block: VolumeBlock, op: Operation): boolean {
    const then = this.#put.get(block);
    if (then === undefined) return false;
    // The wall clock goes on while the machine sleeps, the monotonic one may not.
    const { wallMs, monotonicMs } = now(op);
    return Math.max(wallMs - then.wallMs, monotonicMs - then.monotonicMs) < uncheckedCommitMs;
  }
}

function now({ env }: Operation): Moment {
  return { wallMs: Number(env.now() / 1_000_000n), monotonicMs: env.monotonic() };
}
