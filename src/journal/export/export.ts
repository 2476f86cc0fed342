/**
 * A journal into a dataset: the newest snapshot once, afterwards only what the log has grown by. Each part is committed on its own and can be
 * restored from; whoever exports again goes on behind the last one.
 */
import type { Dataset, Snapshot } from '../../dataset/index.ts';
import type { Disk } from '../../disk/disk.ts';
import { crc32c } from '../../encoding/checksums/crc32c.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { openSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotFile } from '../snapshot/snapshot.ts';
import type { Wal } from '../wal/types.ts';
import { LogPart } from './log-part.ts';
import { metadataOf, partOf } from './parts.ts';
import type { Part } from './parts.ts';

export interface JournalExport {
  /** Id of the dataset snapshot that holds the end of it. */
  readonly snapshot: string;
  /** The last event in it. */
  readonly lsn: number;
  /** Parts that were added; 0 when everything was there. */
  readonly parts: number;
  readonly bytes: number;
}

/** What is exported: the log up to `durableLsn`, and a state for where it no longer reaches back. */
export interface ExportSource {
  readonly disk: Disk;
  readonly dir: string;
  readonly wal: Pick<Wal, 'journalId' | 'firstLsn' | 'durableLsn' | 'cursor'>;
  /** The last record there is, whether it is durable or not. */
  readonly lastLsn: number;
  /** Undefined when the log begins with the first event. */
  readonly takeSnapshot: () => Promise<SnapshotFile | undefined>;
  readonly signal: AbortSignal | undefined;
}

/** Where a dataset ends. */
interface Head {
  readonly part: Part;
  /** Undefined before the first. */
  readonly snapshot?: string;
}

const readBytes = 1024 * 1024;

export async function exportFrom(
  source: ExportSource,
  dataset: Dataset<Uint8Array>,
  found: Head | undefined,
): Promise<JournalExport> {
  const { wal, lastLsn } = source;
  const lsn = wal.durableLsn;
  const added = { parts: 0, bytes: 0 };
  let head = found;
  if (head !== undefined) assertSame(head.part, wal.journalId, lastLsn, dataset.id);
  if (head === undefined || !(await reaches(wal, head.part, dataset.id))) {
    head = await exportState(source, dataset, head, added);
  }
  if (head.part.lsn < lsn) head = await exportLog(source, dataset, head, lsn, added);
  if (head.snapshot !== undefined) return { snapshot: head.snapshot, lsn: head.part.lsn, ...added };
  throw new LodeError('LODE_NOT_FOUND', 'nothing in this journal is durable yet', {
    key: source.dir,
  });
}

export async function headOf(dataset: Dataset<Uint8Array>): Promise<Head | undefined> {
  let latest: Snapshot;
  try {
    latest = await dataset.latest();
  } catch (error) {
    if (isLodeError(error, 'LODE_NO_SNAPSHOTS')) return undefined;
    throw error;
  }
  return { part: partOf(latest, dataset.id), snapshot: latest.id };
}

function assertSame(part: Part, id: string, lsn: number, dataset: string): void {
  if (part.id !== id) throw anotherJournal(dataset, 'id', id, part.id);
  if (part.lsn > lsn) throw anotherJournal(dataset, 'lsn', lsn, part.lsn);
}

/** Whether the log goes on where the part ends. Throws when it does so with other events. */
async function reaches(
  wal: ExportSource['wal'],
  { lsn, lastCrc, lastTime, kind }: Part,
  dataset: string,
): Promise<boolean> {
  if (wal.firstLsn > lsn) return kind === 'snapshot' && wal.firstLsn === lsn + 1;
  const last = lsn === 0 ? undefined : await lastOf(wal, lsn);
  if (last === undefined || (kind === 'snapshot' && lastTime === undefined)) return true;
  const field = `of event ${lsn}`;
  if (last.lastCrc !== lastCrc)
    throw anotherJournal(dataset, `checksum ${field}`, last.lastCrc, lastCrc);
  if (lastTime !== undefined && last.lastTime !== lastTime)
    throw anotherJournal(dataset, `time ${field}`, last.lastTime, lastTime);
  return true;
}

