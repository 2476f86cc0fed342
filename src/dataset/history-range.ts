/**
 * A part of the history, from one snapshot to another. In memory are the ids of that part and the manifests under way:
 * whoever starts with the oldest has to know all ids before, and manifests may be large.
 */
import { LodeError } from '../errors.ts';
import type { Operation } from '../history/index.ts';
import { mapInOrder } from '../parallel.ts';
import type { DatasetContext } from './context.ts';
import type { DatasetManifest } from './manifest/index.ts';
import type { SnapshotRange } from './types.ts';

const manifestsAhead = 4;

export async function* manifestsBetween<R>(
  op: Operation,
  context: DatasetContext<R>,
  { since, until }: SnapshotRange,
  order: 'newest-first' | 'oldest-first',
): AsyncGenerator<DatasetManifest> {
  const { history } = context;
  const last =
    until === undefined ? (await history.head(op)).manifest : await context.manifest(op, until);
  const span = await history.span(op, last, since);
  if (span === undefined) throw notAnAncestor(context.id, since, until);
  const { ids, newest } = span;
  const inOrder = order === 'oldest-first' ? ids.backwards() : ids.forwards();
  yield* mapInOrder(
    inOrder,
    manifestsAhead,
    async (id) => newest.get(id) ?? context.manifest(op, id),
  );
}

function notAnAncestor(
  dataset: string,
  since: string | undefined,
  until: string | undefined,
): LodeError {
  const of = until === undefined ? 'the head' : 'the snapshot to read up to';
  return new LodeError(
    'LODE_NOT_FOUND',
    `the snapshot to read on from is not an ancestor of ${of}`,
    {
      dataset,
      ...(since === undefined ? {} : { snapshot: since }),
      ...(until === undefined ? {} : { field: 'until', actual: until }),
      next: 'Read everything again with since: undefined, or check where that id came from.',
    },
  );
}
