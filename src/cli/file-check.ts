/**
 * Whether a volume was filled from this very file, as far as it is filled. What is there is compared with the file by its
 * checksums, so that next to nothing is fetched: all of it, or a few blocks, which is enough to tell another file.
 */
import { LodeError } from 'lode';
import type { Volume, VolumeRange, VolumeSnapshot, VolumeTarget } from 'lode';
import type { SourceFile } from './source-file.ts';

const samplesMax = 16;
/** Larger blocks are not for a quick look. */
const sampleBytesMax = 64 * 1024 * 1024;

interface CheckOptions {
  /** Where the file lies in the volume. */
  readonly offset: number;
  readonly whole: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

export async function assertSameBytes(
  volume: Volume,
  head: VolumeSnapshot,
  file: SourceFile,
  options: CheckOptions,
): Promise<void> {
  const { offset, signal, onProgress } = options;
  const all = { offset, length: file.size };
  const target = comparing(volume, file, offset);
  let before = 0;
  for (const range of options.whole ? [all] : samples(head, all)) {
    const { copiedBytes, keptBytes } = await volume.copyInto(head, target, {
      range,
      signal,
      onProgress: (done) => onProgress(before + done.copiedBytes + done.keptBytes),
    });
    before += copiedBytes + keptBytes;
  }
}

/** Holds what the file holds. What is not the same by its checksum comes to be written, and is looked at. */
function comparing(volume: Volume, file: SourceFile, start: number): VolumeTarget {
  const end = start + file.size;
  return {
    async read(offset, length) {
      if (offset < start || offset + length > end) return undefined;
      return file.read(offset - start, length);
    },
    async write(bytes, offset) {
      const [from, to] = [Math.max(offset, start), Math.min(offset + bytes.length, end)];
      if (from >= to) return;
      const own = await file.read(from - start, to - from);
      const at = bytes.subarray(from - offset, to - offset).findIndex((byte, i) => byte !== own[i]);
      if (at < 0) return;
      throw new LodeError('LODE_OBJECT_CHANGED', 'the volume has other bytes than the file', {
        volume: volume.id,
        key: file.path,
        offset: from + at,
        next: 'Fill it from the file it was begun with, or another volume from this one.',
      });
    },
  };
}

/** Blocks at both ends and in between, a byte of each. */
function samples({ manifest }: VolumeSnapshot, { offset, length }: VolumeRange): VolumeRange[] {
  const blocks: VolumeRange[] = [];
  for (const block of manifest.blocks.from(offset)) {
    if (block.offset >= offset + length) break;
    if (block.length > sampleBytesMax) continue;
    blocks.push({ offset: Math.max(block.offset, offset), length: 1 });
  }
  const count = Math.min(samplesMax, blocks.length);
  const step = (blocks.length - 1) / Math.max(1, count - 1);
  const indexes = Array.from({ length: count }, (_, i) => Math.round(i * step));
  return indexes.flatMap((i) => blocks[i] ?? []);
}
