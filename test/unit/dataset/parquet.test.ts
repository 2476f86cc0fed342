/** At risk: datasets of Parquet files that read more than they need, or miss records that match. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hive, memoryStore, openDataset } from '../../../src/index.ts';
import type { Store } from '../../../src/index.ts';
import { parquet } from '../../../src/parquet.ts';

const codec = parquet(
  { id: 'int64', day: 'string', at: 'timestamp', score: 'float64', note: 'string?' },
  { rowGroupRows: 2000, compression: 'none' },
);
const start = Date.parse('2024-01-01T00:00:00Z');
const rows = Array.from({ length: 20_000 }, (_, id) => ({
  id,
  day: `2024-01-${String(1 + Math.floor(id / 200)).padStart(3, '0')}`,
  at: new Date(start + id * 60_000),
  score: Math.sqrt(id),
  note: id % 3 === 0 ? null : `note ${id}`,
}));

/** Counts bytes of data files handed out. */
function counting(inner: Store): { readonly store: Store; bytes: number } {
  const counted: { readonly store: Store; bytes: number } = {
    bytes: 0,
    store: {
      capabilities: inner.capabilities,
      put: (key, body, options) => inner.put(key, body, options),
      head: (key, options) => inner.head(key, options),
      list: ((prefix: string, options: object) => inner.list(prefix, options)) as Store['list'],
      delete: (keys, options) => inner.delete(keys, options),
      get: async (key, options) => {
        const object = await inner.get(key, options);
        if (object !== undefined && key.includes('/data/')) counted.bytes += object.range.length;
        return object;
      },
    },
  };
  return counted;
}

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe('a dataset of Parquet files', () => {
  it('reads what was written, and only the columns and row groups it needs', async () => {
    const counted = counting(memoryStore());
    const dataset = await openDataset('d', { store: counted.store, codec });
    const snapshot = await dataset.write(rows);
    const size = snapshot.manifest.files[0]?.sizeBytes ?? 0;
    assert.deepEqual(await all(dataset.records(snapshot.id)), rows);

    counted.bytes = 0;
    const scores = await all(dataset.records(snapshot.id, { columns: ['score'] }));
    assert.deepEqual(scores.at(-1), { score: rows.at(-1)?.score });
    // A fifth, and the tail that holds the footer.
    assert.ok(counted.bytes < size * 0.35, `${counted.bytes} of ${size}`);

    counted.bytes = 0;
    const where = {
      at: { gte: new Date(start + 5000 * 60_000), lt: new Date(start + 5010 * 60_000) },
    };
    assert.deepEqual(await all(dataset.records(snapshot.id, { where })), rows.slice(5000, 5010));
    assert.ok(counted.bytes < size * 0.25, `${counted.bytes} of ${size}`);
  });

  it('reads a part of a partition filter from a part of the bytes', async () => {
    const counted = counting(memoryStore());
    const dataset = await openDataset('d', { store: counted.store, codec, layout: hive('day') });
    const snapshot = await dataset.write(rows);
    const size = snapshot.manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    counted.bytes = 0;
    const partition = 'day=2024-01-042';
    assert.deepEqual(
      await all(dataset.records(snapshot.id, { partition })),
      rows.slice(8200, 8400),
    );
    assert.ok(counted.bytes <= size * 0.02, `${counted.bytes} of ${size}`);
  });

  it('streams records in, a row group at a time', async () => {
    const dataset = await openDataset('d', { store: memoryStore(), codec });
    const snapshot = await dataset.streamWriteRecords(rows.values());
    assert.deepEqual(snapshot.manifest.files[0]?.stats?.columns[0], {
      name: 'id',
      min: 0,
      max: 19_999,
      nullCount: 0,
    });
    assert.deepEqual(await all(dataset.records(snapshot.id)), rows);
  });
});
