/** Two writers on one dataset: conflicts are told, not hidden, and can be retried. */
import assert from 'node:assert/strict';
import { isLodeError, jsonl, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

await using directory = await temporaryDirectory();
const options = { store: fsStore(directory.path), codec: jsonl<{ from: string }>() };
const alice = await openDataset('ledger', options);
const bob = await openDataset('ledger', options);

await alice.write([{ from: 'alice' }]);
const theirs = await bob.write([{ from: 'bob' }]);

// Alice built on her own snapshot; Bob has committed since.
const error = await alice.write([{ from: 'alice' }]).catch((e: unknown) => e);
assert.ok(isLodeError(error, 'LODE_SNAPSHOT_CONFLICT'));
assert.equal(error.details.actualHead, theirs.id);
console.log(error.message);

// Look at the head, decide, and write again on top of exactly that.
const head = await alice.latest();
const mine = await alice.write([{ from: 'alice' }], {}, { expectedParent: head.id });
assert.equal(mine.manifest.parentSnapshotId, theirs.id);

// Where any order will do, let the library try again: the data is not sent twice.
const patient = await openDataset('ledger', { ...options, retry: { attempts: 5 } });
await patient.latest();
await alice.write([{ from: 'alice' }]);
const late = await patient.write([{ from: 'patient' }]);
console.log(`committed after ${late.retries} lost race(s), ${late.cost.puts} puts in all`);
