/** A million records from a generator into partitions, in memory that does not grow with their number. */
import assert from 'node:assert/strict';
import { gzip, hive, jsonl, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

interface Sample {
  readonly shard: string;
  readonly n: number;
}

async function* samples(count: number): AsyncGenerator<Sample> {
  for (let n = 0; n < count; n++) yield { shard: `s${n % 8}`, n };
}

await using directory = await temporaryDirectory();
const dataset = await openDataset<Sample>('samples', {
  store: fsStore(directory.path),
  codec: jsonl(),
  compressor: gzip({ level: 1 }),
  layout: hive('shard'),
});

const count = 200_000;
const { id, manifest } = await dataset.streamWriteRecords(samples(count), { batch: 7 });
assert.equal(manifest.rowCount, count);

let sum = 0;
for await (const { n } of dataset.records(id, { partition: { shard: 's3' } })) sum += n;
console.log(
  `${manifest.rowCount} records in ${manifest.files.length} files; shard s3 sums to ${sum}`,
);

// An error of the source is rethrown, and nothing of the write remains.
async function* broken(): AsyncGenerator<Sample> {
  yield { shard: 's0', n: 0 };
  throw new Error('the sensor went away');
}
await assert.rejects(dataset.streamWriteRecords(broken()), /the sensor went away/);
assert.equal((await dataset.latest()).id, id);
