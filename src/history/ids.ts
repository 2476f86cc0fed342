/**
 * Snapshot ids: decimal nanoseconds since the Unix epoch, always 19 digits, growing along a history.
 *
 * The wall clock may stand still or step back, and two processes may read the same microsecond: an id is above the last
 * one of this process, above its parent, and its last three digits are random where the clock has none to give.
 */
import type { Env } from '../env.ts';

/** 2001-09-09, the first instant with 19 digits: a clock before it is not set. */
const smallest = 1_000_000_000_000_000_000n;
/** Nothing could follow it. */
const largest = '9'.repeat(19);

const lastByEnv = new WeakMap<Env, bigint>();

/** A fresh id, greater than every id this process has drawn from `env` and than each numeric id in `above`. */
export function nextSnapshotId(env: Env, ...above: readonly (string | undefined)[]): string {
  let id = (env.now() / 1000n) * 1000n + BigInt(Math.floor(env.random() * 1000));
  if (id < smallest) id = smallest;
  const last = lastByEnv.get(env);
  if (last !== undefined && id <= last) id = last + 1n;
  let text = String(id);
  for (const other of above) {
    if (follows(text, other)) continue;
    // By chance: two writers behind the same clock must not upload under one id.
    id = (numericId(other) ?? id) + 1n + BigInt(Math.floor(env.random() * 1e6));
    text = String(id);
  }
  lastByEnv.set(env, id);
  return text;
}

/** True when `id` may follow `parent` in a history. Ids of other shapes follow anything. */
export function follows(id: string, parent: string | undefined): boolean {
  // Of two numbers with as many digits the larger is the larger text.
  return parent === undefined || id > parent || !isNumeric(parent) || !isNumeric(id);
}

/** The id as a number when it has the shape ours have; ids are opaque otherwise. */
export function numericId(id: string | undefined): bigint | undefined {
  return id !== undefined && isNumeric(id) ? BigInt(id) : undefined;
}

function isNumeric(id: string): boolean {
  return id.length === 19 && id !== largest && /^\d+$/.test(id);
}
