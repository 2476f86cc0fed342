/** What a writer is told that lost a race for good. */
import { LodeError } from '../errors.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { CommitRequest } from './publication.ts';

export function conflict<M extends SnapshotFacts>(
  format: HistoryFormat<M>,
  { expectedParent, afterConflict }: CommitRequest<M>,
  expectedHead: string | undefined,
  actualHead: string | undefined,
): LodeError<'LODE_SNAPSHOT_CONFLICT'> {
  const isNamed = expectedParent !== undefined;
  const what = isNamed
    ? 'the head is not the snapshot given as expectedParent'
    : 'another writer committed first';
  const next = afterConflict ?? (isNamed ? afterExpectedParent : undefined);
  return new LodeError('LODE_SNAPSHOT_CONFLICT', what, {
    ...format.subject,
    key: format.pointerKey,
    expected: expectedHead ?? 'no snapshot',
    actual: actualHead ?? 'no snapshot',
    expectedHead,
    actualHead,
    ...(next === undefined ? {} : { next }),
  });
}

export function fenced<M extends SnapshotFacts>({ subject }: HistoryFormat<M>): LodeError {
  const what = 'another writer fenced this commit: its manifest came too late';
  return new LodeError('LODE_FENCED', what, { ...subject });
}

export function superseded<M extends SnapshotFacts>(
  { subject }: HistoryFormat<M>,
  snapshot: string,
): LodeError {
  const what = 'another writer took over before the pointer named this snapshot';
  return new LodeError('LODE_SUPERSEDED', what, { ...subject, snapshot });
}

const afterExpectedParent =
  'Call latest(), rebase on it, and commit again; if no snapshot ever had that id, fix the call.';
