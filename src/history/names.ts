/** Names that become one part of a key: of datasets, volumes and snapshots. No path can interpret them (E-21). */
import { isWellFormed } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';

/** Any name, except `latest`, whose key is the pointer's in the flat layout of datasets. */
export function assertSnapshotId(id: string): void {
  assertName(id, 'snapshot');
  if (id === 'latest') refuseName('snapshot', id, 'is a reserved name');
}

export function assertName(name: unknown, field: string): asserts name is string {
  if (typeof name !== 'string') refuseName(field, typeof name, 'is not a string');
  if (name === '') refuseName(field, name, 'is empty');
  if (name === '.' || name === '..') refuseName(field, name, 'is a path, not a name');
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[/\\\u0000-\u001f\u007f-\u009f]/.test(name))
    refuseName(field, name, 'contains a slash, backslash or control character');
  if (!isWellFormed(name)) refuseName(field, name, 'is not well-formed Unicode');
}

export function refuseName(field: string, actual: string, why: string): never {
  throw new LodeError('LODE_INVALID_ARGUMENT', `this ${field} ${why}`, {
    field,
    actual,
    next: 'Use a name without slashes, backslashes or control characters.',
  });
}

/** Whether text from a store can be a snapshot id; ids of other writers are opaque but stay one part of a key. */
export function isSnapshotId(text: string): boolean {
  try {
    assertSnapshotId(text);
    return true;
  } catch {
    return false;
  }
}
