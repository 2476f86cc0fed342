/** At risk: synchronous appends that make segments of their own, and that overtake what is under way off the calling thread. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../../src/disk/disk.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import { openJournal, openWal } from '../../../src/journal.ts';
import type { Appended, Wal, WalOptions } from '../../../src/journal.ts';
import { faultyDisk, recordingDisk } from '../../../src/testing/index.ts';
import type { DiskFaultPlan } from '../../../src/testing/index.ts';
import { heldDisk, settled } from './held-disk.ts';
import type { HeldDisk } from './held-disk.ts';

const dir = '/log';
const quiet = { preallocateBytes: 0, reserveBytes: 0 };
const broken = new LodeError('LODE_UNAVAILABLE', 'input/output error', {});
const full = new LodeError('LODE_STORAGE_FULL', 'no room', {});
const record = (value: number, length = 40): Uint8Array => new Uint8Array(length).fill(value);

/** The first byte of each record, after opening the log anew in the strictest mode. */
async function contentOf(disk: Disk): Promise<number[]> {
  const wal = await openWal(dir, { disk, recovery: 'strict', ...quiet });
  const found: number[] = [];
  for await (const { lsn, bytes } of wal.cursor()) {
    assert.equal(lsn, found.length + 1);
    found.push(bytes[0] ?? -1);
  }
  await wal.close();
  return found;
}

/** A log with a record, and a second one whose write is under way off the calling thread. */
async function withLargeWriteHeld(
  options: WalOptions = {},
): Promise<{ readonly held: HeldDisk; readonly wal: Wal; readonly large: Appended }> {
  const held = await heldDisk(dir);
  const wal = await openWal(dir, { disk: held.disk, ...quiet, ...options });
  wal.appendSync(record(1));
  held.hold('write');
  const large = wal.append(record(2, 3 << 20));
  await settled();
  return { held, wal, large };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('synchronous appends', () => {
  it('begin a new segment whenever one is full, the first one too', async () => {
    const { disk } = await heldDisk(dir);
    const wal = await openWal(dir, { disk, segmentBytes: 300, preallocateBytes: 64 });
    for (const value of upTo(30)) assert.equal(wal.appendSync(record(value)), value);
    const segments = wal.segments();
    assert.equal(segments.length, 8);
    assert.ok(segments.every(({ isSealed }, i) => isSealed === i < segments.length - 1));
    wal.rotateSync();
    wal.rotateSync();
    assert.equal(wal.segments().length, 9);
    assert.equal(await wal.release(31), 8);
    wal.appendSync(record(31));
    await wal.close();
    const again = await openWal(dir, { disk, recovery: 'strict', ...quiet });
    assert.deepEqual([again.firstLsn, again.nextLsn], [31, 32]);
    await again.close();
  });

  it('sync what they acknowledge as often as appends that wait, in the same order', async () => {
    const kinds = async (work: (wal: Wal, value: number) => unknown): Promise<string[]> => {
      const disk = recordingDisk();
      await disk.makeDirectory(dir);
      const options = { disk, segmentBytes: 200, preallocateBytes: 64, reserveBytes: 64 };
      const wal = await openWal(dir, options);
      const before = disk.recording.entries.length;
      for (const value of upTo(12)) await work(wal, value);
      return disk.recording.entries.slice(before).map(({ kind }) => kind);
    };
    const sync = await kinds((wal, value) => wal.appendSync(record(value)));
    const async = await kinds((wal, value) => wal.append(record(value)).durable);
    assert.deepEqual(sync, async);
    assert.ok(sync.filter((kind) => kind === 'datasync').length > 12 + 2 * 2);
  });

  it('are refused while a segment is being made, and taken once the log is ready', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, segmentBytes: 100, ...quiet });
    await wal.append(record(1, 100)).durable;
    held.hold('datasync');
    const waiting = wal.append(record(2));
    await settled();
    assert.equal(held.waiting, 1);
    const refused = (error: unknown): boolean => isLodeError(error, 'LODE_NOT_READY');
    assert.throws(() => wal.appendSync(record(9)), refused);
    assert.throws(() => wal.rotateSync(), refused);
    const ready = wal.ready();
    held.release();
    await ready;
    wal.appendSync(record(3));
    await waiting.durable;
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(3));
  });

  it('take what waits with them, in one write and one sync', async () => {
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    const wal = await openWal(dir, { disk, ...quiet });
    wal.appendSync(record(1));
    const before = disk.recording.entries.length;
    const waiting = [2, 3, 4].map((value) => wal.append(record(value)));
    assert.equal(wal.appendSync(record(5)), 5);
    assert.equal(wal.durableLsn, 5);
    assert.equal(wal.pendingBytes, 0);
    const made = disk.recording.entries.slice(before).map(({ kind }) => kind);
    assert.deepEqual(made, ['write', 'datasync']);
    await Promise.all(waiting.map(({ durable }) => durable));
    await wal.close();
    assert.deepEqual(await contentOf(disk), upTo(5));
  });

  it('leave a group that is full to itself', async () => {
    const { disk } = await heldDisk(dir);
    const wal = await openWal(dir, { disk, ...quiet });
    const large = wal.append(record(1, 3 << 20));
    wal.appendSync(record(2, 3 << 20));
    wal.rotateSync();
    await large.durable;
    await wal.close();
    assert.deepEqual(await contentOf(disk), upTo(2));
  });

  it('take nothing when there is no descriptor to overtake with', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, ...quiet });
    wal.appendSync(record(1));
    held.hold('datasync');
    const first = wal.append(record(2));
    await settled();
    held.failNextOpen(broken);
    assert.throws(() => wal.appendSync(record(9)), broken);
    held.release();
    await first.durable;
    wal.appendSync(record(3));
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(3));
  });

  it('on a failing disk lose nothing, whichever call fails', async () => {
    const calls = { sync: 0, write: 0, name: 0 };
    for (const on of ['sync', 'write', 'name'] as const) {
      for (const kind of on === 'write'
        ? (['EIO', 'ENOSPC', 'short'] as const)
        : (['EIO'] as const)) {
        for (let at = 0; ; at++) {
          const alone = await failOnce({ on, kind, at, times: 'once' }, 1);
          const joined = await failOnce({ on, kind, at, times: 'once' }, 3);
          if (!alone && !joined) break;
          calls[on]++;
        }
      }
    }
    assert.ok(calls.sync > 20 && calls.write > 60 && calls.name > 8, JSON.stringify(calls));
  });
});

