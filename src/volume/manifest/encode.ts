/**
 * Volume manifest to bytes: exactly those of Go's encoder, two-space indentation and no final newline. A compact one has
 * `runs` and `recent` in the place of `blocks`; Go refuses it, since it lacks a member.
 */
import { utf8Encode } from '../../bytes/index.ts';
import { count, metadataText, name, sealed, string, tooLarge } from '../../manifest/index.ts';
import { BlockStack } from '../block-stack.ts';
import type { RunRef } from '../block-stack.ts';
import type { VolumeBlocks } from '../block-table.ts';
import { volumeKeys } from '../keys.ts';
import type { VolumeManifest } from './format.ts';

interface EncodeOptions {
  /** Adds the member `manifest_checksum`, which covers every byte of the manifest (Go ignores it). Default false. */
  readonly seal?: boolean;
  /** Longest list of blocks, in characters. */
  readonly bytesMax?: number;
}

/** Node makes no text of 2^29 characters. */
const charsMax = 2 ** 29 - 2 ** 26;

export function encodeManifest(
  m: VolumeManifest,
  { seal = false, bytesMax = Infinity }: EncodeOptions = {},
): Uint8Array {
  let text =
    `{\n  "schema_name": ${name(m.schemaName, 'schema_name')},` +
    `\n  "format_version": ${name(m.formatVersion, 'format_version')},` +
    `\n  "volume_id": ${name(m.volumeId, 'volume_id')},` +
    `\n  "snapshot_id": ${name(m.snapshotId, 'snapshot_id')},` +
    `\n  "created_at": ${name(m.createdAt, 'created_at')},` +
    `\n  "metadata": ${metadataText(m.metadata)},` +
    `\n  "total_length": ${count(m.totalLength, 'total_length')},` +
    `\n  ${blocksText(m, Math.min(bytesMax, charsMax))}`;
  if (m.parentSnapshotId) text += `,\n  "parent_snapshot_id": ${string(m.parentSnapshotId)}`;
  if (m.checksumAlgorithm) text += `,\n  "checksum_algorithm": ${string(m.checksumAlgorithm)}`;
  return seal ? sealed(text) : utf8Encode(`${text}\n}`);
}

function blocksText({ volumeId, blocks }: VolumeManifest, max: number): string {
  return blocks instanceof BlockStack
    ? `"runs": ${runsText(blocks)},\n  "recent": ${recentText(blocks)}`
    : `"blocks": ${listText(volumeId, blocks, max)}`;
}

/** One line each: bytes of every commit. */
function runsText({ runs }: BlockStack): string {
  const line = ({ id, count: blocks, sizeBytes, coveredBytes, checksum }: RunRef): string =>
    `[${string(id)},${blocks},${sizeBytes},${coveredBytes},${string(checksum)}]`;
  return runs.length === 0 ? '[]' : `[\n    ${runs.map(line).join(',\n    ')}\n  ]`;
}

function recentText({ recent }: BlockStack): string {
  const lines: string[] = [];
  for (const { offset, length, checksum } of recent.from(0))
    lines.push(`[${offset},${length}${checksum === undefined ? '' : `,${string(checksum)}`}]`);
  return lines.length === 0 ? '[]' : `[\n    ${lines.join(',\n    ')}\n  ]`;
}

function listText(volume: string, blocks: VolumeBlocks, max: number): string {
  if (blocks.count === 0) return '[]';
  // Quoted once: the rest of a key is digits.
  const prefix = string(volumeKeys(volume).blockPrefix).slice(0, -1);
  const lines: string[] = [];
  let chars = 0;
  for (const { offset, length, checksum } of blocks.from(0)) {
    const digest = checksum === undefined ? '' : `,\n      "checksum": ${string(checksum)}`;
    const line =
      `{\n      "offset": ${count(offset, 'offset')},\n      "length": ${count(length, 'length')},` +
      `\n      "path": ${prefix}${offset}-${length}.bin"${digest}\n    }`;
    chars += line.length + 6;
    if (chars > max) throw tooLarge({ volume, field: 'blocks' }, max, chars);
    lines.push(line);
  }
  return `[\n    ${lines.join(',\n    ')}\n  ]`;
}
