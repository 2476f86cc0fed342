/**
 * Bytes to manifest: as tolerant as Go's decoder where writers differ (docs/formats/dataset.md, section 3), strict where a guess could lose data.
 *
 * Tolerated: unknown members, names in any case, repeated members (the last counts), `null` for "not given",
 * `files: null` for none (E-1), bytes after the value. Refused, besides what validation names : a format
 * version or schema this code does not know, counts past 2^53, text that is not UTF-8, a broken seal, and a manifest
 * that belongs to another dataset or snapshot than the one asked for.
 */
import { parseJson } from '../../encoding/json/index.ts';
import { parseTime } from '../../encoding/time.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type {
  DatasetManifest,
  FileIndex,
  ManifestFile,
  ManifestLimits,
  Metadata,
} from './format.ts';
import { defaultManifestLimits, formatMajor, schemaName } from './format.ts';
import { Members } from './members.ts';
import { brokenSeal, verifySeal } from './seal.ts';
import { fileStatistics } from './statistics.ts';

/** Where the bytes came from, and what they have to be: a member given here is compared. */
interface ManifestOrigin {
  readonly key: string;
  readonly dataset?: string | undefined;
  readonly snapshot?: string | undefined;
}

export function decodeManifest(
  bytes: Uint8Array,
  origin: ManifestOrigin,
  limits: ManifestLimits = defaultManifestLimits,
): DatasetManifest {
  const { key } = origin;
  const seal = bytes.length > limits.bytesMax ? undefined : verifySeal(bytes, key);
  const value = parsed(bytes, key, limits);
  const m = new Members(value, key);
  const manifest = required(m, limits);
  if (manifest.parentSnapshotId === manifest.snapshotId)
    throw m.fault('parent_snapshot_id', 'another snapshot', manifest.snapshotId);
  const announced = m.optionalString('manifest_checksum');
  if (announced !== undefined && seal === undefined)
    throw brokenSeal(key, 'the last member, as it was written', announced);
  assertOrigin(manifest, origin);
  return seal === undefined ? manifest : { ...manifest, manifestChecksum: seal };
}

function parsed(bytes: Uint8Array, key: string, limits: ManifestLimits): unknown {
  try {
    return parseJson(
      bytes,
      {
        bytesMax: limits.bytesMax,
        depthMax: limits.depthMax,
        integers: 'exact',
        trailing: 'ignore',
      },
      { key },
    );
  } catch (error) {
    if (!isLodeError(error, 'LODE_INVALID_FORMAT')) throw error;
    const { offset } = error.details;
    throw new LodeError(
      'LODE_MANIFEST_INVALID',
      'a manifest is not JSON',
      { key, ...(offset === undefined ? {} : { offset }) },
      { cause: error },
    );
  }
}

/** Validates in a fixed order: the first fault is the one named. */
function required(m: Members, limits: ManifestLimits): DatasetManifest {
  const schema = m.name('schema_name');
  if (schema !== schemaName) throw m.fault('schema_name', schemaName, schema);
  const formatVersion = m.name('format_version');
  assertVersion(m, formatVersion);
  const datasetId = m.name('dataset_id');
  const snapshotId = m.name('snapshot_id');
  const createdAt = creationTime(m);
  const metadata = metadataOf(m);
  const entries = m.array('files');
  const rowCount = m.count('row_count');
  const compressor = m.name('compressor');
  const partitioner = m.name('partitioner');
  return {
    schemaName: schema,
    formatVersion,
    datasetId,
    snapshotId,
    createdAt,
    metadata,
    files: filesOf(m, entries, limits),
    rowCount,
    compressor,
    partitioner,
    ...optional(m),
  };
}

