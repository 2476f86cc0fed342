/** Partitions: one file per day and region, and reads that fetch only the files they need. */
import assert from 'node:assert/strict';
import { createMeter, hive, jsonl, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

interface Visit {
  readonly day: string;
  readonly region: string;
  readonly path: string;
}

await using directory = await temporaryDirectory();
const visits = await openDataset<Visit>('visits', {
  store: fsStore(directory.path),
  codec: jsonl(),
  layout: hive('day', 'region'),
});

const { id, manifest } = await visits.write([
  { day: '2024-01-15', region: 'eu', path: '/' },
  { day: '2024-01-15', region: 'us', path: '/docs' },
  { day: '2024-01-16', region: 'eu', path: '/docs' },
]);
for (const file of manifest.files) console.log(file.path, file.sizeBytes, 'bytes');

const meter = createMeter();
const partition = { day: '2024-01-15', region: 'eu' };
assert.deepEqual(await visits.read(id, { partition, meter }), [{ ...partition, path: '/' }]);
console.log(`read one of ${manifest.files.length} files:`, meter.snapshot().gets, 'request(s)');

// Conditions on partition keys skip files as well; others are checked record by record.
const docs = await visits.read(id, { where: { path: '/docs', day: { in: ['2024-01-16'] } } });
assert.deepEqual(docs, [{ day: '2024-01-16', region: 'eu', path: '/docs' }]);
