/**
 * What is left after an operation that met a fault: exactly one whole snapshot, or nothing, or an open question that is
 * answered truly. Everything there was before is still there, and whoever comes next can go on.
 */
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { isLodeError } from '../../src/index.ts';
import type {
  CommittedSnapshot,
  CommittedVolumeSnapshot,
  Dataset,
  Store,
  Volume,
} from '../../src/index.ts';
import { blockOf, offsetOf, placeBytes, rowsOf } from './fault-lab.ts';
import type { FaultLab, Rows } from './fault-lab.ts';
import { ours } from './fault-operations.ts';
import type { Act, FaultOperation } from './fault-operations.ts';
import { problemsOf } from '../problems.ts';

type Committed = CommittedSnapshot | CommittedVolumeSnapshot;

export type Outcome =
  | { readonly is: 'success'; readonly committed: Committed | undefined }
  | { readonly is: 'refused'; readonly code: string }
  | { readonly is: 'aborted' }
  | { readonly is: 'uncertain'; readonly resolve: () => Promise<'landed' | 'not-landed'> };

/** What is wrong; thrown and caught in here. */
class Violation extends Error {}

function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** As long as an operation may wait in vain before it is aborted, and then before it has to be over. In virtual time. */
const abortMs = 600_000;
const hangMs = 3_600_000;

/** Runs the operation to its end. Anything but a typed outcome is a violation. */
export async function outcomeOf(lab: FaultLab, act: Act): Promise<Outcome> {
  const reason = new Error('the caller has waited long enough');
  const abort = new AbortController();
  const over = new AbortController();
  const patience = lab.env
    .sleep(abortMs, over.signal)
    .then(() => abort.abort(reason))
    .then(() => lab.env.sleep(hangMs, over.signal))
    .then(() => 'hangs' as const);
  patience.catch(() => {});
  try {
    const run = act.run(abort.signal);
    const committed = await Promise.race([run, patience]);
    holds(committed !== 'hangs', 'it hangs, abort or not');
    return { is: 'success', committed: committed ?? undefined };
  } catch (error) {
    if (error === reason) return { is: 'aborted' };
    if (error instanceof AssertionError) throw new Violation(`wrong answer: ${error.message}`);
    if (isLodeError(error, 'LODE_WRITE_UNCERTAIN'))
      return { is: 'uncertain', resolve: error.details.resolve };
    if (isLodeError(error) && error.code !== 'LODE_INTERNAL')
      return { is: 'refused', code: error.code };
    throw error instanceof Violation ? error : new Violation(`untyped: ${String(error)}`);
  } finally {
    over.abort();
  }
}

/** Throws what is wrong. `nextFirst`: the next writer comes before open questions are answered and late writes land. */
export async function judge(
  lab: FaultLab,
  operation: FaultOperation,
  act: Act,
  outcome: Outcome,
  nextFirst: boolean,
): Promise<void> {
  if (operation.does === 'copies') return judgeCopy(lab, act, outcome);
  const expected = [...act.before];
  if (outcome.is === 'success' && outcome.committed !== undefined) expected.push(ours);
  let open =
    operation.does === 'writes' && (outcome.is === 'aborted' || outcome.is === 'uncertain');

  if (nextFirst) {
    const now = await history(lab, operation, act);
    if (open && now.includes(ours)) {
      expected.push(ours);
      open = false;
    }
    expectNames(now, expected, 'at first');
    await goOn(lab, operation, act);
    const then = await history(lab, operation, act);
    // A commit in flight may have been completed or fenced by the next writer; from here on it is settled.
    if (open && then.includes(ours)) expected.push(ours);
    expected.push('next');
    expectNames(then, expected, 'after the next commit');
    open = false;
  }
  await lab.faults.settle();
  if (outcome.is === 'uncertain') {
    const answer = await outcome.resolve();
    const now = await history(lab, operation, act);
    holds(
      operation.does !== 'writes' || (answer === 'landed') === now.includes(ours),
      `resolve() says ${answer}, the history has ${now.join(', ')}`,
    );
    if (open && answer === 'landed') expected.push(ours);
    open = false;
  }
  const now = await history(lab, operation, act);
  if (open && now.includes(ours)) expected.push(ours);
  expectNames(now, expected, 'in the end');
  if (!nextFirst) {
    await goOn(lab, operation, act);
    expected.push('next');
    expectNames(await history(lab, operation, act), expected, 'after the next commit');
  }
  await sound(lab, operation, act);
  if (outcome.is !== 'success' || outcome.committed === undefined) return;
  if ('coveredBytes' in outcome.committed) await sameBytes(lab, outcome.committed);
  else if (operation.blobs !== true) await sameRows(lab, outcome.committed);
}

