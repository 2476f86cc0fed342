/**
 * The tour: `npm run tour`. Real flights through everything datasets, volumes and journals do, in a directory you can look at afterwards.
 * Another directory, which has to be empty: `npm run tour -- --dir path`. Or a bucket, empty below the prefix:
 * `npm run tour -- --store 's3://bucket/prefix?endpoint=http://127.0.0.1:9000'`, with keys in `AWS_*` variables.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMeter, gzip, hive, isLodeError, jsonl, openDataset } from 'lode';
import type { Dataset, Store } from 'lode';
import { fsStore } from 'lode/fs';
import { parquet } from 'lode/parquet';
import { flights } from './flights.ts';
import type { Flight } from './flights.ts';
import { killWriter } from './journal.ts';
import { s3Store } from 'lode/s3';
import { freshBucket, freshPlace } from './place.ts';
import { amount, fact, progress, progressDone, scene } from './report.ts';
import { fillVolume } from './volume.ts';

/** As JSON Lines holds it: a date comes back as text. */
type StoredFlight = Omit<Flight, 'departed'> & { readonly departed: Date | string };

const { values } = parseArgs({
  options: { dir: { type: 'string', default: '.tour' }, store: { type: 'string' } },
});
const started = performance.now();
const { store, place, directory, close } = await openPlace(values.store ?? values.dir);

const all = await flights();
const half = all.length >> 1;
console.log(`${all.length} flights of 2001, into ${place}`);

const byDay = await openDataset<StoredFlight>('flights', {
  store,
  codec: jsonl(),
  compressor: gzip(),
  layout: hive('day'),
  timestamp: (flight) => flight.departed,
});
await writeTwice(byDay);
await readByPartition(byDay);
await raceTwoWriters();
await writeParquet();
await verifyAll(byDay);
await fillVolume(store, place);
await killWriter(all, directory);

scene('Look for yourself');
fact(`${place}/datasets/flights/latest names the head; its manifest lists every file:`);
fact(`${place}/datasets/flights/segments/${(await byDay.latest()).id}/manifest.json`);
await close();
console.log(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s.`);

/** The store at an `s3:` or `file:` URL, or in a directory. */
async function openPlace(
  where: string,
): Promise<{ store: Store; place: string; directory?: string; close: () => Promise<void> }> {
  if (where.startsWith('s3:')) {
    const bucket = s3Store(where);
    await freshBucket(bucket);
    return { store: bucket, place: where.replace(/\/?(\?.*)?$/, ''), close: () => bucket.close() };
  }
  const directory = where.startsWith('file:') ? fileURLToPath(where) : resolve(where);
  await freshPlace(directory);
  return { store: fsStore(directory), place: directory, directory, close: async () => {} };
}

async function writeTwice(dataset: Dataset<StoredFlight>): Promise<void> {
  scene('Two snapshots: JSON Lines, gzip, one file per day');
  const first = await dataset.write(all.slice(0, half), { source: 'vega-datasets' });
  fact(`${first.id}: ${first.manifest.rowCount} flights in ${first.manifest.files.length} files`);
  fact(`from ${first.manifest.minTimestamp} to ${first.manifest.maxTimestamp}`);
  const second = await dataset.streamWriteRecords(all.slice(half), { source: 'vega-datasets' });
  fact(
    `${second.id}: ${second.manifest.rowCount} more, streamed; parent ${second.manifest.parentSnapshotId}`,
  );
  fact(
    `the two cost ${first.cost.requests} and ${second.cost.requests} requests, ${amount(first.cost.bytesUp + second.cost.bytesUp)} written`,
  );
}

async function readByPartition(dataset: Dataset<StoredFlight>): Promise<void> {
  scene('One day of the first snapshot, and nothing else');
  const history = [];
  for await (const snapshot of dataset.snapshots()) history.push(snapshot);
  const oldest = history.at(-1);
  assert.ok(oldest);
  const meter = createMeter();
  const day = all[0]?.day ?? '';
  const read = await dataset.read(oldest.id, { partition: { day }, meter });
  assert.equal(read.length, all.slice(0, half).filter((flight) => flight.day === day).length);
  fact(
    `${read.length} flights on ${day}: ${meter.snapshot().gets} of ${oldest.manifest.files.length + 1} objects fetched`,
  );
  const late = await dataset.read(oldest.id, { partition: { day }, where: { delay: { gt: 60 } } });
  fact(`${late.length} of them more than an hour late`);
}

async function raceTwoWriters(): Promise<void> {
  scene('Two writers race');
  const options = { store, codec: jsonl<{ from: string }>() };
  const [a, b] = [await openDataset('race', options), await openDataset('race', options)];
  await a.write([{ from: 'a' }]);
  await b.latest();
  const results = await Promise.allSettled([a.write([{ from: 'a' }]), b.write([{ from: 'b' }])]);
  const lost = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  assert.equal(lost.length, 1);
  assert.ok(isLodeError(lost[0], 'LODE_SNAPSHOT_CONFLICT'));
  fact(`one won; the other was told: ${lost[0].message}`);
  const patient = { ...options, retry: { attempts: 20 } };
  const writers = await Promise.all(Array.from({ length: 4 }, () => openDataset('race', patient)));
  const commits = await Promise.all(
    writers.flatMap((w, i) => [w.write([{ from: `${i}` }]), w.write([{ from: `${i}` }])]),
  );
  fact(`four writers with retries: ${commits.length} commits, all of them in the history`);
}

async function writeParquet(): Promise<void> {
  scene('The same flights as Parquet, with statistics');
  const dataset = await openDataset('flights-parquet', {
    store,
    codec: parquet({
      day: 'string',
      departed: 'timestamp',
      delay: 'int32',
      distance: 'int32',
      origin: 'string',
      destination: 'string',
    }),
  });
  const { id, manifest } = await dataset.write(all);
  const [file] = manifest.files;
  const delay = file?.stats?.columns.find((column) => column.name === 'delay');
  fact(
    `${manifest.rowCount} flights in ${amount(file?.sizeBytes ?? 0)}; delays from ${delay?.min} to ${delay?.max} minutes`,
  );
  const meter = createMeter();
  const delays = await dataset.read(id, { columns: ['delay'], meter });
  const mean = delays.reduce((sum, flight) => sum + flight.delay, 0) / delays.length;
  fact(`mean delay ${mean.toFixed(1)} minutes, from ${amount(meter.snapshot().bytesDown)} read`);
}

async function verifyAll(dataset: Dataset<StoredFlight>): Promise<void> {
  scene('Every object against its manifest');
  const report = await dataset.verify({
    onProgress: ({ objects }) => progress(`${objects} objects`),
  });
  progressDone();
  assert.deepEqual(report.problems, []);
  fact(`${report.objects} objects, ${amount(report.bytes)} of data: all as committed`);
}
