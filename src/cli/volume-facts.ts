/** `lode show` of a volume: one snapshot, its facts and blocks. */
import type { VolumeManifest } from 'lode';
import type { Call } from './command.ts';
import { snapshotFacts } from './facts.ts';
import { rangeText } from './range.ts';
import { bytesText, columnsText, countText, plainText, shareText, valueText } from './text.ts';

export async function showVolume({ out }: Call, manifest: VolumeManifest): Promise<void> {
  const { volumeId: volume, blocks, formatVersion, manifestChecksum } = manifest;
  const { checksumAlgorithm: checksum } = manifest;
  if (out.json) {
    const facts = { ...snapshotFacts(manifest), blocks: undefined, formatVersion, checksum };
    return out.list(
      { command: 'show', volume, ...facts, manifestChecksum },
      { blocks: blocks.from(0) },
    );
  }
  const { metadata } = manifest;
  const facts = [
    ['volume', volume],
    ...placeRows(manifest),
    ['checksum', checksum ?? 'none'],
    ['metadata', valueText(metadata, 1000)],
    ['blocks', countText(blocks.count, 'block')],
  ];
  for (const line of columnsText(facts.map((row) => row.map(plainText)))) await out.line(line);
  for (const block of blocks.from(0)) {
    const digest = plainText(block.checksum ?? 'no checksum');
    await out.line(`  ${rangeText(block)}  ${bytesText(block.length)}  ${digest}`);
  }
}

/** Which snapshot it is, and how much of the volume it has. */
export function placeRows(manifest: VolumeManifest): string[][] {
  const { snapshotId, parentSnapshotId, createdAt, blocks, totalLength } = manifest;
  const share = shareText(blocks.bytes, totalLength);
  return [
    ['snapshot', snapshotId],
    ['parent', parentSnapshotId ?? 'none'],
    ['created', createdAt],
    ['length', lengthText(totalLength)],
    ['there', `${lengthText(blocks.bytes)}, ${share}`],
  ];
}

/** To the byte, and in round numbers where they differ. */
export function lengthText(bytes: number): string {
  return bytes < 1000 ? bytesText(bytes) : `${bytes} B (${bytesText(bytes)})`;
}
