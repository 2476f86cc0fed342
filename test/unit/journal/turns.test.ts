/** At risk: records of a log when its calls, its owners or its segments meet in an order that nobody planned. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import type { Wal } from '../../../src/journal.ts';
import { heldDisk, settled } from './held-disk.ts';
import { hooked, noLocks } from './hooked.ts';
import { dir, emptyDisk, openSmall } from '../../journal/sample.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function read(wal: Wal): Promise<string[]> {
  const records: string[] = [];
  for await (const { lsn, bytes } of wal.cursor()) {
    records.push(`${lsn}:${new TextDecoder().decode(bytes)}`);
  }
  return records;
}

/** Fails rather than to let a loop that never waits stop everything. */
function impatient(disk: Disk): Disk {
  let calls = 0;
  const count = (): void => {
    if (++calls > 200) throw new RangeError('this does not end');
  };
  return hooked(disk, {
    open: async (path, mode) => {
      count();
      return disk.open(path, mode);
    },
    openSync: (path, mode) => {
      count();
      return disk.openSync(path, mode);
    },
  });
}

/** Keeps `files` as those that are open. */
function counted(files: Set<DiskFile>, file: DiskFile): Partial<DiskFile> {
  files.add(file);
  const closeSync = (): void => {
    files.delete(file);
    file.closeSync();
  };
  return { closeSync, close: async () => closeSync() };
}

async function pause(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
}

