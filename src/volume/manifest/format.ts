/**
 * Names, limits and types of a volume manifest: the self-contained description of one state of a volume
 * (docs/formats/volume.md, section 2).
 */
import type { Metadata } from '../../manifest/index.ts';
import type { VolumeBlocks } from '../block-table.ts';

export const schemaName = 'lode-volume-manifest';
export const formatVersion = '1.0.0';
/** Of compact manifests, which only we read: they name runs of blocks instead of listing all. */
export const compactVersion = '2.0.0';
/** Versions that begin with a higher number are refused with `LODE_FORMAT_TOO_NEW`. */
export const formatMajor = 2;

export interface VolumeManifest {
  readonly schemaName: string;
  readonly formatVersion: string;
  readonly volumeId: string;
  readonly snapshotId: string;
  /** RFC 3339 text as stored, to the nanosecond, in UTC. */
  readonly createdAt: string;
  readonly metadata: Metadata;
  /** Bytes of the whole volume, gaps included. */
  readonly totalLength: number;
  /** Everything committed so far. */
  readonly blocks: VolumeBlocks;
  readonly parentSnapshotId?: string;
  /** The algorithm of the last writer; digests with a prefix name their own. */
  readonly checksumAlgorithm?: string;
  /** `crc32c:` and 8 hex digits, when the manifest covers itself. Set by reading; writing computes it anew. */
  readonly manifestChecksum?: string;
}

export interface VolumeManifestLimits {
  /** Largest manifest read, in bytes. */
  readonly bytesMax: number;
  /** Deepest nesting of values. */
  readonly depthMax: number;
  /** Most blocks of one snapshot. */
  readonly blocksMax: number;
}

export const defaultManifestLimits: VolumeManifestLimits = {
  bytesMax: 512 * 1024 * 1024,
  depthMax: 256,
  blocksMax: 4_000_000,
};
