/** Checks of a put that cost no I/O. */
import { LodeError } from '../errors.ts';
import type { PutMode } from './store.ts';

/** The mode, `create` when none is given; anything else than the three is `LODE_INVALID_ARGUMENT`. */
export function checkMode(mode: PutMode | undefined): PutMode {
  if (mode === undefined || mode === 'create') return 'create';
  if (mode === 'overwrite') return mode;
  if (typeof mode === 'object' && mode !== null && typeof mode.ifMatch === 'string') return mode;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'put mode is not one of the three', {
    field: 'mode',
    expected: "'create', 'overwrite' or { ifMatch: etag }",
    actual: JSON.stringify(mode),
  });
}