function expectNames(actual: readonly unknown[], expected: readonly unknown[], when: string): void {
  holds(
    isDeepStrictEqual(actual, expected),
    `${when} there is ${actual.join(', ')} instead of ${expected.join(', ')}`,
  );
}

/** What was operated on, as somebody whom no fault hits opens it. */
function opened(
  lab: FaultLab,
  { blobs = false, volume }: FaultOperation,
  { target }: Act,
): Promise<Dataset<Uint8Array> | Rows | Volume> {
  if (volume !== undefined) return lab.openVolume(lab.healthy);
  return blobs ? lab.openBlobs(lab.healthy) : lab.open(target ?? lab.healthy);
}

/** Names of the history, oldest first. That each is whole is seen at the end: what is gone does not come back. */
async function history(lab: FaultLab, operation: FaultOperation, act: Act): Promise<unknown[]> {
  const handle = await opened(lab, operation, act);
  const names: unknown[] = [];
  let child: string | undefined;
  for await (const { id, manifest } of handle.snapshots()) {
    holds(child === undefined || child === id, `the chain is broken at ${id}`);
    child = manifest.parentSnapshotId;
    names.unshift(manifest.metadata['name']);
  }
  holds(child === undefined, `the history ends before ${child}`);
  return names;
}

/** The next writer: the same handle, if it can, as a caller would go on using it; else another. */
async function goOn(
  lab: FaultLab,
  { blobs = false, volume }: FaultOperation,
  act: Act,
): Promise<void> {
  if (blobs) return void (await lab.commitBlobs('next'));
  if (volume !== undefined) return goOnFilling(act.volume ?? (await lab.openVolume(lab.healthy)));
  const handle: Rows = act.handle ?? (await lab.open(lab.healthy));
  const commit = (): Promise<unknown> => handle.write(rowsOf('next'), { name: 'next' });
  try {
    await commit();
  } catch (error) {
    if (!isLodeError(error, 'LODE_SNAPSHOT_CONFLICT')) throw error;
    await handle.latest().catch(() => undefined);
    await commit();
  }
}

async function goOnFilling(volume: Volume): Promise<void> {
  const staged = await volume.stageWriteAt(offsetOf('next'), blockOf('next'));
  const commit = (): Promise<unknown> => volume.commit([staged], { name: 'next' });
  try {
    await commit();
  } catch (error) {
    if (!isLodeError(error, 'LODE_SNAPSHOT_CONFLICT')) throw error;
    await volume.head();
    await commit();
  }
}

/** After a repair nothing is wrong with anything that exists, in the history or not. */
async function sound(lab: FaultLab, operation: FaultOperation, act: Act): Promise<void> {
  const handle = await opened(lab, operation, act);
  await handle.repair();
  const problems = await problemsOf(handle);
  holds(problems.length === 0, `after repair: ${problems[0]?.error.message}`);
  holds((await handle.repair()).length === 0, 'a second repair finds more to do');
}

async function sameRows(lab: FaultLab, { id, manifest }: CommittedSnapshot): Promise<void> {
  const handle = await lab.open(lab.healthy);
  const rows = await handle.read(id);
  holds(
    manifest.rowCount === rows.length && (rows.length === 0 || sameSet(rows, rowsOf(ours))),
    'the snapshot holds other rows than were written',
  );
}

async function sameBytes(lab: FaultLab, { id }: CommittedVolumeSnapshot): Promise<void> {
  const volume = await lab.openVolume(lab.healthy);
  const bytes = await volume.readAt(id, offsetOf(ours), placeBytes);
  holds(isDeepStrictEqual(bytes, blockOf(ours)), 'the snapshot holds other bytes than were staged');
}

function sameSet(a: readonly object[], b: readonly object[]): boolean {
  const sorted = (rows: readonly object[]): string[] =>
    rows.map((row) => JSON.stringify(row)).sort();
  return isDeepStrictEqual(sorted(a), sorted(b));
}

/** A copy is a beginning of the history, each snapshot whole; run again, it is all of it. */
async function judgeCopy(lab: FaultLab, act: Act, outcome: Outcome): Promise<void> {
  const { handle, target } = act as Act & { readonly handle: Rows; readonly target: Store };
  const copy: FaultOperation = { name: '', does: 'copies', prepare: () => Promise.resolve(act) };
  const early = await history(lab, copy, act);
  expectNames(early, act.before.slice(0, early.length), 'in the copy');
  const problems = await problemsOf(await lab.open(target));
  const [problem] = problems.filter(({ key }) => key.includes('/data/'));
  holds(problem === undefined, `in the copy, yet: ${problem?.error.message}`);
  await lab.faults.settle();
  if (outcome.is === 'uncertain') await outcome.resolve();
  const { id } = await handle.latest();
  await handle.copyTo(target, { snapshot: id });
  const now = await history(lab, copy, act);
  expectNames(now, act.before, 'in the copy in the end');
  await sound(lab, copy, act);
}
