/**
 * Names, limits and types of a dataset manifest: the self-contained description of one snapshot
 * (docs/formats/dataset.md, section 3). Written by `encode.ts`, read by `decode.ts`.
 */
import type { FileStatistics } from '../../encoding/codec.ts';
import type { Metadata } from '../../manifest/index.ts';

export const schemaName = 'lode-manifest';
export const formatVersion = '1.0.0';
/** Versions that begin with a higher number are refused with `LODE_FORMAT_TOO_NEW`. */
export const formatMajor = 1;

export interface ManifestFile {
  /** Key in the store. */
  readonly path: string;
  /** Stored bytes, after compression. */
  readonly sizeBytes: number;
  /** Lower-case hex over the stored bytes, by `checksumAlgorithm`. */
  readonly checksum?: string;
  readonly stats?: FileStatistics;
  /** The index at the end of the file, where its codec writes one: verifies files that are read in parts. */
  readonly index?: FileIndex;
}

export interface FileIndex {
  /** The last bytes of the stored file. */
  readonly bytes: number;
  /** `crc32c:` and 8 hex digits over them. */
  readonly checksum: string;
}

export interface DatasetManifest {
  readonly schemaName: string;
  readonly formatVersion: string;
  readonly datasetId: string;
  readonly snapshotId: string;
  /** RFC 3339 text as stored, to the nanosecond, in UTC. */
  readonly createdAt: string;
  readonly metadata: Metadata;
  /** In ascending UTF-8 order of `path`. */
  readonly files: readonly ManifestFile[];
  readonly parentSnapshotId?: string;
  /** Records in all files; 1 for raw bytes. */
  readonly rowCount: number;
  /** RFC 3339 text in the zone the record had. */
  readonly minTimestamp?: string;
  readonly maxTimestamp?: string;
  /** Absent for raw bytes. */
  readonly codec?: string;
  readonly compressor: string;
  readonly partitioner: string;
  readonly checksumAlgorithm?: string;
  /** `crc32c:` and 8 hex digits, when the manifest covers itself. Set by reading; writing computes it anew. */
  readonly manifestChecksum?: string;
}

export interface ManifestLimits {
  /** Largest manifest read, in bytes. */
  readonly bytesMax: number;
  /** Deepest nesting of values. */
  readonly depthMax: number;
  /** Most files of one snapshot. */
  readonly filesMax: number;
}

export const defaultManifestLimits: ManifestLimits = {
  bytesMax: 256 * 1024 * 1024,
  depthMax: 256,
  filesMax: 1_000_000,
};
