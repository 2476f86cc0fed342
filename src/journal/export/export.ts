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
import { FrameWriter } from '../wal/frame-writer.ts';
import { sealBytes } from '../wal/recover.ts';
import { recordKinds } from '../wal/record.ts';
import { headerOf } from '../wal/segment-writer.ts';
import { metadataOf, partOf } from './parts.ts';
import type { Part } from './parts.ts';
import type { Wal, WalRecord } from '../wal/types.ts';

export interface JournalExport {
  /** Id of the dataset snapshot that holds the end of it. */
  readonly snapshot: string;
  /** The last event in it. */
  readonly lsn: number;
  /** Parts that were added; 0 when everything was there. */
  readonly parts: number;
  readonly bytes: number;
}

interface ExportSource {
  readonly disk: Disk;
  readonly dir: string;
  readonly wal: Wal;
  readonly takeSnapshot: () => Promise<SnapshotFile>;
  readonly signal: AbortSignal | undefined;
}

interface Head {
  readonly part: Part;
  readonly snapshot: string;
}

/** A part of the log is made in memory, and about as long as this. */
const partBytes = 16 * 1024 * 1024;
const readBytes = 1024 * 1024;

export async function exportJournal(
  source: ExportSource,
  dataset: Dataset<Uint8Array>,
): Promise<JournalExport> {
  const { wal } = source;
  const lsn = wal.durableLsn;
  const added = { parts: 0, bytes: 0 };
  let head = await headOf(dataset, wal, lsn);
  if (head === undefined || !(await reaches(wal, head.part, dataset.id))) {
    head = await exportState(source, dataset, head, added);
  }
  while (head.part.lsn < lsn) head = await exportLog(source, dataset, head, lsn, added);
  return { snapshot: head.snapshot, lsn: head.part.lsn, ...added };
}

async function headOf(
  dataset: Dataset<Uint8Array>,
  { journalId }: Wal,
  lsn: number,
): Promise<Head | undefined> {
  let latest: Snapshot;
  try {
    latest = await dataset.latest();
  } catch (error) {
    if (isLodeError(error, 'LODE_NO_SNAPSHOTS')) return undefined;
    throw error;
  }
  const part = partOf(latest, dataset.id);
  if (part.id !== journalId) throw anotherJournal(dataset.id, 'id', journalId, part.id);
  if (part.lsn > lsn) throw anotherJournal(dataset.id, 'lsn', lsn, part.lsn);
  return { part, snapshot: latest.id };
}

/** Whether the log goes on where the part ends. Throws when it does so with other events. */
async function reaches(wal: Wal, { lsn, lastCrc, kind }: Part, dataset: string): Promise<boolean> {
  if (kind === 'snapshot') return wal.firstLsn <= lsn + 1;
  if (wal.firstLsn > lsn) return false;
  for await (const { bytes } of wal.cursor({ from: lsn })) {
    const crc = crc32c(bytes);
    if (crc !== lastCrc) throw anotherJournal(dataset, `checksum of event ${lsn}`, crc, lastCrc);
    break;
  }
  return true;
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
  { disk, dir, wal, takeSnapshot, signal }: ExportSource,
  dataset: Dataset<Uint8Array>,
  head: Head | undefined,
  added: { parts: number; bytes: number },
): Promise<Head> {
  const { name, lsn } = await takeSnapshot();
  const path = `${dir}/${name}`;
  const checked = await openSnapshot(path, { disk });
  try {
    for await (const chunk of checked.chunks()) void chunk;
  } finally {
    await checked.close();
  }
  const part: Part = {
    kind: 'snapshot',
    id: wal.journalId,
    first: lsn,
    lsn,
    logNumber: 0,
    running: 0,
    lastCrc: 0,
  };
  return commit(dataset, head, part, fileBytes(disk, path), added, signal);
}

async function exportLog(
  { wal, signal }: ExportSource,
  dataset: Dataset<Uint8Array>,
  head: Head,
  to: number,
  added: { parts: number; bytes: number },
): Promise<Head> {
  const { part, bytes } = await logPart(wal, head.part, to, signal);
  return commit(dataset, head, part, bytes, added, signal);
}

/** A whole segment, sealed, with the events behind `before`: all up to `to`, or as many as a part takes. */
async function logPart(
  wal: Wal,
  before: Part,
  to: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly part: Part; readonly bytes: readonly Uint8Array[] }> {
  const first = before.lsn + 1;
  const logNumber = before.logNumber + 1;
  const bytes: Uint8Array[] = [];
  let [position, running, length, last, lastCrc, timeMs] = [0, 0, 0, before.lsn, 0, 0];
  const add = (record: WalRecord): void => {
    if (position === 0) {
      timeMs = record.timeMs;
      const header = {
        logNumber,
        journalId: wal.journalId,
        epoch: 1,
        firstLsn: first,
        previousRunning: before.running,
        restarts: false,
        timeMs,
      };
      const begun = headerOf(header);
      bytes.push(begun.bytes);
      ({ running } = begun);
      position = begun.bytes.length;
    }
    const writer = new FrameWriter({ logNumber, position, running });
    const { lsn } = record;
    const timeDelta = record.timeMs - timeMs;
    writer.add({ kind: recordKinds.data, lsn, index: 0, timeDelta }, [record.bytes]);
    const group = writer.take();
    bytes.push(group.bytes);
    ({ running } = group);
    position += group.bytes.length;
    length += group.bytes.length;
    timeMs += timeDelta;
    last = lsn;
    lastCrc = crc32c(record.bytes);
  };
  const options = { from: first, ...(signal && { signal }) };
  for await (const record of wal.cursor(options)) {
    add(record);
    if (record.lsn === to || length >= partBytes) break;
  }
  bytes.push(sealBytes(logNumber, position, running, last).bytes);
  const part: Part = {
    kind: 'log',
    id: wal.journalId,
    first,
    lsn: last,
    logNumber,
    running,
    lastCrc,
  };
  return { part, bytes };
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
