/** At risk: what an operation costs. One request more on a path that runs a million times is a price, not a detail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import { budgets } from './check.ts';
import { s3Budgets, s3CallBudgets } from './s3.ts';
import { volumeBudgets } from './volume.ts';

for (const snapshots of [1, 100]) {
  test(`requests, depth and width with ${snapshots} snapshots`, async () => {
    const short: string[] = [];
    for await (const { place, name, differs } of budgets(snapshots))
      if (differs.length > 0) short.push(`${place}, ${name}: ${differs.join(', ')}`);
    assert.deepEqual(short, []);
  });
}

for (const blocks of [10, 1000]) {
  test(`requests, depth and width of a volume of ${blocks} blocks`, async () => {
    for await (const { place, name, asked, budget } of volumeBudgets(blocks))
      assert.deepEqual({ place, name, ...asked }, { place, name, ...budget });
  });
}

test('the first write of all also looks for snapshots whose pointer was lost', async () => {
  const dataset = await openDataset('events', { store: memoryStore(), codec: jsonl() });
  const { cost } = await dataset.write([{ id: 1 }]);
  assert.deepEqual([cost.requests, cost.puts, cost.lists], [4, 3, 1]);
});

test('requests, depth and width on S3, by the log of the server', async () => {
  const short: string[] = [];
  for await (const { name, differs } of s3Budgets(40))
    if (differs.length > 0) short.push(`${name}: ${differs.join(', ')}`);
  for await (const { name, differs } of s3CallBudgets())
    if (differs.length > 0) short.push(`${name}: ${differs.join(', ')}`);
  assert.deepEqual(short, []);
});
