/** What a verifier compares of a volume: every block once, though every later manifest names it again. */
import type { Verification } from '../history/verify.ts';
import type { VolumeBlocks } from './block-table.ts';
import type { VolumeContext } from './context.ts';
import type { VolumeManifest } from './manifest/index.ts';

export function verification(context: VolumeContext): Verification<VolumeManifest> {
  const { id: volume, history, format, keys } = context;
  /** Those of the first manifest, which is the newest: others mostly name some of them. */
  let compared: VolumeBlocks | undefined;
  return {
    subject: { volume },
    history,
    format,
    *files(manifest) {
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
