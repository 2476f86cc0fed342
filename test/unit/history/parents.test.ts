/** At risk: a walk along parents that never ends, or that ends before the history does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultLayout, hive, openDataset } from '../../../src/dataset/index.ts';
import type { Layout } from '../../../src/dataset/index.ts';
import { encodeManifest } from '../../../src/dataset/manifest/index.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { CircleGuard } from '../../../src/history/circle.ts';
import { memoryStore } from '../../../src/store/index.ts';
import type { Store } from '../../../src/store/index.ts';

const idOf = (n: number): string => `17673230450000000${String(n).padStart(2, '0')}`;

async function put(
  store: Store,
  layout: Layout,
  n: number,
  parent: number | undefined,
  partition = '',
): Promise<void> {
  const bytes = encodeManifest({
    schemaName: 'lode-manifest',
    formatVersion: '1.0.0',
    datasetId: 'd',
    snapshotId: idOf(n),
    createdAt: '2026-01-02T03:04:05Z',
    metadata: {},
    files: [],
    ...(parent === undefined ? {} : { parentSnapshotId: idOf(parent) }),
    rowCount: 0,
    codec: 'jsonl',
    compressor: 'noop',
    partitioner: layout.partitioner,
  });
  await store.put(layout.manifestKey('d', idOf(n), partition), bytes);
}

async function history(store: Store, layout: Layout): Promise<string[]> {
  const dataset = await openDataset('d', { store, layout, codec: jsonl(), settleMs: 0 });
  const ids: string[] = [];
  for await (const { id } of dataset.snapshots()) ids.push(id);
  return ids;
}

describe('parents', () => {
  it('in a circle end a walk with the snapshot at fault', async () => {
    for (const length of [2, 3, 7]) {
      const store = memoryStore();
      const layout = defaultLayout();
      for (let n = 1; n <= length; n++) await put(store, layout, n, n === 1 ? length : n - 1);
      await store.put(layout.pointerKey('d'), idOf(length));
      const circle = (e: unknown): boolean =>
        isLodeError(e, 'LODE_MANIFEST_INVALID') && e.details.field === 'parent_snapshot_id';
      await assert.rejects(history(store, layout), circle);
      const dataset = await openDataset('d', { store, codec: jsonl(), settleMs: 0 });
      await assert.rejects(async () => {
        for await (const _ of dataset.records({ since: 'x' }));
      }, circle);
    }
  });

  it('are followed to snapshots from before canonical manifests', async () => {
    const store = memoryStore();
    const layout = hive('k');
    await put(store, layout, 1, undefined, 'k=1');
    await put(store, layout, 2, 1, 'k=1');
    await put(store, layout, 3, 2);
    await put(store, layout, 4, 3);
    await store.put(layout.pointerKey('d'), idOf(4));
    assert.deepEqual(await history(store, layout), [4, 3, 2, 1].map(idOf));
  });

  it('are guarded in any circle, and in no line', () => {
    for (const [tail, length] of [
      [0, 1],
      [0, 2],
      [5, 3],
      [100, 17],
    ] as const) {
      const guard = new CircleGuard();
      assert.throws(() => {
        for (let step = 0; step < 4 * (tail + length) + 4; step++)
          guard.pass(step < tail ? `t${step}` : `c${(step - tail) % length}`);
      });
    }
    const guard = new CircleGuard();
    for (let step = 0; step < 10_000; step++) guard.pass(String(step));
  });
});
