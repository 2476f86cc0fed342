/** Who else may write, and whether the store can keep so many writers apart. */
import { LodeError } from '../errors.ts';
import type { Subject } from '../errors.ts';
import type { Store } from '../store/store.ts';

/** `any` process, only this `process`, or nobody else at all. */
export type Writers = 'any' | 'process' | 'single';

/** Refuses to commit where two writers could not tell that they raced. */
export function assertMayCommit(
  subject: Subject,
  { store, writers }: { readonly store: Store; readonly writers: Writers },
): void {
  const { conditionalWrites, name } = store.capabilities;
  if (writers === 'single' || conditionalWrites === 'all') return;
  if (writers === 'process' && conditionalWrites === 'process') return;
  throw new LodeError(
    'LODE_CONDITIONS_UNSUPPORTED',
    `the ${name} store cannot keep two writers apart`,
    {
      ...subject,
      expected: writers === 'any' ? 'all' : writers,
      actual: conditionalWrites,
      next: "Use storage with atomic conditional writes, or vouch for it: writers: 'process' or 'single'.",
    },
  );
}
