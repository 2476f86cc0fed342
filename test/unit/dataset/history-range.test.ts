/** At risk: consumers that read a part of the history: records told twice or left out, and long gaps that take for ever. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMeter, jsonl, memoryStore, openDataset } from '../../../src/index.ts';
import type { Cost, Dataset, Store } from '../../../src/index.ts';
import { all, fails, onBoth } from './bed.ts';

interface Row {
  readonly n: number;
}

async function grown(
  count: number,
): Promise<{ store: Store; dataset: Dataset<Row>; ids: string[] }> {
  const store = memoryStore();
  const dataset = await openDataset<Row>('ds', { store, codec: jsonl() });
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push((await dataset.write([{ n }])).id);
  return { store, dataset, ids };
}
const numbers = async (rows: AsyncIterable<Row>): Promise<number[]> =>
  (await all(rows)).map(({ n }) => n);
const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe('a part of the history', () => {
  it('is exactly what came after one snapshot, up to another', async () => {
    const { dataset, ids } = await grown(90);
    for (const [since, until] of [
      [0, 1],
      [10, 14],
      [0, 80],
      [50, 89],
      [7, 7],
    ] as const) {
      const range = { since: ids[since], until: ids[until] ?? '' };
      const expected = upTo(since + 1, until + 1);
      assert.deepEqual(await numbers(dataset.records(range)), expected);
      const named = expected.map((n) => ids[n]);
      const oldestFirst = await all(dataset.snapshots({ ...range, order: 'oldest-first' }));
      assert.deepEqual(
        oldestFirst.map(({ id }) => id),
        named,
      );
      const newestFirst = await all(dataset.snapshots(range));
      assert.deepEqual(
        newestFirst.map(({ id }) => id),
        named.toReversed(),
      );
    }
    assert.deepEqual(
      await numbers(dataset.records({ since: undefined, until: ids[40] })),
      upTo(0, 41),
    );
    const everything = await all(dataset.snapshots({ order: 'oldest-first' }));
    assert.deepEqual(
      everything.map(({ id }) => id),
      ids,
    );
  });

  onBoth('ends where the consumer looked, whatever is written meanwhile', async (bed) => {
    const writer = await bed.records();
    const reader = await bed.records();
    const seen: unknown[] = [];
    let since: string | undefined;
    for (let round = 0; round < 5; round++) {
      await writer.write([{ n: round * 2 }]);
      const { id: until } = await reader.latest();
      await writer.write([{ n: round * 2 + 1 }]);
      for await (const row of reader.records({ since, until })) seen.push(row['n']);
      since = until;
    }
    assert.deepEqual(seen, upTo(0, 9));
  });

  it('is refused where it does not begin in that history', async () => {
    const { dataset, ids } = await grown(40);
    const [first, second] = ids;
    await fails(dataset.records({ since: second, until: first }), 'LODE_NOT_FOUND');
    await fails(dataset.records({ since: 'nobody', until: ids[39] }), 'LODE_NOT_FOUND');
    await fails(dataset.records({ since: undefined, until: 'nobody' }), 'LODE_NOT_FOUND');
    const options = { since: first, unreachable: true };
    await fails(dataset.snapshots(options), 'LODE_INVALID_ARGUMENT');
  });

  it('costs a consumer that keeps up a pointer, a manifest and a file', async () => {
    const { dataset, ids } = await grown(3);
    assert.equal((await cost(dataset, ids[1])).gets, 3);
  });

  it('is walked in parallel once it is long: manifests once for their links, once for their records', async () => {
    const { store } = await grown(400);
    let [now, most] = [0, 0];
    const traced: Store = {
      capabilities: store.capabilities,
      put: (key, body, options) => store.put(key, body, options),
      head: (key, options) => store.head(key, options),
      list: ((prefix: string, options: object) => store.list(prefix, options)) as Store['list'],
      delete: (keys, options) => store.delete(keys, options),
      get: async (key, options) => {
        if (key.endsWith('manifest.json')) most = Math.max(most, ++now);
        await new Promise(setImmediate);
        const object = await store.get(key, options);
        if (key.endsWith('manifest.json')) now--;
        return object;
      },
    };
    const dataset = await openDataset<Row>('ds', { store: traced, codec: jsonl() });
    const { gets, lists } = await cost(dataset, undefined);
    assert.ok(most >= 8, `${most} at once`);
    // Pointer; 400 manifests to find the way, all but the few newest again; 400 files.
    assert.ok(gets <= 1 + 400 + 396 + 400 + 2, `${gets} gets`);
    assert.ok(lists <= 2, `${lists} lists`);
  });
});

async function cost(dataset: Dataset<Row>, since: string | undefined): Promise<Cost> {
  const meter = createMeter();
  for await (const _ of dataset.records({ since }, { meter }));
  return meter.snapshot();
}
