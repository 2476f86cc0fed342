/**
 * C4: a read of 4 KiB from a volume of a hundred blocks and of a million: the block is found in O(log B), and a snapshot in
 * memory takes no more than 64 bytes a block. In memory, where nothing hides the search.
 */
import { memoryStore, openVolume } from '../../src/index.ts';
import type { Volume } from '../../src/index.ts';
import { cpuMs, curve, heldBytes } from '../curve.ts';
import { heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';

const [first, last] = [100, 1_000_000];
const sizes = [first, 10_000, last];
const slowdownMax = 1.5;
const bytesMax = 64;
const blockBytes = 4096;
const reads = 5_000;
/** Blocks that are there to be read; a manifest may name any number besides. */
const present = 64;

interface Held {
  readonly volume: Volume;
  readonly id: string;
  readonly bytesPerBlock: number;
  readonly offsets: readonly number[];
}

/** A volume as a long history would have left it, without the history. */
async function volumeOf(blocks: number): Promise<Held> {
  const store = memoryStore();
  const id = '1767323045123456789';
  const path = (i: number): string => `volumes/bench/data/${i * blockBytes}-${blockBytes}.bin`;
  const lines: string[] = [];
  for (let i = 0; i < blocks; i++)
    lines.push(
      `    {\n      "offset": ${i * blockBytes},\n      "length": ${blockBytes},\n      "path": "${path(i)}",\n` +
        `      "checksum": "sha256:${'0'.repeat(64)}"\n    }`,
    );
  const manifest =
    `{\n  "schema_name": "lode-volume-manifest",\n  "format_version": "1.0.0",\n  "volume_id": "bench",\n` +
    `  "snapshot_id": "${id}",\n  "created_at": "2026-01-02T03:04:05Z",\n  "metadata": {},\n` +
    `  "total_length": ${last * blockBytes},\n  "blocks": [\n${lines.join(',\n')}\n  ]\n}`;
  lines.length = 0;
  await store.put(`volumes/bench/snapshots/${id}/manifest.json`, manifest);
  await store.put('volumes/bench/latest', id);
  const offsets: number[] = [];
  for (let n = 0; n < present; n++) {
    const i = Math.floor((n * blocks) / present);
    offsets.push(i * blockBytes);
    await store.put(path(i), new Uint8Array(blockBytes));
  }
  const volume = await openVolume('bench', { store, verify: false, length: last * blockBytes });
  const before = heldBytes();
  await volume.latest();
  return { volume, id, bytesPerBlock: (heldBytes() - before) / blocks, offsets };
}

export const bar: Bar = {
  id: 'C4',
  title: 'reads as a volume grows to a million blocks',
  async run({ log }) {
    const held = new Map<number, Held>();
    for (const size of sizes) held.set(size, await volumeOf(size));
    const measure = async (size: number): Promise<number> => {
      const { volume, id, offsets } = held.get(size) as Held;
      const ms = await cpuMs(async () => {
        for (let i = 0; i < reads; i++) await volume.readAt(id, offsets[i % present] ?? 0, 4096);
      });
      return (ms * 1000) / reads;
    };
    const speed = await heldTo(1 / slowdownMax, async () => {
      const name = 'us of processor time a read, by blocks';
      return 1 / (await curve({ name, sizes, rounds: 9, log }, measure)).lastToFirst;
    });
    const bytes = held.get(last)?.bytesPerBlock ?? Infinity;
    return {
      outcome: speed.pass && bytes <= bytesMax ? 'pass' : 'fail',
      figure: `time x ${(1 / speed.value).toFixed(2)} (bar ${slowdownMax}), ${bytes.toFixed(1)} bytes a block (bar ${bytesMax})`,
    };
  },
};
