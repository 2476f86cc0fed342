/**
 * Commits that were refused under the lock. Without a pointer, readers and writers look for manifests instead: that of a
 * first commit shows as soon as it is there, and a plain refusal would not be true.
 */
import { isLodeError } from '../errors.ts';
import type { PutMode } from '../store/store.ts';
import { lateness } from './collection-age.ts';
import { uncertainWrite } from './lost-response.ts';
import type { Operation } from './operation.ts';

/** Manifests that may be there from now on. */
export interface Begun<M> {
  readonly manifest: M;
  readonly bytes: Uint8Array;
  /** `create`: there is no pointer yet. */
  readonly mode: PutMode;
}

/** The error of a first commit that was not published: an open outcome unless its manifest is certainly not there. */
export async function refusedFirst(
  op: Operation,
  error: unknown,
  manifestKey: string,
  finish: (op: Operation) => Promise<'landed' | 'not-landed'>,
): Promise<unknown> {
  if (op.signal?.aborted) return error;
  const isOpen = isLodeError(error, 'LODE_WRITE_UNCERTAIN');
  // What is not there yet may still arrive, unless the store said that it will not.
  if (!isOpen) {
    const found = await op.store.head(manifestKey, { signal: op.signal }).catch(() => 'unknown');
    if (found === undefined) return error;
  }
  const cause = isOpen ? (error.cause ?? error) : error;
  const isLate = lateness(op.env);
  return uncertainWrite(manifestKey, cause, async () => {
    if (isLate() && (await op.store.head(manifestKey)) === undefined) return 'not-landed';
    return finish({ ...op, signal: undefined });
  });
}
