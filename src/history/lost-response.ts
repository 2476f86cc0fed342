/**
 * Lost responses: a conditional put whose answer never came may or may not have landed, now or later.
 *
 * The same put is issued again until it gets a definite answer; being conditional, it cannot land twice. A conflict then
 * counts as ours only when a read-back proves it. What stays open is `LODE_WRITE_UNCERTAIN`, whose `resolve()` goes on
 * asking; until it has answered, nothing that the write refers to may be deleted.
 */
import { sameContent } from '../bytes/index.ts';
import { isLodeError, LodeError } from '../errors.ts';
import type { ETag, PutOptions } from '../store/store.ts';
import type { Operation } from './operation.ts';

/** How often one call asks before it gives the question back to its caller. */
const asksMax = 4;
const askDelayMs = 20;

export interface DefiniteResult {
  readonly outcome: 'stored' | 'conflict';
  readonly etag?: ETag | undefined;
}

interface ConditionalWrite {
  readonly key: string;
  readonly body: Uint8Array;
  /** Asked anew for each attempt. */
  readonly options: () => PutOptions;
  /**
   * Asked when a conflict follows an unanswered attempt: did that attempt land? Answers the etag our content has now
   * (or `superseded` when it landed and has been replaced since), `undefined` when it did not land.
   */
  readonly landed: () => Promise<ETag | 'superseded' | undefined>;
}

/** Puts until the outcome is known; throws definite failures as they are and `LODE_WRITE_UNCERTAIN` otherwise. */
export async function putDefinitely(
  op: Operation,
  write: ConditionalWrite,
): Promise<DefiniteResult> {
  let unanswered: unknown;
  for (let ask = 1; ask <= asksMax; ask++) {
    try {
      const options = write.options();
      const { signal } = op;
      const result = await op.store.put(
        write.key,
        write.body,
        signal === undefined ? options : { ...options, signal },
      );
      if (result.outcome === 'conflict' && unanswered !== undefined)
        return await settle(write, result.etag);
      return result;
    } catch (error) {
      if (op.signal?.aborted) throw error;
      if (!mayHaveLanded(error)) {
        if (unanswered === undefined) throw error;
        throw uncertain(op, write, error);
      }
      unanswered = error;
    }
    if (ask < asksMax) await op.env.sleep(askDelayMs * 2 ** (ask - 1), op.signal);
  }
  throw uncertain(op, write, unanswered);
}

async function settle(write: ConditionalWrite, etag: ETag | undefined): Promise<DefiniteResult> {
  const landed = await write.landed();
  if (landed === undefined) return { outcome: 'conflict', etag };
  return { outcome: 'stored', etag: landed === 'superseded' ? undefined : landed };
}

/** False for failures after which the former content certainly stands. What a caller aborts with, whatever it is, says nothing. */
export function mayHaveLanded(error: unknown, signal?: AbortSignal): boolean {
  if (!isLodeError(error) || signal?.aborted === true) return true;
  if (error.code === 'LODE_STORAGE_FULL') return false;
  return error.kind === 'unavailable' || error.kind === 'uncertain';
}

function uncertain(op: Operation, write: ConditionalWrite, cause: unknown): LodeError {
  const detached: Operation = { ...op, signal: undefined };
  return uncertainWrite(write.key, cause, async () => {
    const answer = await putDefinitely(detached, write);
    if (answer.outcome === 'stored') return 'landed';
    return (await write.landed()) === undefined ? 'not-landed' : 'landed';
  });
}

/** The same error with another way to settle it, where one write is only a part of the commit. */
export function withResolve(
  error: unknown,
  resolve: () => Promise<'landed' | 'not-landed'>,
): unknown {
  if (!isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return error;
  return uncertainWrite(error.details.key ?? '', error.cause, resolve);
}

/** What is open about a part of a commit that nothing visible refers to is no open commit: it failed, as a whole. */
export function notVisible(error: unknown): unknown {
  if (!isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return error;
  const { key } = error.details;
  const what = 'the store did not say whether a part of the commit landed';
  const next = 'Nothing was made visible: commit again.';
  const details = { ...(key === undefined ? {} : { key }), next };
  return new LodeError('LODE_UNAVAILABLE', what, details, { cause: error.cause ?? error });
}

/** The error of a commit that may have landed. */
export function uncertainWrite(
  key: string,
  cause: unknown,
  resolve: () => Promise<'landed' | 'not-landed'>,
): LodeError {
  const what = 'the store did not say whether the commit landed';
  const next =
    'Call details.resolve(): it asks again, and the commit cannot land twice. Delete nothing before it answers.';
  return new LodeError('LODE_WRITE_UNCERTAIN', what, { key, next, resolve }, { cause });
}

/** For immutable objects that only this writer could have made: the etag when the stored bytes are `body`. */
export function sameBytes(
  op: Operation,
  key: string,
  body: Uint8Array,
): () => Promise<ETag | undefined> {
  return async () => {
    const object = await op.store.get(key, { signal: op.signal });
    if (object === undefined) return undefined;
    if (object.size !== body.length) {
      await object.cancel();
      return undefined;
    }
    const stored = await object.bytes();
    return sameContent(stored, body) ? object.etag : undefined;
  };
}