/** By what an event is known again; undefined when it is not in the log. */
async function lastOf(
  wal: ExportSource['wal'],
  lsn: number,
): Promise<{ readonly lastCrc: number; readonly lastTime: number } | undefined> {
  if (wal.firstLsn > lsn) return undefined;
  for await (const { bytes, timeMs } of wal.cursor({ from: lsn }))
    return { lastCrc: crc32c(bytes), lastTime: timeMs };
  return undefined;
}

function anotherJournal(
  dataset: string,
  field: string,
  expected: string | number,
  actual: string | number,
): LodeError {
  return new LodeError(
    'LODE_INVALID_ARGUMENT',
    'this dataset holds another journal, or another course of it',
    {
      dataset,
      field,
      expected,
      actual,
      next: 'Export to a dataset of its own.',
    },
  );
}

async function exportState(
  source: ExportSource,
  dataset: Dataset<Uint8Array>,
  head: Head | undefined,
  added: { parts: number; bytes: number },
): Promise<Head> {
  const { disk, dir, wal, takeSnapshot, signal } = source;
  const file = await takeSnapshot();
  const lsn = file?.lsn ?? 0;
  const last = (lsn === 0 ? undefined : await lastOf(wal, lsn)) ?? { lastCrc: 0 };
  const numbers = { first: lsn, lsn, logNumber: 0, running: 0, ...last };
  const part: Part = { kind: 'snapshot', id: wal.journalId, ...numbers };
  if (file === undefined) return { ...head, part };
  const path = `${dir}/${file.name}`;
  const checked = await openSnapshot(path, { disk });
  try {
    for await (const chunk of checked.chunks()) void chunk;
  } finally {
    await checked.close();
  }
  return commit(dataset, head, part, fileBytes(disk, path), added, signal);
}

async function exportLog(
  { dir, wal, signal }: ExportSource,
  dataset: Dataset<Uint8Array>,
  from: Head,
  to: number,
  added: { parts: number; bytes: number },
): Promise<Head> {
  let head = from;
  let made: LogPart | undefined;
  for await (const record of wal.cursor({ from: head.part.lsn + 1, ...(signal && { signal }) })) {
    if (made === undefined) made = new LogPart(head.part, record);
    else made.add(record);
    if (record.lsn < to && !made.isFull) continue;
    const { part, bytes } = made.seal();
    made = undefined;
    head = await commit(dataset, head, part, bytes, added, signal);
    if (record.lsn === to) return head;
  }
  throw new LodeError('LODE_TRUNCATED', 'the log became shorter while it was read', {
    key: dir,
    expected: to,
    actual: head.part.lsn,
  });
}

async function commit(
  dataset: Dataset<Uint8Array>,
  head: Head | undefined,
  part: Part,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  added: { parts: number; bytes: number },
  signal: AbortSignal | undefined,
): Promise<Head> {
  const options = { expectedParent: head?.snapshot ?? null, ...(signal && { signal }) };
  const writer = await dataset.streamWrite(metadataOf(part), options);
  try {
    for await (const chunk of bytes) {
      await writer.write(chunk);
      added.bytes += chunk.length;
    }
    const { id } = await writer.commit();
    added.parts++;
    return { part, snapshot: id };
  } finally {
    // Aborts it unless it is committed.
    await writer.close();
  }
}

async function* fileBytes(disk: Disk, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await disk.open(path, 'read');
  try {
    const { size } = await file.info();
    for (let at = 0; at < size; at += readBytes) {
      const chunk = new Uint8Array(Math.min(readBytes, size - at));
      await file.read(chunk, at);
      yield chunk;
    }
  } finally {
    await file.close();
  }
}
