/**
 * Snapshot ids: decimal nanoseconds since the Unix epoch, always 19 digits, growing along a history.
 *
 * The wall clock may stand still or step back, and two processes may read the same microsecond: an id is above the last
 * one of this process, above its parent, and its last three digits are random where the clock has none to give.
 */
import type { Env } from '../env.ts';

/** 2001-09-09, the first instant with 19 digits: a clock before it is not set. */
const smallest = 1_000_000_000_000_000_000n;
const largest = 9_999_999_999_999_999_999n;

const lastByEnv = new WeakMap<Env, bigint>();

/** A fresh id, greater than every id this process has drawn from `env` and than each numeric id in `above`. */
export function nextSnapshotId(env: Env, ...above: readonly (string | undefined)[]): string {
  let id = (env.now() / 1000n) * 1000n + BigInt(Math.floor(env.random() * 1000));
  if (id < smallest) id = smallest;
  const last = lastByEnv.get(env);
  if (last !== undefined && id <= last) id = last + 1n;
  for (const other of above) {
    const number = numericId(other);
    if (number !== undefined && id <= number) id = number + 1n;
  }
  lastByEnv.set(env, id);
  return String(id);
}

/** True when `id` may follow `parent` in a history. Ids of other shapes follow anything. */
export function follows(id: string, parent: string | undefined): boolean {
  const before = numericId(parent);
  const own = numericId(id);
  return before === undefined || own === undefined || own > before;
}

/** The id as a number when it has the shape ours have; ids are opaque otherwise. */
export function numericId(id: string | undefined): bigint | undefined {
  if (id === undefined || !/^\d{19}$/.test(id)) return undefined;
  const value = BigInt(id);
  return value < largest ? value : undefined;
}
