/**
 * P6: a dataset write of one record into memory, against the least that any such write has to do: the record and a manifest
 * to JSON, a digest, an id, and data, manifest and pointer into a map. Ours on top of that: checks of everything, a
 * comparison with the head, a lock, copies of all bytes, a sealed manifest, and a cost for every commit. Then against
 * Icechunk, where it is installed.
 */
import { createHash, randomUUID } from 'node:crypto';
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { Dataset } from '../../src/index.ts';
import { compare, heldRows, heldTo, shownRows } from '../harness.ts';
import type { Bar, BarContext } from '../harness.ts';
import { icechunkCommits } from '../icechunk.ts';

const barRatio = 0.25;
const icechunkMin = 20;
const icechunkCount = 200;
const record = { id: 1, name: 'alpha', value: 3.25, ok: true };

/** Two stringify, one digest, one id, three entries in a map, `count` times. */
function floor(count: number): void {
  const objects = new Map<string, string>();
  let parent = '';
  for (let i = 0; i < count; i++) {
    const id = randomUUID();
    const data = `${JSON.stringify(record)}\n`;
    const path = `datasets/bench/snapshots/${id}/data/data`;
    const checksum = createHash('sha256').update(data).digest('hex');
    const manifest = JSON.stringify({
      schema_name: 'lode-manifest',
      format_version: '1.0.0',
      dataset_id: 'bench',
      snapshot_id: id,
      created_at: '2026-01-02T03:04:05.123456789Z',
      metadata: {},
      files: [{ path, size_bytes: data.length, checksum }],
      parent_snapshot_id: parent,
      row_count: 1,
      codec: 'jsonl',
      compressor: 'noop',
      partitioner: 'noop',
      checksum_algorithm: 'sha256',
    });
    objects.set(path, data);
    objects.set(`datasets/bench/snapshots/${id}/manifest.json`, manifest);
    objects.set('datasets/bench/latest', id);
    parent = id;
  }
}

async function ours(count: number): Promise<void> {
  const dataset: Dataset<typeof record> = await openDataset('bench', {
    store: memoryStore(),
    codec: jsonl<typeof record>(),
  });
  for (let i = 0; i < count; i++) await dataset.write([record]);
}

async function run({ release, log }: BarContext): Promise<number> {
  const count = release ? 30_000 : 10_000;
  const { ratio, oursMs, theirsMs } = await compare(
    () => ours(count),
    () => floor(count),
    { name: `${count} writes`, rounds: 9, log },
  );
  const each = (ms: number): string => `${((ms * 1000) / count).toFixed(1)} us`;
  log(`a write takes ${each(oursMs)}, the floor ${each(theirsMs)}`);
  return ratio;
}

export const bar: Bar = {
  id: 'P6',
  title: 'dataset write of one record in memory against the floor of such a write',
  async run(context) {
    const { value, pass } = await heldTo(barRatio, () => run(context));
    const commits = icechunkCommits(Buffer.from(`${JSON.stringify(record)}\n`));
    const rows =
      commits === undefined
        ? []
        : [{ name: 'Icechunk', min: icechunkMin, theirs: () => commits(icechunkCount) }];
    const peer = await heldRows(() => ours(icechunkCount), rows, {
      name: `${icechunkCount} writes`,
      rounds: 5,
      log: context.log,
    });
    return {
      outcome: pass && peer.pass ? 'pass' : 'fail',
      figure:
        `ratio ${value.toFixed(3)} of the floor loop (bar ${barRatio})` +
        (rows.length === 0 ? '; Icechunk not installed' : shownRows(peer.rows)),
    };
  },
};
