/** Snapshots as `--json` shows them, and as columns: the same wherever a snapshot appears. */
import type { DatasetManifest, ManifestFile, VolumeManifest } from 'lode';
import { bytesText, countText } from './text.ts';

export function snapshotFacts(manifest: DatasetManifest | VolumeManifest): object {
  const { snapshotId: id, parentSnapshotId: parent, createdAt, metadata } = manifest;
  const common = { id, parent, createdAt, metadata };
  if (!('blocks' in manifest)) {
    const { rowCount: rows, files } = manifest;
    return { ...common, rows, files: files.length, bytes: bytesOf(files) };
  }
  const { blocks, totalLength: length } = manifest;
  const { count, bytes } = blocks;
  return { ...common, length, blocks: count, bytes, complete: bytes === length };
}

/** How much there is in a snapshot. */
export function amounts(manifest: DatasetManifest | VolumeManifest): string[] {
  if (!('blocks' in manifest)) {
    const { rowCount, files } = manifest;
    return [countText(rowCount, 'row'), countText(files.length, 'file'), bytesText(bytesOf(files))];
  }
  const { blocks, totalLength } = manifest;
  return [
    countText(blocks.count, 'block'),
    `${bytesText(blocks.bytes)} of ${bytesText(totalLength)}`,
  ];
}

export function bytesOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
