/** Snapshots as `--json` shows them: the same members wherever a snapshot appears. */
import type { DatasetManifest, ManifestFile } from 'lode';

export function snapshotFacts(manifest: DatasetManifest): object {
  const { snapshotId: id, parentSnapshotId: parent, createdAt, rowCount, files } = manifest;
  return {
    id,
    parent,
    createdAt,
    rows: rowCount,
    files: files.length,
    bytes: bytesOf(files),
    metadata: manifest.metadata,
  };
}

export function bytesOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
