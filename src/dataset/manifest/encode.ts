/**
 * Manifest to bytes: exactly those of Go's encoder (docs/formats/dataset.md, section 3), two-space indentation and no final newline.
 *
 * Members are fixed, so they are joined by hand; only metadata needs the generic writer. Whatever could not be read
 * back is refused here, before a pointer can name it (E-4).
 */
import { compareUtf8, utf8Encode } from '../../bytes/index.ts';
import { numberText } from '../../encoding/json/text.ts';
import type { ColumnStatistics, FileStatistics } from '../../encoding/codec.ts';
import { count, metadataText, name, refused, sealed, string } from '../../manifest/index.ts';
import type { DatasetManifest, ManifestFile } from './format.ts';

interface EncodeManifestOptions {
  /** Adds the member `manifest_checksum`, which covers every byte of the manifest (Go ignores it). Default false. */
  readonly seal?: boolean;
}

export function encodeManifest(
  manifest: DatasetManifest,
  options: EncodeManifestOptions = {},
): Uint8Array {
  const text = manifestText(manifest);
  return options.seal === true ? sealed(text) : utf8Encode(`${text}\n}`);
}

/** Everything but the final newline and brace. */
function manifestText(m: DatasetManifest): string {
  let text =
    `{\n  "schema_name": ${name(m.schemaName, 'schema_name')},` +
    `\n  "format_version": ${name(m.formatVersion, 'format_version')},` +
    `\n  "dataset_id": ${name(m.datasetId, 'dataset_id')},` +
    `\n  "snapshot_id": ${name(m.snapshotId, 'snapshot_id')},` +
    `\n  "created_at": ${name(m.createdAt, 'created_at')},` +
    `\n  "metadata": ${metadataText(m.metadata)},` +
    `\n  "files": ${filesText(m.files)}`;
  if (m.parentSnapshotId) text += `,\n  "parent_snapshot_id": ${string(m.parentSnapshotId)}`;
  text += `,\n  "row_count": ${count(m.rowCount, 'row_count')}`;
  if (m.minTimestamp) text += `,\n  "min_timestamp": ${string(m.minTimestamp)}`;
  if (m.maxTimestamp) text += `,\n  "max_timestamp": ${string(m.maxTimestamp)}`;
  if (m.codec) text += `,\n  "codec": ${string(m.codec)}`;
  text +=
    `,\n  "compressor": ${name(m.compressor, 'compressor')},` +
    `\n  "partitioner": ${name(m.partitioner, 'partitioner')}`;
  if (m.checksumAlgorithm) text += `,\n  "checksum_algorithm": ${string(m.checksumAlgorithm)}`;
  return text;
}

function filesText(files: readonly ManifestFile[]): string {
  if (files.length === 0) return '[]';
  let text = '[';
  let last: string | undefined;
  for (const file of inOrder(files)) {
    if (last === file.path) throw refused('files', file.path);
    text += `${last === undefined ? '' : ','}\n    ${fileText(file)}`;
    last = file.path;
  }
  return `${text}\n  ]`;
}

function inOrder(files: readonly ManifestFile[]): readonly ManifestFile[] {
  const sorted = files.every(
    (file, i) => i === 0 || compareUtf8(files[i - 1]?.path ?? '', file.path) <= 0,
  );
  return sorted ? files : [...files].sort((a, b) => compareUtf8(a.path, b.path));
}

function fileText(file: ManifestFile): string {
  let text =
    `{\n      "path": ${name(file.path, 'path')},` +
    `\n      "size_bytes": ${count(file.sizeBytes, 'size_bytes')}`;
  if (file.checksum) text += `,\n      "checksum": ${string(file.checksum)}`;
  if (file.stats !== undefined) text += `,\n      "stats": ${statsText(file.stats)}`;
  if (file.index !== undefined) {
    text += `,\n      "index_checksum": ${string(file.index.checksum)}`;
    text += `,\n      "index_bytes": ${count(file.index.bytes, 'index_bytes')}`;
  }
  return `${text}\n    }`;
}

function statsText(stats: FileStatistics): string {
  let text = `{\n        "row_count": ${count(stats.rowCount, 'row_count')}`;
  if (stats.columns.length > 0) {
    text += `,\n        "columns": [`;
    text += stats.columns.map((column) => `\n          ${columnText(column)}`).join(',');
    text += `\n        ]`;
  }
  return `${text}\n      }`;
}

function columnText(column: ColumnStatistics): string {
  let text = `{\n            "name": ${string(column.name)}`;
  if (column.min !== undefined) text += `,\n            "min": ${scalar(column.min)}`;
  if (column.max !== undefined) text += `,\n            "max": ${scalar(column.max)}`;
  text += `,\n            "null_count": ${count(column.nullCount, 'null_count')}`;
  if (column.distinctCount)
    text += `,\n            "distinct_count": ${count(column.distinctCount, 'distinct_count')}`;
  return `${text}\n          }`;
}

function scalar(value: string | number | bigint | boolean): string {
  if (typeof value === 'string') return string(value);
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) throw refused('stats', String(value));
  return numberText(value, 'manifest');
}
