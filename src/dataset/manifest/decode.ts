/**
 * Bytes to manifest: as tolerant as Go's decoder where writers differ (docs/formats/dataset.md, section 3), strict where a guess could lose data.
 *
 * Tolerated: unknown members, names in any case, repeated members (the last counts), `null` for "not given",
 * `files: null` for none (E-1), bytes after the value. Refused, besides what validation names : a format
 * version or schema this code does not know, counts past 2^53, text that is not UTF-8, a broken seal, and a manifest
 * that belongs to another dataset or snapshot than the one asked for.
 */
import { parseTime } from '../../encoding/time.ts';
import { LodeError } from '../../errors.ts';
import type { Members } from '../../manifest/index.ts';
import {
  assertMember,
  assertSealed,
  creationTime,
  metadataOf,
  parentOf,
  parseManifest,
  schemaOf,
  sealOf,
} from '../../manifest/index.ts';
import type { DatasetManifest, FileIndex, ManifestFile, ManifestLimits } from './format.ts';
import { defaultManifestLimits, formatMajor, schemaName } from './format.ts';
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
  const { key, dataset, snapshot } = origin;
  const seal = sealOf(bytes, key, limits);
  const m = parseManifest(bytes, key, limits);
  const manifest = required(m, limits);
  assertSealed(m, seal);
  assertMember(key, 'dataset_id', manifest.datasetId, dataset);
  assertMember(key, 'snapshot_id', manifest.snapshotId, snapshot);
  return seal === undefined ? manifest : { ...manifest, manifestChecksum: seal };
}

/** Validates in a fixed order: the first fault is the one named. */
function required(m: Members, limits: ManifestLimits): DatasetManifest {
  const schema = schemaOf(m, schemaName, formatMajor);
  const datasetId = m.name('dataset_id');
  const snapshotId = m.name('snapshot_id');
  const createdAt = creationTime(m);
  const metadata = metadataOf(m);
  const entries = m.array('files');
  const rowCount = m.count('row_count');
  const compressor = m.name('compressor');
  const partitioner = m.name('partitioner');
  return {
    ...schema,
    datasetId,
    snapshotId,
    createdAt,
    metadata,
    files: filesOf(m, entries, limits),
    rowCount,
    compressor,
    partitioner,
    ...parentOf(m, snapshotId),
    ...optional(m),
  };
}

function optional(m: Members): Partial<DatasetManifest> {
  const minTimestamp = optionalTime(m, 'min_timestamp');
  const maxTimestamp = optionalTime(m, 'max_timestamp');
  const codec = m.optionalString('codec');
  const checksumAlgorithm = m.optionalString('checksum_algorithm');
  return {
    ...(minTimestamp === undefined ? {} : { minTimestamp }),
    ...(maxTimestamp === undefined ? {} : { maxTimestamp }),
    ...(codec === undefined ? {} : { codec }),
    ...(checksumAlgorithm === undefined ? {} : { checksumAlgorithm }),
  };
}

function optionalTime(m: Members, member: string): string | undefined {
  const text = m.optionalString(member);
  if (text !== undefined && parseTime(text) === undefined)
    throw m.fault(member, 'an RFC 3339 time', text);
  return text;
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