/**
 * False when there was nothing to fail.
 * @param together  So many records, the last of them synchronous, become durable at a time.
 */
async function failOnce(plan: DiskFaultPlan, together: number): Promise<boolean> {
  const inner = recordingDisk();
  await inner.makeDirectory(dir);
  const disk = faultyDisk(inner, plan);
  const options: WalOptions = { disk, segmentBytes: 150, preallocateBytes: 64, reserveBytes: 64 };
  const [acked, refused] = [new Set<number>(), new Set<number>()];
  const wal = await openWal(dir, options).catch(() => undefined);
  const told = (value: number, error: unknown): void => {
    assert.ok(isLodeError(error));
    if (error.code !== 'LODE_WRITE_UNCERTAIN') refused.add(value);
  };
  const waiting: Promise<unknown>[] = [];
  for (const value of wal === undefined ? [] : upTo(10)) {
    try {
      if (value % together === 0) {
        wal?.appendSync(record(value));
        acked.add(value);
        continue;
      }
      const durable = wal?.append(record(value)).durable;
      const ended = durable?.then(
        () => acked.add(value),
        (error: unknown) => told(value, error),
      );
      waiting.push(Promise.resolve(ended));
    } catch (error) {
      told(value, error);
    }
  }
  await Promise.all(waiting);
  if (plan.on === 'write' && wal !== undefined) assert.equal(acked.size, 10 - refused.size);
  await wal?.close().catch((error: unknown) => assert.ok(isLodeError(error)));
  assert.equal(disk.retriedSyncs, 0);
  const last = await openWal(dir, { disk: inner, ...quiet });
  await last.close();
  const found = await contentOf(inner);
  for (const value of acked)
    assert.ok(found.includes(value), `${plan.on} ${plan.at}: lost ${value}`);
  for (const value of refused) assert.ok(!found.includes(value), `${plan.on} ${plan.at}: ${value}`);
  return disk.failures > 0;
}

