/** At risk: the memory of a process that appends faster than its disk syncs, or never waits at all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { openJournal, openWal } from '../../../src/journal.ts';
import type { Appended, Journal, Wal } from '../../../src/journal.ts';
import { heldDisk, settled } from './held-disk.ts';

const dir = '/log';
const quiet = { preallocateBytes: 0, reserveBytes: 0 };
const notReady = (error: unknown): boolean => isLodeError(error, 'LODE_NOT_READY');
/** What a record counts for besides its bytes. */
const costBytes = 1024;

/** Appends until it is refused. */
function fill(wal: Wal, bytes: Uint8Array): Appended[] {
  const taken: Appended[] = [];
  assert.throws(() => {
    while (taken.length < 10_000) taken.push(wal.append(bytes));
  }, notReady);
  return taken;
}

/** Whether the promise has been kept yet. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await settled();
  return done;
}

describe('a log whose sync stalls', () => {
  it('takes what the bound allows, refuses the rest, and goes on once the disk does', async () => {
    const held = await heldDisk(dir);
    const pendingBytesMax = 100_000;
    const wal = await openWal(dir, { disk: held.disk, pendingBytesMax, ...quiet });
    await wal.append(new Uint8Array(1)).durable;
    assert.equal(wal.pendingBytes, 0);
    held.hold('datasync');
    const record = new Uint8Array(476).fill(7);
    const each = record.length + costBytes;
    let accepted = 1;
    for (let round = 0; round < 5; round++) {
      const taken = fill(wal, record);
      assert.equal(taken.length, Math.ceil(pendingBytesMax / each));
      assert.equal(wal.pendingBytes, taken.length * each);
      // Exactly the bound, and the one record that went over it.
      assert.ok(wal.pendingBytes - each < pendingBytesMax);
      accepted += taken.length;
      assert.equal(wal.nextLsn, accepted + 1);
      const ready = wal.ready();
      assert.equal(await isDone(ready), false);
      // Refused while it is in flight too, however often.
      for (let i = 0; i < 100; i++) assert.throws(() => wal.append(record), notReady);
      assert.equal(wal.nextLsn, accepted + 1);
      held.release();
      await ready;
      await Promise.all(taken.map(({ durable }) => durable));
      assert.deepEqual([wal.durableLsn, wal.pendingBytes], [accepted, 0]);
      held.hold('datasync');
    }
    held.release();
    await wal.close();
    const again = await openWal(dir, { disk: held.disk, recovery: 'strict', ...quiet });
    let count = 0;
    for await (const { lsn, bytes } of again.cursor()) {
      assert.equal(lsn, ++count);
      assert.equal(bytes.length, lsn === 1 ? 1 : record.length);
    }
    assert.equal(count, accepted);
    await again.close();
  });

  it('is ready as soon as some of it is durable', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, pendingBytesMax: 10 << 20, ...quiet });
    await wal.append(new Uint8Array(1)).durable;
    held.hold('write');
    // Groups of up to 4 MiB, one after the other.
    const taken = fill(wal, new Uint8Array(2 << 20));
    const ready = wal.ready();
    assert.equal(await isDone(ready), false);
    held.release();
    held.hold('write');
    await ready;
    assert.ok(wal.durableLsn > 1 && wal.durableLsn < (taken.at(-1)?.lsn ?? 0));
    assert.equal(fill(wal, new Uint8Array(2 << 20)).length, wal.durableLsn - 1);
    held.release();
    await wal.close();
    assert.equal(wal.pendingBytes, 0);
  });

  it('takes one record at a time when the bound is smaller than that', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, pendingBytesMax: 0, ...quiet });
    for (let i = 0; i < 3; i++) {
      const [only] = fill(wal, new Uint8Array(5000));
      assert.equal(wal.nextLsn, i + 2);
      await only?.durable;
    }
    await wal.close();
  });

  it('forgets what failed, and says why when it takes no more', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, pendingBytesMax: 5000, ...quiet });
    await wal.append(new Uint8Array(1)).durable;
    held.hold('datasync');
    const taken = fill(wal, new Uint8Array(1));
    const ready = wal.ready();
    await settled();
    held.release(new LodeError('LODE_UNAVAILABLE', 'the sync failed', {}));
    await assert.rejects(ready, (error) => isLodeError(error, 'LODE_POISONED'));
    for (const { durable } of taken) await assert.rejects(durable);
    assert.equal(wal.pendingBytes, 0);
    await wal.close();
  });

  it('has room at once behind a synchronous append, which waits for nothing', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, pendingBytesMax: 5000, ...quiet });
    await wal.append(new Uint8Array(1)).durable;
    held.hold('datasync');
    for (let round = 0; round < 3; round++) {
      const taken = fill(wal, new Uint8Array(1));
      if (round === 1) await settled();
      const lsn = wal.appendSync(new Uint8Array(2));
      assert.deepEqual([wal.durableLsn, wal.pendingBytes], [lsn, 0]);
      await wal.ready();
      await Promise.all(taken.map(({ durable }) => durable));
    }
    held.release();
    await wal.close();
  });
});

interface State {
  readonly sum: number;
  readonly seen: number;
}

function journalOn(disk: Disk, durability: 'group' | 'each'): Promise<Journal<State, number>> {
  return openJournal<State, number>(dir, {
    initial: () => ({ sum: 0, seen: 0 }),
    apply: ({ sum, seen }, event) => ({ sum: sum + event, seen: seen + 1 }),
    check: ({ seen }, event) => assert.equal(event, seen + 1),
    durability,
    disk,
    pendingBytesMax: 20 * (costBytes + 2),
    ...quiet,
  });
}

describe('a journal whose sync stalls', () => {
  it('accepts so many events and logs no more; what it refused comes again later', async () => {
    const held = await heldDisk(dir);
    const journal = await journalOn(held.disk, 'group');
    let next = 1;
    while (next < 10) await journal.append(next++);
    for (let round = 0; round < 3; round++) {
      held.hold('datasync');
      const taken = Array.from({ length: 20 }, () => journal.append(next++));
      for (let i = 0; i < 50; i++) await assert.rejects(journal.append(next), notReady);
      assert.equal(journal.accepted.seen, next - 1);
      assert.equal(journal.state.seen, next - 21);
      const ready = journal.ready();
      assert.equal(await isDone(ready), false);
      held.release();
      await ready;
      await Promise.all(taken);
      assert.equal(journal.state.seen, next - 1);
      assert.equal(journal.accepted, journal.state, 'nothing waits any more');
    }
    await journal.close();
    await assert.rejects(journal.ready(), (error) => isLodeError(error, 'LODE_CLOSED'));
    const again = await journalOn(held.disk, 'group');
    assert.deepEqual(again.state, { sum: ((next - 1) * next) / 2, seen: next - 1 });
    await again.close();
  });

  it('lets nothing wait where each event has its own sync', async () => {
    const held = await heldDisk(dir);
    const journal = await journalOn(held.disk, 'each');
    held.hold('datasync');
    const all = Array.from({ length: 1000 }, (_, i) => journal.append(i + 1));
    assert.equal(journal.state.seen, 1000);
    await journal.ready();
    assert.deepEqual((await Promise.all(all)).at(-1), { lsn: 1000 });
    held.release();
    await journal.close();
  });
});
