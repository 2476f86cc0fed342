/** At risk: readers that miss records or fail while the log is released, and a release that stays stuck after a failed sync. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../../src/disk/disk.ts';
import { LodeError } from '../../../src/errors.ts';
import { openWal } from '../../../src/journal.ts';
import type { Wal } from '../../../src/journal.ts';
import { recordingDisk } from '../../../src/testing/index.ts';
import { settled } from './held-disk.ts';
import { hooked } from './hooked.ts';

const dir = '/log';
const quiet = { preallocateBytes: 0, reserveBytes: 0 };
const record = (value: number): Uint8Array => new Uint8Array(20).fill(value);

async function lsnsIn(wal: Wal): Promise<number[]> {
  const lsns: number[] = [];
  for await (const { lsn } of wal.cursor()) lsns.push(lsn);
  return lsns;
}

/** A log of five segments with a record each. */
async function openFive(calls: (disk: Disk) => Partial<Disk>): Promise<Wal> {
  const inner = recordingDisk();
  await inner.makeDirectory(dir);
  const wal = await openWal(dir, { disk: hooked(inner, calls(inner)), segmentBytes: 1, ...quiet });
  for (let value = 1; value <= 5; value++) wal.appendSync(record(value));
  return wal;
}

describe('a reader', () => {
  it('that follows a new log from its beginning sees what waits to become durable', async () => {
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    const wal = await openWal(dir, { disk, ...quiet });
    const first = wal.append(record(1));
    assert.equal(wal.firstLsn, 1);
    const follower = wal.cursor({ follow: true });
    const next = follower.next();
    await first.durable;
    assert.equal((await next).value?.lsn, 1);
    await follower.return();
    await wal.close();
  });

  it('begins behind what is being released', async () => {
    let letGo = (): void => {};
    const wal = await openFive((inner) => ({
      async syncDirectory(path) {
        await new Promise<void>((resolve) => (letGo = resolve));
        await inner.syncDirectory(path);
      },
    }));
    const releasing = wal.release(2);
    await settled();
    assert.deepEqual(await lsnsIn(wal), [2, 3, 4, 5]);
    assert.equal(wal.firstLsn, 2);
    letGo();
    assert.equal(await releasing, 1);
    await wal.close();
  });

  it('begins with the next segment when the first goes before it is opened', async () => {
    let isSlow = false;
    const wal = await openFive((inner) => ({
      async open(path, mode) {
        if (isSlow) await settled();
        return inner.open(path, mode);
      },
    }));
    isSlow = true;
    const reading = lsnsIn(wal);
    await wal.release(3);
    assert.deepEqual(await reading, [3, 4, 5]);
    await wal.close();
  });
});

describe('a release', () => {
  it('goes on after a failed sync with that sync: two deletions could leave a gap', async () => {
    let fails = true;
    const calls: string[] = [];
    const wal = await openFive((inner) => ({
      async unlink(path) {
        calls.push('unlink');
        await inner.unlink(path);
      },
      async syncDirectory(path) {
        calls.push('sync');
        if (fails) throw new LodeError('LODE_UNAVAILABLE', 'input/output error', {});
        await inner.syncDirectory(path);
      },
    }));
    await assert.rejects(wal.release(4));
    assert.deepEqual(await lsnsIn(wal), [2, 3, 4, 5]);
    await assert.rejects(wal.release(4));
    assert.deepEqual(calls, ['unlink', 'sync', 'sync']);
    fails = false;
    assert.equal(await wal.release(4), 2);
    assert.deepEqual(calls.slice(3), ['sync', 'unlink', 'sync', 'unlink', 'sync']);
    assert.deepEqual(await lsnsIn(wal), [4, 5]);
    await wal.close();
  });

  it('keeps the last segment, which says where the log is, when the next one cannot be made', async () => {
    let letGo = (): void => {};
    let isFull = false;
    const inner = recordingDisk();
    await inner.makeDirectory(dir);
    const disk = hooked(inner, {
      openSync(path, mode) {
        if (isFull) throw new LodeError('LODE_STORAGE_FULL', 'no room', {});
        return inner.openSync(path, mode);
      },
      async unlink(path) {
        await new Promise<void>((resolve) => (letGo = resolve));
        await inner.unlink(path);
      },
    });
    const wal = await openWal(dir, { disk, segmentBytes: 1, ...quiet });
    wal.appendSync(record(1));
    wal.appendSync(record(2));
    const releasing = wal.release(3);
    await settled();
    isFull = true;
    assert.throws(() => wal.appendSync(record(3)));
    letGo();
    assert.equal(await releasing, 1);
    await wal.close();
    const again = await openWal(dir, { disk: inner, ...quiet });
    assert.equal(again.nextLsn, 3);
    await again.close();
  });

  it('has ended before the log is closed, and others have it', async () => {
    let letGo = (): void => {};
    const wal = await openFive((inner) => ({
      async unlink(path) {
        await new Promise<void>((resolve) => (letGo = resolve));
        await inner.unlink(path);
      },
    }));
    const releasing = wal.release(2);
    let isClosed = false;
    await settled();
    const closing = wal.close().then(() => (isClosed = true));
    await settled();
    assert.equal(isClosed, false);
    letGo();
    assert.equal(await releasing, 1);
    await closing;
  });
});