/** After everything that waits for nothing outside. */
function later(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('a log whose calls meet', () => {
  it('leaves nothing of a segment that was begun while it closes', async () => {
    const files = new Set<DiskFile>();
    const wal = await openSmall(hooked(await emptyDisk(), {}, (file) => counted(files, file)));
    await wal.append(text('a')).durable;
    const rotated = wal.rotate().catch(() => {});
    await wal.close();
    await rotated;
    assert.equal(files.size, 0);
  });

  it('leaves no file open of a reserve that could not be made', async () => {
    const files = new Set<DiskFile>();
    const fail = (): never => {
      throw new LodeError('LODE_UNAVAILABLE', 'EIO', {});
    };
    const disk = hooked(await emptyDisk(), {}, (file, path) => ({
      ...counted(files, file),
      ...(path.includes('reserve') && { writeSync: fail, truncateSync: fail }),
    }));
    const wal = await openSmall(disk, { reserveBytes: 100 });
    await wal.append(text('a')).durable;
    await wal.close();
    assert.equal(files.size, 0);
  });

  it('releases in turn', async () => {
    const wal = await openSmall(await emptyDisk(), { segmentBytes: 128 });
    for (let i = 0; i < 20; i++) await wal.append(new Uint8Array(60)).durable;
    const counts = await Promise.all([wal.release(10), wal.release(15), wal.release(10)]);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      14,
    );
    assert.equal(wal.firstLsn, 15);
    await wal.close();
  });

  it('appends to no segment that could not be closed', async () => {
    const inner = await emptyDisk();
    let fails = false;
    const disk = hooked(inner, {}, (file, path) => ({
      closeSync: () => {
        file.closeSync();
        if (!fails || !path.includes('wal-')) return;
        fails = false;
        throw new LodeError('LODE_UNAVAILABLE', 'EIO', {});
      },
    }));
    const wal = await openSmall(disk, { segmentBytes: 128 });
    await wal.append(new Uint8Array(60)).durable;
    fails = true;
    await assert.rejects(wal.append(text('refused')).durable);
    await wal.append(text('taken')).durable;
    await wal.close();
    const again = await openSmall(inner, { recovery: 'strict' });
    assert.equal((await read(again)).at(-1), '2:taken');
    await again.close();
  });

  it('begins anew only once above a snapshot', async () => {
    const disk = impatient(await emptyDisk());
    const first = await openSmall(disk);
    await first.append(text('old')).durable;
    await first.close();
    const wal = await openSmall(disk, { after: 100, segmentBytes: 128 });
    const one = wal.append(text('x'.repeat(200)));
    while (wal.segments().length < 2) await Promise.resolve();
    await Promise.all([one.durable, wal.append(text('y')).durable]);
    assert.deepEqual((await read(wal)).at(-1), '102:y');
    await wal.close();
    for (const after of [0, 100]) {
      const again = await openSmall(disk, { recovery: 'strict', ...(after > 0 && { after }) });
      assert.equal((await read(again)).length, 2);
      await again.close();
    }
  });

  it('begins anew once more when the segment that did has no records', async () => {
    const disk = await emptyDisk();
    const first = await openSmall(disk);
    await first.append(text('old')).durable;
    await first.close();
    for (const act of [(wal: Wal) => wal.rotate(), (wal: Wal) => wal.append(text('new')).durable]) {
      const wal = await openSmall(disk, { after: 100 });
      await act(wal);
      await wal.close();
    }
    const again = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(again), ['101:new']);
    await again.close();
  });

  it('rotates whenever it is asked to, and never past a segment without records', async () => {
    for (let ticks = 0; ticks < 8; ticks++) {
      for (let more = 0; more < 8; more++) {
        const disk = await emptyDisk();
        const wal = await openSmall(disk);
        await wal.append(text('a')).durable;
        const { durable } = wal.append(text('b'));
        await pause(ticks);
        const rotated = wal.rotate();
        await pause(more);
        wal.appendSync(text('c'));
        await pause(1);
        await Promise.all([durable, rotated, wal.rotate()]);
        await wal.append(text('d')).durable;
        await wal.close();
        const again = await openSmall(disk, { recovery: 'strict' });
        assert.deepEqual(await read(again), ['1:a', '2:b', '3:c', '4:d'], `${ticks}, ${more}`);
        await again.close();
      }
    }
  });

  it('stops following whenever it is told to', async () => {
    for (let ticks = 0; ticks < 60; ticks++) {
      const wal = await openSmall(await emptyDisk());
      await wal.append(text('a')).durable;
      const stop = new AbortController();
      const following = (async (): Promise<void> => {
        for await (const { lsn } of wal.cursor({ follow: true, signal: stop.signal })) void lsn;
      })();
      await pause(ticks);
      stop.abort(new RangeError('enough'));
      await assert.rejects(Promise.race([following, later()]), RangeError, `${ticks} ticks`);
      await wal.close();
    }
  });

  it('makes one segment, not one after another, when they are short', async () => {
    const wal = await openSmall(impatient(await emptyDisk()), { segmentBytes: 0 });
    assert.equal(wal.appendSync(text('a')), 1);
    assert.equal(wal.appendSync(text('b')), 2);
    await wal.close();
  });

  it('says so when a segment that no recovery has read is missing, and does not look for it for ever', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk, { segmentBytes: 128 });
    for (let i = 0; i < 6; i++) await wal.append(new Uint8Array(60)).durable;
    await wal.close();
    const { name = '' } = wal.segments()[1] ?? {};
    await disk.unlink(`${dir}/${name}`);
    const again = await openSmall(impatient(disk), { after: 5 });
    await assert.rejects(read(again), (error) => isLodeError(error, 'LODE_TRUNCATED'));
    await again.close();
  });

  it('reads segments that no recovery has read as far as the next one begins', async () => {
    const disk = await emptyDisk();
    for (const value of ['a', 'b']) {
      const wal = await openSmall(disk);
      await wal.append(text(value)).durable;
      await wal.close();
    }
    const file = await disk.open(`${dir}/wal-${'1'.padStart(20, '0')}.log`, 'write');
    const { size } = await file.info();
    // Half of the seal, and room that was made ahead: what a power loss leaves of them after a failed sync.
    await file.write(new Uint8Array(500), size - 10);
    await file.close();
    const again = await openSmall(disk, { after: 1 });
    assert.deepEqual(await read(again), ['1:a', '2:b']);
    await again.close();
  });

  it('reads what it follows once', async () => {
    let bytesRead = 0;
    const disk = hooked(await emptyDisk(), {}, (file, path) => ({
      read: async (into, position) => {
        const count = await file.read(into, position);
        if (path.includes('wal-')) bytesRead += count;
        return count;
      },
    }));
    const wal = await openSmall(disk);
    const following = (async (): Promise<number> => {
      let records = 0;
      for await (const record of wal.cursor({ follow: true })) records += record.lsn > 0 ? 1 : 0;
      return records;
    })();
    for (let i = 0; i < 100; i++) await wal.append(new Uint8Array(1000)).durable;
    await wal.close();
    assert.equal(await following, 100);
    assert.ok(bytesRead < 300_000, `${bytesRead} bytes`);
  });
});

