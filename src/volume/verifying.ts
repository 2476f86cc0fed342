/** What a verifier compares of a volume: every block once, though every later manifest names it again. */
import { crc32c } from '../encoding/checksums/index.ts';
import type { Verification, VerifiedFile } from '../history/verify.ts';
import { BlockStack } from './block-stack.ts';
import type { VolumeBlocks } from './block-table.ts';
import type { VolumeContext } from './context.ts';
import type { VolumeManifest } from './manifest/index.ts';

export function verification(context: VolumeContext): Verification<VolumeManifest> {
  const { id: volume, history, format, keys } = context;
  /** Those of the first manifest, which is the newest: others mostly name some of them. */
  let compared: VolumeBlocks | undefined;
  const seen = new Set<string>();
  function* runsOf({ runs }: BlockStack): Generator<VerifiedFile> {
    for (const { id, sizeBytes, checksum: text } of runs) {
      if (seen.has(id)) continue;
      seen.add(id);
      const checksum = text.replace('crc32c:', '');
      yield { path: keys.run(id), sizeBytes, checksum, algorithm: crc32c() };
    }
  }
  return {
    subject: { volume },
    history,
    format,
    *files(manifest) {
      if (manifest.blocks instanceof BlockStack) yield* runsOf(manifest.blocks);
      const before = compared;
      compared ??= manifest.blocks;
      for (const block of manifest.blocks.from(0)) {
        const { offset, length, checksum: text } = block;
        const [same] = before?.from(offset) ?? [];
        if (same?.offset === offset && same.length === length && same.checksum === text) continue;
        const { hex, checksum: algorithm } = context.namedDigest(text, manifest);
        const file = { path: keys.block(offset, length), sizeBytes: length, algorithm };
        yield hex === undefined ? file : { ...file, checksum: hex };
      }
    },
  };
}
