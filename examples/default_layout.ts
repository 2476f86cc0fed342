/** Records in, snapshots out: write twice, read both states, see who is whose parent. */
import assert from 'node:assert/strict';
import { gzip, jsonl, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

await using directory = await temporaryDirectory();
const readings = await openDataset<Reading>('readings', {
  store: fsStore(directory.path),
  codec: jsonl(),
  compressor: gzip(),
});

const first = await readings.write([{ sensor: 'roof', celsius: 21.5 }], { source: 'demo' });
const second = await readings.write([
  { sensor: 'roof', celsius: 22.1 },
  { sensor: 'cellar', celsius: 12.8 },
]);

// A snapshot never changes: the first one still reads as it was committed.
assert.deepEqual(await readings.read(first.id), [{ sensor: 'roof', celsius: 21.5 }]);
assert.equal((await readings.latest()).id, second.id);
assert.equal(second.manifest.parentSnapshotId, first.id);

for await (const snapshot of readings.snapshots()) {
  console.log(snapshot.id, snapshot.manifest.rowCount, 'rows', snapshot.manifest.metadata);
}
