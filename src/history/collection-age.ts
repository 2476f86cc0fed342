/**
 * How old data has to be before it may be taken for garbage. Writers and collectors share these figures: what a commit
 * has uploaded is safe for a day, and a commit that takes longer than half of that looks whether its data is still there.
 */
import type { Env } from '../env.ts';

const hourMs = 60 * 60 * 1000;

/** Nothing younger is ever collected. */
export const collectionAgeMinMs: number = 24 * hourMs;
export const collectionAgeDefaultMs: number = 7 * 24 * hourMs;
/** A commit that began longer ago than this checks its data. */
export const uncheckedCommitMs: number = collectionAgeMinMs / 2;

/**
 * Tells once so much time has passed from now on: what a commit has uploaded and nothing names may have been collected,
 * and it is not published any more. The wall clock goes on while the machine sleeps, the monotonic one may not.
 */
export function lateness(env: Env): () => boolean {
  const wall = env.now();
  const monotonicMs = env.monotonic();
  return () =>
    Math.max(Number((env.now() - wall) / 1_000_000n), env.monotonic() - monotonicMs) >=
    uncheckedCommitMs;
}
