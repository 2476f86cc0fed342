/** A volume: bytes arrive in any order, become visible commit by commit, and what is missing is told, never made up. */
import assert from 'node:assert/strict';
import { isLodeError, openVolume } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

await using directory = await temporaryDirectory();
const store = fsStore(directory.path);

// Eight gibibytes of which nothing is there yet. They take no space.
const disk = await openVolume('disk', { store, length: 8 * gibibyte });
assert.equal(await disk.head(), undefined);

// The last megabyte first, then the first one: staged at once, visible together, by the commit.
const table = new Uint8Array(mebibyte).fill(7);
const first = await disk.commit(
  await Promise.all([
    disk.stageWriteAt(disk.length - mebibyte, table),
    disk.stageWriteAt(0, table.subarray(0, 4096)),
  ]),
  { step: 'partition tables' },
);
assert.deepEqual(disk.coverage(first), [
  { offset: 0, length: 4096 },
  { offset: disk.length - mebibyte, length: mebibyte },
]);

// A gap is not zeros. Reading across one is refused, with every gap in the range.
const error = await disk.readAt(first, 0, 8192).catch((e: unknown) => e);
assert.ok(isLodeError(error, 'LODE_RANGE_MISSING'));
assert.deepEqual(error.details.gaps, [{ offset: 4096, length: 4096 }]);
console.log(error.message);

// Two writers that know nothing of each other, as in two processes. What they commit is disjoint: both last.
const [alice, bob] = [await openVolume('disk', { store }), await openVolume('disk', { store })];
await Promise.all([
  alice.commit([await alice.stageWriteAt(gibibyte, 'alice was here')]),
  bob.commit([await bob.stageWriteAt(2 * gibibyte, 'bob was here')]),
]);
const head = await disk.latest();
assert.equal(
  new TextDecoder().decode(await disk.readAt(head, gibibyte, 'alice was here'.length)),
  'alice was here',
);
for (const { offset, length } of disk.coverage(head)) console.log(`${offset}+${length} is there`);

// Bytes that are committed do not change: the same range is refused, whatever the bytes.
const again = await alice
  .commit([await alice.stageWriteAt(1024, 'other bytes')])
  .catch((e: unknown) => e);
assert.ok(isLodeError(again, 'LODE_OVERLAPPING_BLOCKS'));

// Each snapshot stays as it was, and holds all that was committed before it.
for await (const { id, coveredBytes, complete } of disk.snapshots())
  console.log(`${id}: ${coveredBytes} of ${disk.length} bytes${complete ? ', complete' : ''}`);
