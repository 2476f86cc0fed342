/** At risk: what goes into a log comes out of it, in order, once, and only when it is durable. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../../src/disk/disk.ts';
import { inspectWal, recordBytesMax } from '../../../src/journal.ts';
import type { Wal, WalRecord } from '../../../src/journal.ts';
import { isLodeError } from '../../../src/errors.ts';
import { faultyDisk, memoryDisk, recordingDisk } from '../../../src/testing/index.ts';
import { dir, emptyDisk, openSmall } from '../../journal/sample.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function read(wal: Wal, from?: number): Promise<string[]> {
  const found: string[] = [];
  const options = from === undefined ? {} : { from };
  for await (const { lsn, bytes } of wal.cursor(options)) {
    found.push(`${lsn}:${new TextDecoder().decode(bytes)}`);
  }
  return found;
}

describe('a log', () => {
  it('gives back what was appended, after reopening too', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    assert.equal(wal.nextLsn, 1);
    const first = wal.append(text('a'));
    const second = wal.append([text('b'), text('c')]);
    assert.deepEqual([first.lsn, second.lsn, wal.durableLsn, wal.nextLsn], [1, 2, 0, 3]);
    await second.durable;
    assert.equal(wal.durableLsn, 2);
    assert.deepEqual(await read(wal), ['1:a', '2:bc']);
    await wal.close();
    const again = await openSmall(disk);
    assert.equal(again.recovery.action, 'none');
    assert.deepEqual(await read(again), ['1:a', '2:bc']);
    await again.append(text('d')).durable;
    assert.deepEqual(await read(again, 2), ['2:bc', '3:d']);
    await again.close();
    const third = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(third), ['1:a', '2:bc', '3:d']);
    await third.close();
  });

  it('takes records of every length around the ends of pages', async () => {
    const disk = await emptyDisk();
    let wal = await openSmall(disk, { segmentBytes: 200_000 });
    const lengths: number[] = [];
    for (let i = 0; i < 60; i++) lengths.push(i, 32_768 - 11 - 5 - 30 + i, 65_536 - 40 + i);
    lengths.push(0, 1_000_000);
    let last = wal.append(new Uint8Array(0));
    for (const [i, length] of lengths.entries()) {
      last = wal.append(new Uint8Array(length).fill(i + 1));
      if (i % 7 === 0) await last.durable;
    }
    await last.durable;
    for (let round = 0; round < 2; round++) {
      let count = 0;
      for await (const { bytes } of wal.cursor({ from: 2 })) {
        assert.equal(bytes.length, lengths[count]);
        assert.ok(bytes.every((byte) => byte === ((count + 1) & 0xff)));
        count++;
      }
      assert.equal(count, lengths.length);
      assert.ok(wal.segments().length > 3);
      await wal.close();
      wal = await openSmall(disk, { recovery: 'strict' });
    }
    await wal.close();
  });

  it('shares one write and one sync among all that wait', async () => {
    const disk = faultyDisk(await emptyDisk());
    const wal = await openSmall(disk);
    await wal.append(text('first')).durable;
    const before = disk.calls.sync;
    const writers = Array.from({ length: 64 }, async (_, writer) => {
      for (let i = 0; i < 10; i++) await wal.append(text(`${writer}/${i}`)).durable;
    });
    await Promise.all(writers);
    assert.equal(wal.durableLsn, 641);
    assert.ok(disk.calls.sync - before <= 11, `${disk.calls.sync - before} syncs`);
    await wal.close();
  });

  it('appends synchronously, among other appends too', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    assert.equal(wal.appendSync(text('a')), 1);
    const waiting = wal.append(text('b'));
    assert.equal(wal.appendSync(text('c')), 3);
    assert.equal(wal.durableLsn, 3);
    await waiting.durable;
    await wal.append(text('d')).durable;
    await wal.close();
    const again = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(again), ['1:a', '2:b', '3:c', '4:d']);
    await again.close();
  });

  it('follows its tail until it is closed', async () => {
    const wal = await openSmall(await emptyDisk(), { segmentBytes: 300 });
    const seen: number[] = [];
    const following = (async (): Promise<void> => {
      for await (const { lsn } of wal.cursor({ follow: true })) seen.push(lsn);
    })();
    for (let i = 0; i < 20; i++) await wal.append(new Uint8Array(40)).durable;
    await wal.close();
    await following;
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it('shows nothing that is not durable', async () => {
    const disk = await emptyDisk();
    let isSlow = false;
    let [begun, sync] = [(): void => {}, (): void => {}];
    const waiting = new Promise<void>((resolve) => (begun = resolve));
    const released = new Promise<void>((resolve) => (sync = resolve));
    const openSync = disk.openSync.bind(disk);
    disk.openSync = (...of) => {
      const file = openSync(...of);
      const datasync = file.datasync.bind(file);
      file.datasync = async () => {
        if (isSlow) begun();
        if (isSlow) await released;
        return datasync();
      };
      return file;
    };
    const wal = await openSmall(disk);
    await wal.append(text('a')).durable;
    isSlow = true;
    const { durable } = wal.append(text('b'));
    await waiting;
    assert.deepEqual([await read(wal), wal.durableLsn, wal.nextLsn], [['1:a'], 1, 3]);
    sync();
    await durable;
    assert.deepEqual(await read(wal), ['1:a', '2:b']);
    await wal.close();
  });

  it('stops following when told to', async () => {
    const wal = await openSmall(await emptyDisk());
    const stop = new AbortController();
    const reason = new RangeError('enough');
    const next = wal.cursor({ follow: true, signal: stop.signal }).next();
    stop.abort(reason);
    await assert.rejects(next, reason);
    await wal.close();
  });

  it('lets go of segments that nobody needs', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk, { segmentBytes: 200 });
    for (let i = 0; i < 20; i++) await wal.append(new Uint8Array(40).fill(i)).durable;
    const before = wal.segments();
    assert.ok(before.length > 4);
    assert.ok((await wal.release(10)) > 0);
    assert.ok(wal.firstLsn > 1 && wal.firstLsn <= 10);
    await assert.rejects(read(wal, 1), (error) => isLodeError(error, 'LODE_NOT_FOUND'));
    await wal.rotate();
    await wal.release(21);
    assert.equal(wal.segments().length, 1);
    assert.equal(wal.nextLsn, 21);
    await wal.close();
    const again = await openSmall(disk, { recovery: 'strict' });
    assert.equal(again.nextLsn, 21);
    await again.append(text('x')).durable;
    assert.deepEqual(await read(again), ['21:x']);
    await again.close();
    // Where nobody writes, too, the last segment stays: it says which LSN comes next.
    const idle = await openSmall(disk);
    await idle.release(22);
    assert.equal(idle.segments().length, 1);
    await idle.close();
    const last = await openSmall(disk);
    assert.equal(last.nextLsn, 22);
    await last.close();
  });

  it('removes what a crash left unfinished, and tells of it before', async () => {
    const disk = await emptyDisk();
    const names = ['wal-00000000000000000001.log.tmp', 'reserve.tmp'];
    for (const name of names) await (await disk.open(`${dir}/${name}`, 'create')).close();
    assert.deepEqual([...(await inspectWal(dir, { disk })).leftovers].sort(), names.toSorted());
    const wal = await openSmall(disk);
    await wal.close();
    const left = (await disk.list(dir)).map(({ name }) => name);
    assert.deepEqual(left.sort(), ['lock', 'owner']);
  });

  it('goes on above a snapshot that is newer than the log', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    await wal.append(text('a')).durable;
    await wal.close();
    const after = await openSmall(disk, { after: 10 });
    assert.equal(after.nextLsn, 11);
    await after.append(text('b')).durable;
    assert.deepEqual(await read(after, 11), ['11:b']);
    await after.close();
    const again = await openSmall(disk, { after: 10, recovery: 'strict' });
    assert.deepEqual(await read(again, 11), ['11:b']);
    await again.close();
    await assert.rejects(openSmall(disk, { after: 5 }), (error) =>
      isLodeError(error, 'LODE_TRUNCATED'),
    );
  });

  it('visits what it recovers', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk, { segmentBytes: 100 });
    for (let i = 0; i < 5; i++) await wal.append(text(`r${i}`)).durable;
    await wal.close();
    const seen: [number, string][] = [];
    const visit = ({ lsn, bytes }: WalRecord): void =>
      void seen.push([lsn, new TextDecoder().decode(bytes)]);
    await (await openSmall(disk, { visit })).close();
    assert.deepEqual(
      seen,
      Array.from({ length: 5 }, (_, i) => [i + 1, `r${i}`]),
    );
  });
});

describe('a log refuses', () => {
  it('a second opener, and names the first', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    await assert.rejects(openSmall(disk), (error) => {
      assert.ok(isLodeError(error, 'LODE_LOCKED'));
      assert.match(String(error.details.actual), new RegExp(`process ${process.pid} on `));
      return true;
    });
    await wal.close();
    await (await openSmall(disk)).close();
  });

  it('a segment cut within its header, unless the log ends there', async () => {
    const disk = await emptyDisk();
    for (const value of ['a', 'b']) {
      const wal = await openSmall(disk);
      await wal.append(text(value)).durable;
      await wal.close();
    }
    const cut = async (name: string): Promise<void> => {
      const file = await disk.open(`${dir}/${name}`, 'write');
      await file.truncate(40);
      await file.close();
    };
    await cut('wal-00000000000000000002.log');
    assert.equal((await inspectWal(dir, { disk })).damage?.isTorn, true);
    await cut('wal-00000000000000000001.log');
    await assert.rejects(openSmall(disk), (error) => isLodeError(error, 'LODE_TRUNCATED'));
  });

  it('appends after it was closed', async () => {
    const wal = await openSmall(await emptyDisk());
    await wal.close();
    await wal.close();
    const closed = (error: unknown): boolean => isLodeError(error, 'LODE_CLOSED');
    assert.throws(() => wal.append(text('x')), closed);
    assert.throws(() => wal.appendSync(text('x')), closed);
  });

  it('records beyond the limit', async () => {
    const wal = await openSmall(await emptyDisk());
    const half = new Uint8Array(recordBytesMax / 2);
    assert.throws(
      () => wal.append([half, half, new Uint8Array(1)]),
      (error) => isLodeError(error, 'LODE_LIMIT_EXCEEDED'),
    );
    assert.equal(wal.nextLsn, 1);
    const whole = wal.append([half, half]);
    await whole.durable;
    for await (const { bytes } of wal.cursor()) assert.equal(bytes.length, recordBytesMax);
    await wal.close();
  });

  it('a directory that is not there, and the log of another journal', async () => {
    const disk = memoryDisk();
    await assert.rejects(openSmall(disk), (error) => isLodeError(error, 'LODE_NOT_FOUND'));
    await disk.makeDirectory(dir);
    const wal = await openSmall(disk, { journalId: '0'.repeat(32) });
    await wal.append(text('a')).durable;
    await wal.close();
    await assert.rejects(openSmall(disk, { journalId: '1'.repeat(32) }), (error) =>
      isLodeError(error, 'LODE_INVALID_ARGUMENT'),
    );
  });

  it('to acknowledge once another writer has taken over', async () => {
    const disk = await emptyDisk();
    // Locks that do not work.
    const unlocked = Object.assign(Object.create(disk) as Disk, {
      tryLock: async () => ({ release: async () => {} }),
    });
    const proxy: Disk = new Proxy(disk, {
      get: (target, name) => {
        if (name === 'tryLock') return unlocked.tryLock;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const old = await openSmall(proxy);
    await old.append(text('a')).durable;
    const taker = await openSmall(proxy);
    await assert.rejects(old.append(text('b')).durable, (error) =>
      isLodeError(error, 'LODE_FENCED'),
    );
    assert.throws(
      () => old.append(text('c')),
      (error) => isLodeError(error, 'LODE_FENCED'),
    );
    await taker.append(text('d')).durable;
    await old.close();
    await taker.close();
    const third = await openSmall(proxy);
    assert.deepEqual(await read(third), ['1:a', '2:d']);
    await third.close();
  });
});

describe('a failing disk', () => {
  it('that is full fails the append, and the log goes on when there is room', async () => {
    const recording = recordingDisk();
    await recording.makeDirectory(dir);
    const faults = { on: 'write', at: 6, kind: 'ENOSPC', times: 'once' } as const;
    const disk = faultyDisk(recording, faults);
    const wal = await openSmall(disk, { preallocateBytes: 0 });
    const outcomes: string[] = [];
    for (let i = 0; i < 8; i++) {
      await wal.append(text(`r${i}`)).durable.then(
        () => outcomes.push('ok'),
        (error) => outcomes.push(isLodeError(error) ? error.code : String(error)),
      );
    }
    assert.deepEqual(
      outcomes.filter((outcome) => outcome !== 'ok'),
      ['LODE_STORAGE_FULL'],
    );
    assert.equal(wal.durableLsn, 7);
    await wal.close();
    const again = await openSmall(recording, { recovery: 'strict' });
    assert.equal((await read(again)).length, 7);
    await again.close();
  });

  it('whose sync fails poisons the log; opening it again settles the write', async () => {
    const recording = recordingDisk();
    await recording.makeDirectory(dir);
    const clean = faultyDisk(recording);
    const first = await openSmall(clean);
    await first.append(text('a')).durable;
    const at = clean.calls.sync;
    await first.close();
    const disk = faultyDisk(recording, { on: 'sync', at: 6, kind: 'EIO', times: 'once' });
    assert.ok(at > 0);
    const wal = await openSmall(disk);
    let failure: unknown;
    for (let i = 0; i < 8 && failure === undefined; i++) {
      await wal.append(text(`r${i}`)).durable.catch((error: unknown) => {
        failure = error;
      });
    }
    assert.ok(isLodeError(failure, 'LODE_WRITE_UNCERTAIN'));
    const { resolve } = failure.details;
    await assert.rejects(resolve(), (error) => isLodeError(error, 'LODE_UNAVAILABLE'));
    assert.throws(
      () => wal.append(text('x')),
      (error) => isLodeError(error, 'LODE_POISONED'),
    );
    await wal.close();
    const again = await openSmall(recording);
    assert.match(await resolve(), /landed/);
    await again.close();
    assert.equal(disk.retriedSyncs, 0);
  });
});
