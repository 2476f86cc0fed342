/**
 * Append and consume: each write is a snapshot of exactly what it was given. Consumers read what came since they last
 * looked; whoever wants one day reads its partition across all snapshots.
 *
 * Empty folders may remain in the directory of a store: after deletions, and after writes that failed.
 */
import assert from 'node:assert/strict';
import { hive, jsonl, openDataset, openReader } from 'lode';
import type { Dataset } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

interface Reading {
  day: string;
  sensor: string;
  celsius: number;
}

await using directory = await temporaryDirectory();
const store = fsStore(directory.path);
const open = (): Promise<Dataset<Reading>> =>
  openDataset<Reading>('readings', { store, codec: jsonl(), layout: hive('day') });
const producer = await open();
const consumer = await open();

/** What a consumer keeps, in a place of its own: the last snapshot it has seen to its end. */
let since: string | undefined;

async function consume(): Promise<number> {
  const { id: until } = await consumer.latest();
  let count = 0;
  // Up to the head as it was just now: what is committed meanwhile belongs to the next round.
  for await (const reading of consumer.records({ since, until })) {
    assert.ok(reading.celsius < 100);
    count++;
  }
  // Only now: should this process die before, the same records come again, and none are left out.
  since = until;
  return count;
}

await producer.write([{ day: '2026-01-01', sensor: 'a', celsius: 3 }]);
await producer.write([
  { day: '2026-01-01', sensor: 'b', celsius: 4 },
  { day: '2026-01-02', sensor: 'a', celsius: 5 },
]);
assert.equal(await consume(), 3);
assert.equal(await consume(), 0);
await producer.write([{ day: '2026-01-02', sensor: 'b', celsius: 6 }]);
assert.equal(await consume(), 1);

// A snapshot is not the union of those before it.
const { id } = await producer.latest();
assert.equal((await producer.read(id)).length, 1);

// One day over all appends: only the files of that day are opened.
const day = [];
const partition = { day: '2026-01-02' };
for await (const reading of consumer.records({ since: undefined }, { partition }))
  day.push(reading);
assert.deepEqual(
  day.map(({ celsius }) => celsius),
  [5, 6],
);

// The same from manifests alone: only snapshots that have such files are listed.
const reader = await openReader({ store, layout: hive('day') });
let snapshots = 0;
for await (const { manifest } of reader.manifests('readings', { partition: 'day=2026-01-02' })) {
  snapshots++;
  for await (const reading of reader.records<Reading>(manifest, { partition }))
    console.log(manifest.snapshotId, reading.sensor, reading.celsius);
}
assert.equal(snapshots, 2);