describe('a synchronous append that overtakes', () => {
  it('acknowledges what waits for its sync, and closes no file that a call is under way on', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, segmentBytes: 400, ...quiet });
    wal.appendSync(record(1));
    held.hold('datasync');
    const first = wal.append(record(2));
    await settled();
    const second = wal.append(record(3));
    assert.equal(held.waiting, 1);
    const open = held.opened - held.closed;
    for (let value = 4; value < 20; value++) wal.appendSync(record(value));
    assert.ok(wal.segments().length > 2);
    await Promise.all([first.durable, second.durable]);
    // The one it waits on, besides the one that is written to: sealed long ago, and still open.
    assert.equal(held.opened - held.closed, open + 1);
    assert.equal(held.waiting, 1);
    held.release();
    await settled();
    assert.equal(held.opened - held.closed, open);
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(19));
  });

  it('syncs through a descriptor of its own: a failure told to the other one is not lost', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, ...quiet });
    wal.appendSync(record(1));
    held.hold('datasync');
    const waiting = wal.append(record(2));
    await settled();
    const opened = held.opened;
    wal.appendSync(record(3));
    wal.appendSync(record(4));
    assert.equal(held.opened, opened + 1);
    held.release(broken);
    await waiting.durable;
    await settled();
    assert.ok(isLodeError(wal.failure, 'LODE_POISONED'));
    await wal.close();
    await (await openWal(dir, { disk: held.disk, ...quiet })).close();
    assert.deepEqual(await contentOf(held.disk), upTo(4));
  });

  it('makes no second segment for a group that has made its own', async () => {
    const held = await heldDisk(dir);
    const wal = await openWal(dir, { disk: held.disk, segmentBytes: 300, ...quiet });
    wal.appendSync(record(1, 250));
    held.hold('datasync');
    const waiting = wal.append(record(2));
    // The seal, and the new segment without a record.
    for (let i = 0; i < 2; i++) {
      await settled();
      assert.equal(held.waiting, 1);
      held.release();
      held.hold('datasync');
    }
    await settled();
    const { opened } = held;
    wal.appendSync(record(3));
    assert.equal(held.opened, opened + 1);
    assert.equal(wal.segments().length, 2);
    held.release();
    await waiting.durable;
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(3));
  });

  it('does not come before a large write that it took over has ended', async () => {
    const { held, wal, large } = await withLargeWriteHeld({ preallocateBytes: 4096 });
    assert.equal(held.waiting, 1);
    wal.appendSync(record(3));
    const small = wal.append(record(4));
    assert.equal(wal.durableLsn, 3);
    const closing = wal.close();
    let isClosed = false;
    void closing.then(() => (isClosed = true));
    await settled();
    assert.equal(isClosed, false);
    held.release();
    await closing;
    await Promise.all([large.durable, small.durable]);
    assert.deepEqual(await contentOf(held.disk), upTo(4));
  });

  it('leaves alone what a large write that it took over still reads', async () => {
    const { held, wal, large } = await withLargeWriteHeld();
    // The seal.
    held.failNextWrite(full, 200);
    assert.throws(() => wal.rotateSync(), full);
    const small = wal.append(record(3));
    held.release();
    await Promise.all([large.durable, small.durable]);
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(3));
  });

  it('is not cut back when the write that it took over fails in the end', async () => {
    const { held, wal, large } = await withLargeWriteHeld();
    wal.appendSync(record(3));
    held.release(broken);
    await large.durable;
    await settled();
    wal.appendSync(record(4));
    await wal.close();
    assert.deepEqual(await contentOf(held.disk), upTo(4));
  });

  it('poisons the log when it fails to write what another call may still write', async () => {
    const { held, wal, large } = await withLargeWriteHeld();
    held.failNextWrite(full);
    // Never written, so not uncertain.
    assert.throws(
      () => wal.appendSync(record(3)),
      (error) => isLodeError(error, 'LODE_POISONED'),
    );
    await assert.rejects(large.durable, (error) => isLodeError(error, 'LODE_WRITE_UNCERTAIN'));
    assert.ok(isLodeError(wal.failure, 'LODE_POISONED'));
    held.release();
    await wal.close();
    await (await openWal(dir, { disk: held.disk, ...quiet })).close();
    assert.deepEqual(await contentOf(held.disk), upTo(2));
  });
});

describe('a journal with a sync for each event', () => {
  it('goes on in new segments while it takes snapshots, one event after another', async () => {
    const held = await heldDisk(dir);
    const journal = await openJournal<number[], number>(dir, {
      initial: () => [],
      apply: (state, event) => [...state, event],
      durability: 'each',
      snapshot: { everyRecords: 7, keep: 1 },
      segmentBytes: 300,
      disk: held.disk,
    });
    for (let value = 1; value <= 60; value += 3) {
      const three = [value, value + 1, value + 2].map((event) => journal.append(event));
      assert.equal(journal.lsn, value + 2);
      await Promise.all(three);
    }
    await journal.snapshot();
    assert.equal(journal.snapshotFailure, undefined);
    assert.deepEqual((await journal.verify()).problems, []);
    await journal.close();
    const again = await openJournal<number[], number>(dir, {
      initial: () => [],
      apply: (state, event) => [...state, event],
      disk: held.disk,
    });
    assert.deepEqual(again.state, upTo(60));
    assert.equal(again.recovery.replayed, 0);
    await again.close();
  });
});