function optional(m: Members): Partial<DatasetManifest> {
  const parentSnapshotId = m.optionalString('parent_snapshot_id');
  const minTimestamp = optionalTime(m, 'min_timestamp');
  const maxTimestamp = optionalTime(m, 'max_timestamp');
  const codec = m.optionalString('codec');
  const checksumAlgorithm = m.optionalString('checksum_algorithm');
  return {
    ...(parentSnapshotId === undefined ? {} : { parentSnapshotId }),
    ...(minTimestamp === undefined ? {} : { minTimestamp }),
    ...(maxTimestamp === undefined ? {} : { maxTimestamp }),
    ...(codec === undefined ? {} : { codec }),
    ...(checksumAlgorithm === undefined ? {} : { checksumAlgorithm }),
  };
}

function assertVersion(m: Members, version: string): void {
  const major = /^(\d{1,9})(?:\.\d+){0,2}$/.exec(version)?.[1];
  if (major === undefined) throw m.fault('format_version', 'digits such as 1.0.0', version);
  if (Number(major) > formatMajor) {
    throw new LodeError('LODE_FORMAT_TOO_NEW', 'a manifest is of a later format version', {
      key: m.key,
      field: 'format_version',
      expected: formatMajor,
      actual: version,
    });
  }
}

/** The year 1, Go's zero time, stands for "not set". */
const ZERO_TIME_NS = -62_135_596_800_000_000_000n;

function creationTime(m: Members): string {
  const text = m.name('created_at');
  const ns = parseTime(text);
  if (ns === undefined || ns === ZERO_TIME_NS)
    throw m.fault('created_at', 'an RFC 3339 time', text);
  return text;
}

function optionalTime(m: Members, member: string): string | undefined {
  const text = m.optionalString(member);
  if (text !== undefined && parseTime(text) === undefined)
    throw m.fault(member, 'an RFC 3339 time', text);
  return text;
}

function metadataOf(m: Members): Metadata {
  const value = m.value('metadata');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    // Metadata is the user's: its text stays out of messages.
    throw m.fault('metadata', 'an object', typeof value === 'string' ? 'string' : value);
  return value as Metadata;
}

function filesOf(
  m: Members,
  entries: readonly unknown[],
  limits: ManifestLimits,
): readonly ManifestFile[] {
  if (entries.length > limits.filesMax) {
    throw new LodeError('LODE_LIMIT_EXCEEDED', 'a manifest lists more files than the limit', {
      key: m.key,
      field: 'files',
      expected: limits.filesMax,
      actual: entries.length,
    });
  }
  return entries.map((entry, i) => fileOf(m.within(entry, 'files', i)));
}

function fileOf(m: Members): ManifestFile {
  const path = m.name('path');
  const sizeBytes = m.count('size_bytes');
  const checksum = m.optionalString('checksum');
  const stats = m.value('stats');
  const index = indexOf(m, sizeBytes);
  return {
    path,
    sizeBytes,
    ...(checksum === undefined ? {} : { checksum }),
    ...(stats === undefined || stats === null
      ? {}
      : { stats: fileStatistics(m.within(stats, 'stats')) }),
    ...(index === undefined ? {} : { index }),
  };
}

/** Ours alone. One under an algorithm not known here vouches for nothing, as if it were not there. */
function indexOf(m: Members, sizeBytes: number): FileIndex | undefined {
  const checksum = m.optionalString('index_checksum');
  const bytes = m.count('index_bytes');
  if (bytes > sizeBytes) throw m.fault('index_bytes', 'no more than size_bytes', bytes);
  if (checksum === undefined || bytes === 0 || !/^crc32c:[0-9a-f]{8}$/.test(checksum))
    return undefined;
  return { bytes, checksum };
}

function assertOrigin(manifest: DatasetManifest, { key, dataset, snapshot }: ManifestOrigin): void {
  const wrong = (field: string, expected: string, actual: string): LodeError =>
    new LodeError('LODE_MANIFEST_INVALID', 'this is the manifest of something else', {
      key,
      field,
      expected,
      actual,
    });
  if (dataset !== undefined && manifest.datasetId !== dataset)
    throw wrong('dataset_id', dataset, manifest.datasetId);
  if (snapshot !== undefined && manifest.snapshotId !== snapshot)
    throw wrong('snapshot_id', snapshot, manifest.snapshotId);
}
