/** Garbage of a volume: blocks that were staged and never committed, runs of commits that lost their race. */
import { collectGarbage } from '../history/gc.ts';
import type { GarbageFormat, GcOptions, GcReport } from '../history/gc.ts';
import type { Operation } from '../history/index.ts';
import { isSnapshotId } from '../history/index.ts';
import { BlockStack } from './block-stack.ts';
import type { VolumeContext } from './context.ts';
import type { VolumeManifest } from './manifest/index.ts';

export function collectVolume(
  op: Operation,
  context: VolumeContext,
  options: GcOptions,
): Promise<GcReport> {
  const { id: volume, history, keys } = context;
  const garbage: GarbageFormat<VolumeManifest> = {
    subject: { volume },
    history,
    root: keys.root,
    parse(key) {
      if (keys.parseBlock(key) !== undefined || keys.isRun(key)) return { kind: 'data' };
      const snapshot = key.slice(keys.snapshotsPrefix.length).split('/')[0] ?? '';
      const isManifest = isSnapshotId(snapshot) && key === keys.manifest(snapshot);
      return isManifest ? { kind: 'manifest', snapshot, isCopy: false } : undefined;
    },
    read: (call, _key, snapshot) => history.fetch(call, snapshot),
    spare({ blocks }, unnamed) {
      if (blocks instanceof BlockStack)
        for (const { id } of blocks.runs) unnamed.delete(keys.run(id));
      for (const key of unnamed.keys()) {
        const range = keys.parseBlock(key);
        if (range === undefined) continue;
        const [block] = blocks.from(range.offset);
        if (block?.offset === range.offset && block.length === range.length) unnamed.delete(key);
      }
    },
    // Keys are ranges: whoever stages the same bytes again takes the block over.
    mayBeAdopted: true,
  };
  return collectGarbage(op, garbage, options);
}
