/**
 * Holding the pointer: how a writer keeps Go processes off it, in storage that has no locks.
 *
 * A held pointer names the same snapshot as before, followed by white space. Go trims what it reads and compares what is
 * stored (E-15): its readers see the head as ever, its commits and its rewinds lose the comparison. Writers of ours wait until
 * the pointer is let go; after the settle time they take the hold over. Whoever had it can then publish no more, because the
 * white space of every hold differs.
 */
import { utf8Encode } from '../bytes/index.ts';
import { withDeadline } from '../env.ts';
import { LodeError } from '../errors.ts';
import { waits } from '../events.ts';
import type { ETag, PutMode } from '../store/store.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { Head, HeadFinder } from './head.ts';
import { notVisible, putDefinitely, sameBytes } from './lost-response.ts';
import type { Operation } from './operation.ts';
import { heldText, readPointer } from './pointer.ts';

/** Letting go takes its own time, not that of the call that failed. */
const releaseMs = 5_000;
const pollDelayMaxMs = 100;

/** The etag of the pointer held on top of `head`; `undefined` when the pointer is no longer what it was. */
export async function takeHold<M extends SnapshotFacts>(
  op: Operation,
  { pointerKey: key }: HistoryFormat<M>,
  head: Head<M>,
  mode: PutMode,
): Promise<ETag | undefined> {
  const body = utf8Encode(heldText(op.env, head.pointed));
  try {
    const landed = sameBytes(op, key, body);
    const taken = await putDefinitely(op, { key, body, options: () => ({ mode }), landed });
    if (taken.outcome === 'conflict') return undefined;
    return taken.etag ?? (await landed());
  } catch (error) {
    await releasing(op, async (by) => letGo(by, key, head, await sameBytes(by, key, body)()));
    // Nothing shows of a commit that only held the pointer.
    throw notVisible(error);
  }
}

/** Puts the pointer back to what it named. Fails silently: whoever comes next takes over. */
export async function releaseHold<M extends SnapshotFacts>(
  op: Operation,
  { pointerKey }: HistoryFormat<M>,
  head: Head<M>,
  etag: ETag,
): Promise<void> {
  await releasing(op, (by) => letGo(by, pointerKey, head, etag));
}

async function letGo<M>(
  { store, signal }: Operation,
  key: string,
  { pointed = '' }: Head<M>,
  etag: ETag | undefined,
): Promise<void> {
  if (etag !== undefined)
    await store.put(key, utf8Encode(pointed), { mode: { ifMatch: etag }, signal });
}

async function releasing(op: Operation, work: (by: Operation) => Promise<void>): Promise<void> {
  const late = (): Error =>
    new LodeError('LODE_TIMEOUT', 'letting go of the pointer took too long', {
      expected: releaseMs,
    });
  // Of two failures the first is the one to report.
  await withDeadline(op.env, releaseMs, (signal) => work({ ...op, signal }), late).catch(() => {});
}

/** The head once nobody holds the pointer, or unchanged when its holder has let the settle time pass. */
export async function awaitRelease<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  found: Head<M>,
  settleMs: number = op.store.capabilities.settleMs,
): Promise<Head<M>> {
  let head = found;
  const { env } = op;
  const beganMs = env.monotonic();
  let sinceMs = beganMs;
  for (let delayMs = 2; head.held && env.monotonic() - sinceMs < settleMs;) {
    await env.sleep(delayMs, op.signal);
    const pointer = await readPointer(format, op);
    if (pointer.etag === head.etag) {
      delayMs = Math.min(delayMs * 2, pollDelayMaxMs);
      continue;
    }
    head = await heads.at(op, pointer, head);
    [sinceMs, delayMs] = [env.monotonic(), 2];
  }
  if (found.held) {
    const ms = (): number => env.monotonic() - beganMs;
    waits.tell(op.logger, () => ({ reason: 'commit', key: format.pointerKey, ms: ms() }));
  }
  return head;
}
