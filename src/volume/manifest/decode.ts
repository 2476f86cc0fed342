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
  const m = parseManifest(bytes, key, limits);
  const manifest = required(m, limits);
  assertSealed(m, seal);
  assertMember(key, 'volume_id', manifest.volumeId, volume);
  assertMember(key, 'snapshot_id', manifest.snapshotId, snapshot);
  if (totalLength !== undefined && manifest.totalLength !== totalLength)
    throw otherLength(manifest, totalLength);
  return seal === undefined ? manifest : { ...manifest, manifestChecksum: seal };
}

/** Validates in a fixed order: the first fault is the one named. */
function required(m: Members, limits: VolumeManifestLimits): VolumeManifest {
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
    blocks: isCompact ? stackOf(m, frame) : blocksOf(m, frame),
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

function otherLength({ volumeId, totalLength }: VolumeManifest, opened: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'the volume has another length', {
    volume: volumeId,
    field: 'length',
    expected: totalLength,
    actual: opened,
    next: 'Open it with its own length, or leave the length out.',
  });
}
