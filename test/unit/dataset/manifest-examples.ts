/** The worked examples of the format document, as values and as bytes. */
import type { DatasetManifest } from '../../../src/dataset/manifest/index.ts';

export const blobManifest: DatasetManifest = {
  schemaName: 'lode-manifest',
  formatVersion: '1.0.0',
  datasetId: 'mydata',
  snapshotId: '1767323045123456789',
  createdAt: '2026-01-02T03:04:05.125Z',
  metadata: { source: 'demo', note: 'a<b' },
  files: [
    {
      path: 'datasets/mydata/snapshots/1767323045123456789/data/blob',
      sizeBytes: 11,
      checksum: '5eb63bbbe01eeed093cb22bb8f5acdc3',
    },
  ],
  rowCount: 1,
  compressor: 'noop',
  partitioner: 'noop',
  checksumAlgorithm: 'md5',
};

export const blobText: string = `{
  "schema_name": "lode-manifest",
  "format_version": "1.0.0",
  "dataset_id": "mydata",
  "snapshot_id": "1767323045123456789",
  "created_at": "2026-01-02T03:04:05.125Z",
  "metadata": {
    "note": "a\\u003cb",
    "source": "demo"
  },
  "files": [
    {
      "path": "datasets/mydata/snapshots/1767323045123456789/data/blob",
      "size_bytes": 11,
      "checksum": "5eb63bbbe01eeed093cb22bb8f5acdc3"
    }
  ],
  "row_count": 1,
  "compressor": "noop",
  "partitioner": "noop",
  "checksum_algorithm": "md5"
}`;

export const hiveManifest: DatasetManifest = {
  schemaName: 'lode-manifest',
  formatVersion: '1.0.0',
  datasetId: 'events',
  snapshotId: '1767323045223456789',
  createdAt: '2026-01-02T03:04:05.2251Z',
  metadata: {},
  files: [
    {
      path: 'datasets/events/partitions/day=2024-01-15/segments/1767323045223456789/data/data',
      sizeBytes: 44,
    },
    {
      path: 'datasets/events/partitions/day=2024-01-16/segments/1767323045223456789/data/data',
      sizeBytes: 45,
    },
  ],
  parentSnapshotId: '1767323045123456789',
  rowCount: 2,
  codec: 'jsonl',
  compressor: 'noop',
  partitioner: 'hive',
};

export const hiveText: string = `{
  "schema_name": "lode-manifest",
  "format_version": "1.0.0",
  "dataset_id": "events",
  "snapshot_id": "1767323045223456789",
  "created_at": "2026-01-02T03:04:05.2251Z",
  "metadata": {},
  "files": [
    {
      "path": "datasets/events/partitions/day=2024-01-15/segments/1767323045223456789/data/data",
      "size_bytes": 44
    },
    {
      "path": "datasets/events/partitions/day=2024-01-16/segments/1767323045223456789/data/data",
      "size_bytes": 45
    }
  ],
  "parent_snapshot_id": "1767323045123456789",
  "row_count": 2,
  "codec": "jsonl",
  "compressor": "noop",
  "partitioner": "hive"
}`;
