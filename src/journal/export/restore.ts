/**
 * A journal out of a dataset, into a directory of its own. A file gets its name once it is verified and durable, and a note tells that there
 * is more to come: broken off, the same call goes on; nobody opens half a journal.
 */
import type { Dataset, Snapshot } from '../../dataset/index.ts';
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import { lockName, ownerName, parentOf, unfinished } from '../wal/names.ts';
import { assertDirectory } from '../wal/open.ts';
import { Owner } from '../wal/owner.ts';
import { verifyFiles } from '../state/verifying.ts';
import { restoringName } from '../state/restoring.ts';
import { fileNameOf, partOf } from './parts.ts';
import type { Part } from './parts.ts';

export interface RestoreOptions {
  /** Snapshot of the dataset to restore from: an earlier end of the journal. The latest by default. */
  readonly snapshot?: string;
  readonly disk?: Disk;
  readonly signal?: AbortSignal;
}

export interface JournalRestoration {
  /** Snapshot of the dataset. */
  readonly snapshot: string;
  /** The last event. */
  readonly lsn: number;
  /** Files fetched; fewer than there are when an earlier call broke off. */
  readonly fetched: number;
  readonly files: number;
}

interface Wanted extends Part {
  readonly snapshot: string;
}

/** Where the files go, and who alone may put them there: two at once would write into each other's files. */
interface Place {
  readonly disk: Disk;
  readonly dir: string;
  readonly owner: Owner;
}

/** Restores into a directory that exists and is empty, or that the same restoration has left unfinished. */
export async function restoreJournal(
  dir: string | URL,
  dataset: Dataset<Uint8Array>,
  options: RestoreOptions = {},
): Promise<JournalRestoration> {
  assertOptions<RestoreOptions>(options, '', { snapshot: true, disk: true, signal: true });
  const { disk = nodeDisk(), signal } = options;
  const path = absolutePath(dir);
  await assertDirectory(disk, path);
  const parts = await partsOf(dataset, options);
  const end = parts.at(-1);
  if (end === undefined) {
    throw new LodeError('LODE_NO_SNAPSHOTS', 'no journal was exported to this dataset', {
      dataset: dataset.id,
    });
  }
  const note = `${JSON.stringify({ journal: end.id, dataset: dataset.id, snapshot: end.snapshot })}\n`;
  // Before the lock, which leaves files: nothing is written into a directory of something else.
  await assertVacant(disk, path, note, parts);
  const owner = await Owner.take(disk, path);
  try {
    await assertVacant(disk, path, note, parts);
    const place = { disk, dir: path, owner };
    await put(place, restoringName, [new TextEncoder().encode(note)]);
    const fetched = await fetchParts(place, parts, dataset, signal);
    const { problems, segments, snapshots } = await verifyFiles(disk, path, { signal });
    if (problems[0] !== undefined) throw problems[0];
    assertEnd(end, segments.at(-1)?.lastLsn ?? snapshots[0]?.lsn, dataset.id);
    // Whoever made the directory may not have synced its name, and a log that is there already does not either.
    await disk.syncDirectory(parentOf(path));
    owner.checkPlace();
    await disk.unlink(`${path}/${restoringName}`);
    await disk.syncDirectory(path);
    return { snapshot: end.snapshot, lsn: end.lsn, fetched, files: parts.length };
  } finally {
    await owner.release();
  }
}

/** Those that an earlier call has not put in place. */
async function fetchParts(
  place: Place,
  parts: readonly Wanted[],
  dataset: Dataset<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let fetched = 0;
  for (const part of parts) {
    const name = fileNameOf(part);
    if ((await place.disk.info(`${place.dir}/${name}`)) !== undefined) continue;
    await put(place, name, dataset.stream(part.snapshot, { ...(signal && { signal }) }));
    fetched++;
  }
  return fetched;
}

/** From the newest state, or the first event, to the end, in order. */
async function partsOf(
  dataset: Dataset<Uint8Array>,
  { snapshot: until, signal }: RestoreOptions,
): Promise<Wanted[]> {
  const parts: Wanted[] = [];
  const range = { ...(until !== undefined && { until }), ...(signal && { signal }) };
  for await (const snapshot of dataset.snapshots(range)) {
    const part = { ...partOf(snapshot, dataset.id), snapshot: snapshot.id };
    assertFollowed(part, parts[0], dataset.id, snapshot);
    parts.unshift(part);
    if (part.kind === 'snapshot') return parts;
  }
  if (parts.length === 0 || parts[0]?.first === 1) return parts;
  throw new LodeError('LODE_TRUNCATED', 'the dataset has no state that this log could follow', {
    dataset: dataset.id,
    next: 'Restore from another dataset snapshot.',
  });
}

function assertFollowed(
  part: Part,
  next: Part | undefined,
  dataset: string,
  { id: snapshot }: Snapshot,
): void {
  if (next === undefined || (next.id === part.id && next.first === part.lsn + 1)) return;
  throw new LodeError('LODE_INVALID_FORMAT', 'the parts of this journal do not follow each other', {
    dataset,
    snapshot,
    expected: part.lsn + 1,
    actual: next.first,
  });
}

/** A part that ends too early, between two events, is whole by itself. */
function assertEnd({ lsn, snapshot }: Wanted, found: number | undefined, dataset: string): void {
  if (found === lsn) return;
  const what = 'the end of this journal is not what the dataset says';
  throw new LodeError('LODE_TRUNCATED', what, { dataset, snapshot, expected: lsn, actual: found });
}

async function assertVacant(
  disk: Disk,
  dir: string,
  note: string,
  parts: readonly Part[],
): Promise<void> {
  const names = (await disk.list(dir)).map(({ name }) => name);
  if (names.length === 0) return;
  const bare: readonly string[] = [lockName, ownerName, restoringName + unfinished];
  const ours = new Set(
    [restoringName, ...parts.map(fileNameOf)].flatMap((n) => [n, n + unfinished]).concat(bare),
  );
  const foreign = names.find((name) => !ours.has(name));
  const isBegun =
    names.includes(restoringName) && (await readText(disk, `${dir}/${restoringName}`)) === note;
  // Cut off while the note itself was written.
  const isBare = names.every((name) => bare.includes(name));
  if (foreign === undefined && (isBegun || isBare)) return;
  throw new LodeError('LODE_ALREADY_EXISTS', 'a journal is restored into an empty directory only', {
    key: dir,
    actual: foreign ?? names.find((name) => !bare.includes(name)),
    next: 'Name an empty directory, or repeat the restoration that was begun in this one.',
  });
}

async function put(
  { disk, dir, owner }: Place,
  name: string,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const path = `${dir}/${name}`;
  const file = await disk.open(path + unfinished, 'open-or-create');
  try {
    await file.truncate(0);
    let position = 0;
    for await (const chunk of bytes) {
      await file.write(chunk, position);
      position += chunk.length;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  owner.checkPlace();
  await disk.rename(path + unfinished, path);
  await disk.syncDirectory(dir);
}

async function readText(disk: Disk, path: string): Promise<string | undefined> {
  try {
    const file = await disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(4096);
      const count = await file.read(bytes, 0);
      return new TextDecoder().decode(bytes.subarray(0, count));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isLodeError(error, 'LODE_NOT_FOUND')) return undefined;
    throw error;
  }
}
