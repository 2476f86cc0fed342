/**
 * From a manifest back to records: files that cannot match are skipped, the rest is fetched in bounded parallel, verified,
 * decompressed and decoded, and handed out in file order.
 */
import { collect } from '../bytes/index.ts';
import type { Checksum } from '../encoding/checksum.ts';
import type { Codec, DataFile } from '../encoding/codec.ts';
import type { Compressor } from '../encoding/compressor.ts';
import { batchesOf } from '../encoding/flatten.ts';
import { LodeError } from '../errors.ts';
import type { Operation } from '../history/index.ts';
import { mapInOrder } from '../parallel.ts';
import { openDataFile } from './data-file.ts';
import type { DatasetManifest, ManifestFile } from './manifest/index.ts';
import type { DatasetLimits } from './options.ts';
import type { Selection } from './where.ts';

/** What is needed to read one snapshot. */
export interface ReadPlan<R> {
  readonly manifest: DatasetManifest;
  readonly codec: Codec<R> | undefined;
  readonly compressor: Compressor;
  /** The algorithm the manifest names, if it names one. */
  readonly checksum: Checksum | undefined;
  readonly verify: boolean;
  readonly limits: DatasetLimits;
}

export interface RecordOptions<R> {
  readonly selection?: Selection | undefined;
  readonly columns?: readonly (keyof R & string)[] | undefined;
}

/** Files up to this size are decoded ahead of their turn; larger ones stream when their turn comes. */
const aheadBytesMax = 1024 * 1024;
const filesAhead = 4;
/** Largest object that is handed over as one array. */
const wholeBytesMax = 2 ** 32 - 1;

/** Refuses components other than those the manifest names, before any data is fetched. */
export function assertComponents<R>({ manifest, codec, compressor }: ReadPlan<R>): void {
  const differ = (field: string, expected: string, actual: string): void => {
    if (expected === actual) return;
    throw new LodeError(
      'LODE_COMPONENT_MISMATCH',
      `the snapshot was written with another ${field}`,
      {
        dataset: manifest.datasetId,
        snapshot: manifest.snapshotId,
        field,
        expected,
        actual,
      },
    );
  };
  differ('codec', manifest.codec ?? 'none', codec?.name ?? 'none');
  differ('compressor', manifest.compressor, compressor.name);
}

/** All records of a snapshot, in batches, file by file; memory is a few files of up to 1 MiB and the chunks of one larger. */
export async function* readBatches<R>(
  op: Operation,
  plan: ReadPlan<R>,
  options: RecordOptions<R> = {},
): AsyncGenerator<readonly R[]> {
  const lookahead = mapInOrder(selectedFiles(plan, options), filesAhead, async (file) =>
    file.sizeBytes <= aheadBytesMax
      ? [await decodeWhole(op, plan, file, options)]
      : decodeFile(op, plan, file, options),
  );
  for await (const batches of lookahead) {
    for await (const batch of batches) {
      op.signal?.throwIfAborted();
      yield wanted(batch, options);
    }
  }
}

/** All records of a snapshot in one array. Files are fetched in parallel, as many as the store likes. */
export async function readAll<R>(
  op: Operation,
  plan: ReadPlan<R>,
  options: RecordOptions<R> = {},
): Promise<R[]> {
  const files = selectedFiles(plan, options);
  const [only] = files;
  if (files.length === 1 && only !== undefined && options.selection?.matches === undefined)
    return decodeWhole(op, plan, only, options);
  const all: R[] = [];
  const decoded = mapInOrder(files, op.store.capabilities.concurrency, (file) =>
    decodeWhole(op, plan, file, options),
  );
  for await (const records of decoded) {
    for (const record of wanted(records, options)) all.push(record);
  }
  return all;
}

/** The bytes of a raw snapshot, in one array. */
export async function readBlob(op: Operation, plan: ReadPlan<unknown>): Promise<Uint8Array> {
  const file = blobFile(plan.manifest);
  return collect(dataFile(op, plan, file).stream(), wholeBytesMax, { key: file.path });
}

/** The bytes of a raw snapshot as they come. */
export function streamBlob(op: Operation, plan: ReadPlan<unknown>): AsyncIterable<Uint8Array> {
  return dataFile(op, plan, blobFile(plan.manifest)).stream();
}

function blobFile(manifest: DatasetManifest): ManifestFile {
  const [file, ...more] = manifest.files;
  if (file !== undefined && more.length === 0) return file;
  throw new LodeError('LODE_MANIFEST_INVALID', 'a snapshot of raw bytes has exactly one file', {
    dataset: manifest.datasetId,
    snapshot: manifest.snapshotId,
    expected: 1,
    actual: manifest.files.length,
  });
}

function selectedFiles<R>(
  { manifest }: ReadPlan<R>,
  { selection }: RecordOptions<R>,
): readonly ManifestFile[] {
  return selection === undefined
    ? manifest.files
    : manifest.files.filter((file) => selection.mayHold(file));
}

function dataFile<R>(op: Operation, plan: ReadPlan<R>, file: ManifestFile): DataFile {
  const { compressor, checksum, verify, limits } = plan;
  return openDataFile(op.store, file, {
    compressor,
    checksum,
    verify,
    limits: limits.decompress,
    signal: op.signal,
  });
}

async function decodeWhole<R>(
  op: Operation,
  plan: ReadPlan<R>,
  file: ManifestFile,
  options: RecordOptions<R>,
): Promise<R[]> {
  const records: R[] = [];
  for await (const batch of decodeFile(op, plan, file, options)) {
    for (const record of batch) records.push(record);
  }
  return records;
}

function decodeFile<R>(
  op: Operation,
  plan: ReadPlan<R>,
  file: ManifestFile,
  { selection, columns }: RecordOptions<R>,
): AsyncIterable<readonly R[]> {
  if (plan.codec === undefined)
    throw new LodeError('LODE_INTERNAL', 'records are read without a codec', {});
  const needed = columns && [
    ...new Set([...columns, ...((selection?.fields ?? []) as (keyof R & string)[])]),
  ];
  const records = plan.codec.decode(dataFile(op, plan, file), {
    columns: needed,
    recordBytesMax: plan.limits.recordBytesMax,
    mayHold: selection && ((part) => selection.mayHoldPart(part)),
    signal: op.signal,
  });
  return batchesOf(records);
}

/** Those that match, without the fields that were read only to be compared. */
function wanted<R>(records: readonly R[], { selection, columns }: RecordOptions<R>): readonly R[] {
  const matches = selection?.matches;
  if (matches === undefined) return records;
  const matching = records.filter((record) => matches(record));
  if (columns === undefined) return matching;
  return matching.map((record) => {
    const own = columns.filter((column) => Object.hasOwn(record as object, column));
    return Object.fromEntries(own.map((column) => [column, record[column]])) as R;
  });
}