describe('two owners of a log whose locks do not work', () => {
  it('do not replace each other’s segments', async () => {
    const disk = hooked(await emptyDisk(), noLocks);
    const old = await openSmall(disk);
    const taker = await openSmall(disk);
    await taker.append(text('kept')).durable;
    await assert.rejects(old.append(text('late')).durable, (error) =>
      isLodeError(error, 'LODE_FENCED'),
    );
    await taker.append(text('kept, too')).durable;
    await Promise.all([old.close(), taker.close()]);
    const third = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(third), ['1:kept', '2:kept, too']);
    await third.close();
  });

  it('do not write into each other’s segments, by whatever name they open them again', async () => {
    const held = await heldDisk(dir);
    const disk = hooked(held.disk, noLocks);
    const old = await openSmall(disk);
    held.hold('write', '.log.1.tmp');
    const large = old.append(new Uint8Array(3 << 20));
    await settled();
    assert.equal(held.waiting, 1);
    const taker = await openSmall(disk);
    taker.appendSync(text('kept'));
    assert.throws(
      () => old.appendSync(text('late')),
      (error) => isLodeError(error, 'LODE_FENCED'),
    );
    held.release();
    await assert.rejects(large.durable, (error) => isLodeError(error, 'LODE_FENCED'));
    await Promise.all([old.close(), taker.close()]);
    const third = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(third), ['1:kept']);
    await third.close();
  });

  it('are told by the note of the directory they began in', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    await wal.append(text('a')).durable;
    await disk.rename(dir, '/moved');
    await disk.makeDirectory(dir);
    const other = await openSmall(disk);
    await other.append(text('b')).durable;
    await assert.rejects(wal.rotate(), (error) => isLodeError(error, 'LODE_FENCED'));
    await Promise.all([wal.close(), other.close()]);
    const again = await openSmall(disk, { recovery: 'strict' });
    assert.deepEqual(await read(again), ['1:b']);
    await again.close();
  });

  it('open whatever the note says', async () => {
    for (const note of ['null', '5', '', '{"epoch":9007199254740991,"holder":"x"}']) {
      const disk = await emptyDisk();
      const file = await disk.open(`${dir}/owner`, 'create');
      await file.write(text(note), 0);
      await file.close();
      const wal = await openSmall(disk);
      await wal.append(text('a')).durable;
      await wal.close();
      const again = await openSmall(disk, { recovery: 'strict' });
      assert.deepEqual(await read(again), ['1:a'], note);
      await again.close();
    }
  });

  it('do not call a write refused that may count, when the note cannot be read', async () => {
    const inner = await emptyDisk();
    let fails = false;
    const disk = hooked(inner, {}, (file, path) => ({
      readSync: (into, position) => {
        if (fails && path.endsWith('owner')) throw new LodeError('LODE_UNAVAILABLE', 'EIO', {});
        return file.readSync(into, position);
      },
    }));
    const wal = await openSmall(disk);
    await wal.append(text('a')).durable;
    fails = true;
    const failure: unknown = await wal.append(text('b')).durable.catch((error: unknown) => error);
    assert.ok(isLodeError(failure, 'LODE_WRITE_UNCERTAIN'), String(failure));
    await wal.close();
    const again = await openSmall(inner);
    assert.equal(await failure.details.resolve(), 'landed');
    assert.deepEqual(await read(again), ['1:a', '2:b']);
    await again.close();
  });
});
