/** The three ways into a dataset: records in memory, records from an iterable, raw bytes pushed. */
import { abortable } from '../bytes/index.ts';
import type { Codec } from '../encoding/codec.ts';
import { LodeError } from '../errors.ts';
import { fenceMember } from '../history/index.ts';
import type { Committed, Operation } from '../history/index.ts';
import { kindOf } from '../options.ts';
import { createMeter } from '../store/index.ts';
import type { Meter } from '../store/index.ts';
import { BlobWriter } from './blob-writer.ts';
import type { DatasetContext } from './context.ts';
import { ownMetadata } from '../manifest/index.ts';
import type { Metadata } from '../manifest/index.ts';
import type { DatasetManifest } from './manifest/index.ts';
import { CommitSession } from './session.ts';
import type { Content } from './session.ts';
import { StreamFile } from './stream-file.ts';
import { RecordFiles } from './stream-records.ts';
import { TimeRange } from './time-range.ts';
import type { CommittedSnapshot, StreamRecordsOptions, WriteOptions } from './types.ts';
import { uploadBytes } from './upload.ts';
import { writeFiles } from './write-records.ts';
import type { FilePlan } from './write-records.ts';

const defaultOpenFiles = 64;

export function write<R>(
  context: DatasetContext<R>,
  records: readonly R[],
  metadata: Metadata | null | undefined,
  options: WriteOptions,
): Promise<CommittedSnapshot> {
  const { codec, compressor, checksum, timestamp } = context.options;
  if (!Array.isArray(records)) throw invalid(context, 'records', 'an array', records);
  // A list of our own: one that is emptied for the next batch meanwhile must not empty this snapshot.
  const own = [...records];
  return inSession(context, metadata, options, async (op, session) => {
    if (codec === undefined) return blobContent(context, op, session, own);
    const times = new TimeRange(timestamp);
    const plans = planFiles(context, session, own, times);
    const begun = (path: string): void => session.begun(path);
    const files = await writeFiles(op, codec, plans, { compressor, checksum }, begun);
    return { files, rowCount: own.length, ...times.members() };
  });
}

export function streamWriteRecords<R>(
  context: DatasetContext<R>,
  records: AsyncIterable<R> | Iterable<R>,
  metadata: Metadata | null | undefined,
  options: StreamRecordsOptions,
): Promise<CommittedSnapshot> {
  if (!isIterable(records)) throw invalid(context, 'records', 'an iterable', records);
  const codec = streamingCodec(context);
  const { compressor, checksum, timestamp, layout } = context.options;
  return inSession(context, metadata, options, async (op, session) => {
    const times = new TimeRange(timestamp);
    const files = new RecordFiles({
      op,
      session,
      codec,
      components: { compressor, checksum },
      partitionOf: context.partitionOf,
      fileName: (nth) => fileName(context, nth),
      openFilesMax: options.openFilesMax ?? defaultOpenFiles,
    });
    let rowCount = 0;
    try {
      for await (const record of heeding(records, op.signal)) {
        op.signal?.throwIfAborted();
        times.add(record, rowCount);
        await files.write(record, rowCount++);
      }
      const finished = await files.finish(layout.partitioner !== 'noop');
      return { files: finished, rowCount, ...times.members() };
    } catch (error) {
      await files.abort();
      throw error;
    }
  });
}

export function streamWrite<R>(
  context: DatasetContext<R>,
  metadata: Metadata | null | undefined,
  options: WriteOptions,
  onClosed: (writer: BlobWriter<CommittedSnapshot>) => void,
): BlobWriter<CommittedSnapshot> {
  if (context.options.codec !== undefined) {
    throw new LodeError(
      'LODE_CODEC_CONFIGURED',
      'raw bytes cannot be streamed into a dataset of records',
      {
        dataset: context.id,
      },
    );
  }
  const { op, session, meter } = begin(context, metadata, options);
  const file = new StreamFile(op, session.dataKey('', fileName(context, 1)), context.options);
  return new BlobWriter(
    session,
    file,
    (committed) => committedSnapshot(committed, meter),
    onClosed,
    options.signal,
  );
}

/** Runs `make` and commits what it made; takes the data back when either fails. */
async function inSession<R>(
  context: DatasetContext<R>,
  metadata: Metadata | null | undefined,
  options: WriteOptions,
  make: (op: Operation, session: CommitSession) => Promise<Content>,
): Promise<CommittedSnapshot> {
  const { op, session, meter } = begin(context, metadata, options);
  try {
    return committedSnapshot(await session.commit(await make(op, session)), meter);
  } catch (error) {
    throw await session.discard(error);
  }
}

