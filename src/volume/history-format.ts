/** What a volume tells `history/`: its keys, its manifests, its fences. */
import { formatTime } from '../encoding/time.ts';
import type { Env } from '../env.ts';
import { assert } from '../errors.ts';
import { fenceMember, foldersOf, isSnapshotId } from '../history/index.ts';
import type { HistoryFormat } from '../history/index.ts';
import { readable } from '../manifest/index.ts';
import { BlockTable } from './block-table.ts';
import { volumeKeys } from './keys.ts';
import { decodeManifest, encodeManifest, formatVersion, schemaName } from './manifest/index.ts';
import type { VolumeManifest, VolumeManifestLimits } from './manifest/index.ts';
import type { Runs } from './runs.ts';

interface VolumeFormatOptions {
  readonly volume: string;
  /** As it is known by now: a handle opened without one learns it from the first manifest. */
  readonly totalLength: () => number | undefined;
  /** Whether manifests of ours carry a checksum of themselves. */
  readonly seal: boolean;
  readonly limits: VolumeManifestLimits;
  readonly env: Env;
  readonly runs: Runs;
}

export function volumeFormat(options: VolumeFormatOptions): HistoryFormat<VolumeManifest> {
  const { volume, totalLength, seal, limits, env, runs } = options;
  const { bytesMax, blocksMax } = limits;
  const keys = volumeKeys(volume);
  return {
    subject: { volume },
    pointerKey: keys.pointer,
    manifestKey: (snapshot) => keys.manifest(snapshot),
    copyKeys: () => [],
    encode: (manifest) =>
      readable(encodeManifest(manifest, { seal, bytesMax }), manifest.blocks.count, {
        bytesMax,
        listedMax: blocksMax,
        field: 'blocks',
        subject: { volume },
      }),
    decode: (bytes, key, snapshot) =>
      decodeManifest(bytes, { key, volume, snapshot, totalLength: totalLength() }, limits),
    complete: (op, manifest) => runs.complete(op, manifest),
    scan: (store, call) => foldersOf(store, keys.snapshotsPrefix, call),
    foreignManifestKeys: () => [],
    // With its parent's blocks: whoever commits on top of it, Go too, goes on from them.
    fence: (snapshot, parent) => {
      const length = totalLength();
      assert(length !== undefined, 'a volume is written to whose length is not known');
      const algorithm = parent?.checksumAlgorithm;
      return {
        schemaName,
        formatVersion: parent?.formatVersion ?? formatVersion,
        volumeId: volume,
        snapshotId: snapshot,
        createdAt: formatTime(env.now()),
        metadata: { [fenceMember]: true },
        totalLength: length,
        blocks: parent?.blocks ?? BlockTable.of([]),
        ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
        ...(algorithm === undefined ? {} : { checksumAlgorithm: algorithm }),
      };
    },
    isFence: (manifest) => manifest.metadata[fenceMember] === true,
    progress: ({ blocks, totalLength: length }) => ({
      coveredBytes: blocks.bytes,
      missingBytes: length - blocks.bytes,
    }),
    isSnapshotId,
  };
}
