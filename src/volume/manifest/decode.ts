/**
 * Bytes to volume manifest: as tolerant as Go's decoder where writers differ, strict where a guess could lose data.
 *
 * Blocks may be stored in any order and are sorted; those that overlap, leave the volume, or lie under another key than
 * their range gives them are refused: no writer makes them, and a read must not be led elsewhere.
 */
import { LodeError } from '../../errors.ts';
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
import type { Members } from '../../manifest/index.ts';
import type { BlockTable } from '../block-table.ts';
import { BlockTableBuilder } from '../block-table.ts';
import { volumeKeys } from '../keys.ts';
import { assertCount, disjoint, stackOf } from './compact.ts';
import type { Frame } from './compact.ts';
import { blocksMark, scanBlocks } from './scan.ts';
import type { VolumeManifest, VolumeManifestLimits } from './format.ts';
import { defaultManifestLimits, formatMajor, schemaName } from './format.ts';

/** Where the bytes came from, and what they have to be: a member given here is compared. */
interface ManifestOrigin {
  readonly key: string;
  readonly volume?: string | undefined;
  readonly snapshot?: string | undefined;
  /** Length of the volume, as its handle was opened. */
  readonly totalLength?: number | undefined;
}

export function decodeManifest(
  bytes: Uint8Array,
  { key, volume, snapshot, totalLength }: ManifestOrigin,
  limits: VolumeManifestLimits = defaultManifestLimits,
): VolumeManifest {
  const seal = sealOf(bytes, key, limits);
  const { m, blocks } = parsed(bytes, { key, volume }, limits);
  const manifest = required(m, limits, blocks);
  assertSealed(m, seal);
  assertMember(key, 'volume_id', manifest.volumeId, volume);
  assertMember(key, 'snapshot_id', manifest.snapshotId, snapshot);
  if (totalLength !== undefined && manifest.totalLength !== totalLength)
    throw otherLength(manifest, totalLength);
  return seal === undefined ? manifest : { ...manifest, manifestChecksum: seal };
}

/** The members, and the blocks where they are in the usual form. */
function parsed(
  bytes: Uint8Array,
  { key, volume }: ManifestOrigin,
  limits: VolumeManifestLimits,
): { readonly m: Members; readonly blocks?: BlockTable } {
  const { blocksMax, bytesMax } = limits;
  if (volume !== undefined && bytes.length <= bytesMax) {
    const scanned = scanBlocks(bytes, volume, { key, blocksMax });
    if (scanned !== undefined) {
      const m = parseManifest(scanned.rest, key, limits);
      if (m.value('blocks') === blocksMark) return { m, blocks: scanned.blocks };
    }
  }
  return { m: parseManifest(bytes, key, limits) };
}

/** Validates in a fixed order: the first fault is the one named. */
function required(
  m: Members,
  limits: VolumeManifestLimits,
  scanned: BlockTable | undefined,
): VolumeManifest {
  const schema = schemaOf(m, schemaName, formatMajor);
  const volumeId = m.name('volume_id');
  const snapshotId = m.name('snapshot_id');
  const createdAt = creationTime(m);
  const metadata = metadataOf(m);
  const totalLength = m.count('total_length');
  if (totalLength === 0) throw m.fault('total_length', 'more than 0', totalLength);
  const frame = { volumeId, totalLength, blocksMax: limits.blocksMax, bytesMax: limits.bytesMax };
  const isCompact = !schema.formatVersion.startsWith('1');
  const checksumAlgorithm = m.optionalString('checksum_algorithm');
  return {
    ...schema,
    volumeId,
    snapshotId,
    createdAt,
    metadata,
    totalLength,
    blocks: isCompact
      ? stackOf(m, frame)
      : scanned === undefined
        ? blocksOf(m, frame)
        : within(m, scanned, totalLength),
    ...parentOf(m, snapshotId),
    ...(checksumAlgorithm === undefined ? {} : { checksumAlgorithm }),
  };
}

function blocksOf(m: Members, { volumeId, totalLength, blocksMax }: Frame): BlockTable {
  if (m.value('blocks') === null) throw m.fault('blocks', 'an array', null);
  const entries = m.array('blocks');
  assertCount(m, entries.length, blocksMax);
  const keys = volumeKeys(volumeId);
  const builder = new BlockTableBuilder(entries.length);
  entries.forEach((entry, i) => {
    const block = m.within(entry, 'blocks', i);
    const offset = block.count('offset');
    const length = block.count('length');
    const path = block.name('path');
    if (length === 0) throw block.fault('length', 'more than 0', length);
    if (length > totalLength - offset)
      throw block.fault('length', `no more than ${totalLength - offset}`, length);
    if (path !== keys.block(offset, length))
      throw block.fault('path', keys.block(offset, length), path);
    builder.add(offset, length, block.optionalString('checksum'));
  });
  return disjoint(m, builder.finish(), 'blocks');
}

/** Blocks that do not overlap are within the volume if the last one is. */
function within(m: Members, scanned: BlockTable, totalLength: number): BlockTable {
  const blocks = disjoint(m, scanned, 'blocks');
  if (blocks.count === 0) return blocks;
  const { offset, length } = blocks.at(blocks.count - 1);
  if (length <= totalLength - offset) return blocks;
  throw m.fault('blocks', `none past ${totalLength}`, offset);
}

function otherLength({ volumeId, totalLength }: VolumeManifest, opened: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'the volume has another length', {
    volume: volumeId,
    field: 'length',
    expected: totalLength,
    actual: opened,
    next: 'Open it with its own length, or leave the length out.',
  });
}