function begin<R>(
  context: DatasetContext<R>,
  metadata: Metadata | null | undefined,
  options: WriteOptions,
): { op: Operation; session: CommitSession; meter: Meter } {
  context.assertMayCommit();
  const own = ownMetadata(metadata);
  if (own[fenceMember] !== undefined) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this member of the metadata is reserved', {
      dataset: context.id,
      field: `metadata.${fenceMember}`,
      next: 'Choose another name.',
    });
  }
  const meter = createMeter();
  const op = context.operation(options.signal, meter);
  const { signature, history } = context;
  const session = new CommitSession(op, signature, history, own, options.expectedParent);
  return { op, session, meter };
}

function committedSnapshot(
  { manifest, retries, missingCopies }: Committed<DatasetManifest>,
  meter: Meter,
): CommittedSnapshot {
  return { id: manifest.snapshotId, manifest, cost: meter.snapshot(), retries, missingCopies };
}

/** One file per partition, in order of first appearance; none for no records. */
function planFiles<R>(
  context: DatasetContext<R>,
  session: CommitSession,
  records: readonly R[],
  times: TimeRange<R>,
): FilePlan<R>[] {
  if (records.length === 0) return [];
  const name = fileName(context, 1);
  const byPartition = new Map<string, number[]>();
  const hasPartitions = context.options.layout.partitioner !== 'noop';
  for (let index = 0; index < records.length; index++) {
    const record = records[index] as R;
    times.add(record, index);
    if (!hasPartitions) continue;
    const partition = context.partitionOf(record, index);
    const indexes = byPartition.get(partition);
    if (indexes === undefined) byPartition.set(partition, [index]);
    else indexes.push(index);
  }
  if (!hasPartitions) return [{ path: session.dataKey('', name), records }];
  return [...byPartition].map(([partition, indexes]) => ({
    path: session.dataKey(partition, name),
    records,
    indexes,
  }));
}

async function blobContent<R>(
  context: DatasetContext<R>,
  op: Operation,
  session: CommitSession,
  elements: readonly unknown[],
): Promise<Content> {
  const [bytes, ...more] = elements;
  if (!(bytes instanceof Uint8Array) || more.length > 0) {
    throw invalid(
      context,
      'records',
      'exactly one Uint8Array, as the dataset has no codec',
      elements,
    );
  }
  const path = session.dataKey('', fileName(context, 1));
  session.begun(path);
  return { files: [await uploadBytes(op, path, bytes, context.options)], rowCount: 1 };
}

/** Named by mode and compressor, as Go does; further files of a partition are numbered. */
function fileName<R>({ options }: DatasetContext<R>, nth: number): string {
  const stem = options.codec === undefined ? 'blob' : 'data';
  return `${stem}${nth === 1 ? '' : `-${nth}`}${options.compressor.extension}`;
}

function streamingCodec<R>(context: DatasetContext<R>): Codec<R> {
  const { codec } = context.options;
  if (codec === undefined) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'a dataset of raw bytes takes no records', {
      dataset: context.id,
      field: 'codec',
      next: 'Use streamWrite(), or open the dataset with a codec.',
    });
  }
  if (codec.streaming) return codec;
  throw new LodeError('LODE_CODEC_NOT_STREAMABLE', 'this codec needs all records at once', {
    dataset: context.id,
    actual: codec.name,
  });
}

/** What waits for its next record is left alone once the signal aborts; what does not wait is asked between records. */
function heeding<R>(
  records: AsyncIterable<R> | Iterable<R>,
  signal: AbortSignal | undefined,
): AsyncIterable<R> | Iterable<R> {
  return Symbol.asyncIterator in records ? abortable(records, signal) : records;
}

function isIterable(records: unknown): boolean {
  if (typeof records === 'string') return false;
  return (
    records !== null &&
    typeof records === 'object' &&
    (Symbol.asyncIterator in records || Symbol.iterator in records)
  );
}

function invalid<R>(
  context: DatasetContext<R>,
  field: string,
  expected: string,
  actual: unknown,
): LodeError {
  const shown = Array.isArray(actual) ? contentOf(actual) : kindOf(actual);
  return new LodeError('LODE_INVALID_ARGUMENT', 'this cannot be written', {
    dataset: context.id,
    field,
    expected,
    actual: shown,
    ...(Array.isArray(actual) ? { next: 'Pass [bytes]; encode text with TextEncoder first.' } : {}),
  });
}

function contentOf(elements: readonly unknown[]): string {
  const [only] = elements;
  return elements.length === 1 ? `[${kindOf(only)}]` : `an array of ${elements.length}`;
}
