/** Parquet: a schema that types the records, statistics in the manifest, reads of single columns. */
import assert from 'node:assert/strict';
import { createMeter, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { parquet } from 'lode/parquet';
import { temporaryDirectory } from './temporary.ts';

await using directory = await temporaryDirectory();
const trips = await openDataset('trips', {
  store: fsStore(directory.path),
  codec: parquet({ id: 'int64', city: 'string', tip: 'float64?', at: 'timestamp' }),
  timestamp: (trip) => trip.at,
});

const start = Date.UTC(2024, 0, 15);
const records = Array.from({ length: 50_000 }, (_, id) => ({
  id,
  city: id % 3 === 0 ? 'Oslo' : 'Lima',
  tip: id % 7 === 0 ? null : id / 100,
  at: new Date(start + id * 1000),
}));
const { id, manifest } = await trips.write(records);
console.log('from', manifest.minTimestamp, 'to', manifest.maxTimestamp);
for (const column of manifest.files[0]?.stats?.columns ?? []) {
  console.log(
    column.name.padEnd(5),
    'min',
    column.min,
    'max',
    column.max,
    'nulls',
    column.nullCount,
  );
}

// One column of four: only its bytes, and the footer, are read.
const meter = createMeter();
const ids = await trips.read(id, { columns: ['id'], meter });
assert.equal(ids.length, records.length);
console.log(`${meter.snapshot().bytesDown} of ${manifest.files[0]?.sizeBytes} bytes read`);

// Statistics prove that no record can match: no file is fetched.
const none = createMeter();
assert.deepEqual(await trips.read(id, { where: { id: { gte: 1_000_000 } }, meter: none }), []);
assert.equal(
  none.snapshot().gets,
  0,
  'the manifest of the head is in memory, and no file is needed',
);
