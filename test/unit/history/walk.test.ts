/** At risk: snapshots told twice, left out, or called lost, where ids do not grow along the history (slow writers beside us). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLodeError, jsonl, memoryStore, openDataset } from '../../../src/index.ts';
import type { Dataset, Store } from '../../../src/index.ts';

const id = (n: number): string => String(1_767_323_045_000_000_000n + BigInt(n));

async function put(store: Store, n: number, parent?: number): Promise<void> {
  const manifest = {
    schema_name: 'lode-manifest',
    format_version: '1.0.0',
    dataset_id: 'd',
    snapshot_id: id(n),
    created_at: '2026-01-02T03:04:05Z',
    metadata: {},
    files: [],
    ...(parent !== undefined && { parent_snapshot_id: id(parent) }),
    row_count: 0,
    codec: 'jsonl',
    compressor: 'noop',
    partitioner: 'noop',
  };
  await store.put(`datasets/d/snapshots/${id(n)}/manifest.json`, JSON.stringify(manifest));
}

/** Snapshots by number, each with its parent; the last one given is the head. */
async function history(
  ...links: [n: number, parent?: number][]
): Promise<[Store, Dataset<unknown>]> {
  const store = memoryStore();
  for (const [n, parent] of links) await put(store, n, parent);
  await store.put('datasets/d/latest', id(links.at(-1)?.[0] ?? 0));
  return [store, await openDataset('d', { store, codec: jsonl() })];
}

async function walked(dataset: Dataset<unknown>, unreachable = false): Promise<number[]> {
  const numbers: number[] = [];
  for await (const snapshot of dataset.snapshots({ unreachable }))
    numbers.push(Number(BigInt(snapshot.id) - BigInt(id(0))));
  return numbers;
}

describe('walking a history', () => {
  it('goes by parents, not by ids', async () => {
    const [, dataset] = await history([5], [9, 5], [3, 9], [8, 3], [1, 8]);
    assert.deepEqual(await walked(dataset), [1, 8, 3, 9, 5]);
    assert.deepEqual(await walked(dataset, true), []);
  });

  it('tells what is cut off, each once, newest first', async () => {
    const [, dataset] = await history([5], [7, 5], [10, 7], [6, 5], [9, 6], [4, 9]);
    assert.deepEqual(await walked(dataset), [4, 9, 6, 5]);
    assert.deepEqual(await walked(dataset, true), [10, 7]);
  });

  it('is not ended by a broken manifest that is not part of it', async () => {
    const [store, dataset] = await history([5], [7, 5]);
    await store.put(`datasets/d/snapshots/${id(6)}/manifest.json`, '{"schema_name"');
    assert.deepEqual(await walked(dataset), [7, 5]);
    await assert.rejects(walked(dataset, true), (error) =>
      isLodeError(error, 'LODE_MANIFEST_INVALID'),
    );
  });
});
