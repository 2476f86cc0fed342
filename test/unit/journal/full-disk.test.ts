/** At risk: a disk without room. Nothing acknowledged is lost, nothing refused comes back, and the log goes on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import { openWal, writeSnapshot } from '../../../src/journal.ts';
import type { Wal } from '../../../src/journal.ts';
import { memoryDisk } from '../../../src/testing/index.ts';

const dir = '/log';
const kilobyte = new Uint8Array(1000).fill(7);
const full = (error: unknown): boolean => isLodeError(error, 'LODE_STORAGE_FULL');

/** A disk with so much room for content; names cost nothing. A write that does not fit leaves what does. */
function smallDisk(room: { left: number }): Disk {
  const disk = memoryDisk();
  // By name, and kept by whoever has the file open under an earlier one.
  const sizes = new Map<string, { bytes: number }>();
  const wrapped = (file: DiskFile, path: string): DiskFile => {
    const size = sizes.get(path) ?? { bytes: 0 };
    sizes.set(path, size);
    const write = (bytes: Uint8Array, position: number): void => {
      const wanted = Math.max(0, position + bytes.length - size.bytes);
      const taken = Math.min(wanted, room.left);
      room.left -= taken;
      size.bytes += taken;
      file.writeSync(bytes.subarray(0, bytes.length - (wanted - taken)), position);
      if (taken < wanted) throw new LodeError('LODE_STORAGE_FULL', 'no space', { key: path });
    };
    const truncate = (to: number): void => {
      room.left += Math.max(0, size.bytes - to);
      size.bytes = Math.min(size.bytes, to);
      file.truncateSync(to);
    };
    return {
      read: (into, position) => file.read(into, position),
      write: async (bytes, position) => write(bytes, position),
      truncate: async (to) => truncate(to),
      datasync: () => file.datasync(),
      info: () => file.info(),
      setModified: (ns) => file.setModified(ns),
      close: () => file.close(),
      readSync: (into, position) => file.readSync(into, position),
      writeSync: write,
      truncateSync: truncate,
      datasyncSync: () => file.datasyncSync(),
      closeSync: () => file.closeSync(),
    };
  };
  const forget = (path: string): void => {
    room.left += sizes.get(path)?.bytes ?? 0;
    sizes.delete(path);
  };
  const rename = (from: string, to: string): void => {
    disk.renameSync(from, to);
    forget(to);
    sizes.set(to, sizes.get(from) ?? { bytes: 0 });
    sizes.delete(from);
  };
  return {
    lockScope: disk.lockScope,
    open: async (path, mode) => wrapped(disk.openSync(path, mode), path),
    openSync: (path, mode) => wrapped(disk.openSync(path, mode), path),
    rename: async (from, to) => rename(from, to),
    renameSync: rename,
    async unlink(path) {
      await disk.unlink(path);
      forget(path);
    },
    link: (from, to) => disk.link(from, to),
    makeDirectory: (path) => disk.makeDirectory(path),
    removeDirectory: (path) => disk.removeDirectory(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    list: (path) => disk.list(path),
    info: (path) => disk.info(path),
    tryLock: (path) => disk.tryLock(path),
    syncDirectorySync: (path) => disk.syncDirectorySync(path),
    infoSync: (path) => disk.infoSync(path),
  };
}

async function opened(room: { left: number }): Promise<{ disk: Disk; wal: Wal }> {
  const disk = smallDisk(room);
  await disk.makeDirectory(dir);
  return { disk, wal: await openWal(dir, { disk, preallocateBytes: 2000, reserveBytes: 3000 }) };
}

async function count(wal: Wal): Promise<number> {
  let records = 0;
  for await (const { lsn, bytes } of wal.cursor()) {
    assert.equal(lsn, ++records);
    assert.deepEqual(bytes, kilobyte);
  }
  return records;
}

describe('a full disk', () => {
  for (const how of ['append', 'appendSync'] as const) {
    it(`fails ${how}, keeps what was acknowledged, and is no obstacle to closing`, async () => {
      const room = { left: 20_000 };
      const { disk, wal } = await opened(room);
      const append = async (): Promise<void> => {
        if (how === 'append') await wal.append(kilobyte).durable;
        else wal.appendSync(kilobyte);
      };
      let acknowledged = 0;
      await assert.rejects(async () => {
        for (;;) {
          await append();
          acknowledged++;
        }
      }, full);
      assert.ok(acknowledged > 10);
      await assert.rejects(append, full);
      assert.equal(await count(wal), acknowledged);
      // Space comes back, and is gone again.
      room.left += 1500;
      await append();
      await assert.rejects(append, full);
      assert.equal(await count(wal), acknowledged + 1);
      room.left = 0;
      await wal.close();
      const again = await openWal(dir, { disk, recovery: 'strict' });
      assert.equal(await count(again), acknowledged + 1);
      await again.close();
    });
  }

  it('loses no room to a reserve that does not fit', async () => {
    const room = { left: 2500 };
    const disk = smallDisk(room);
    await disk.makeDirectory(dir);
    const wal = await openWal(dir, { disk, preallocateBytes: 0, reserveBytes: 3000 });
    await wal.append(kilobyte).durable;
    wal.appendSync(kilobyte);
    assert.equal(await wal.spendReserve(), false);
    await wal.close();
    const again = await openWal(dir, { disk, recovery: 'strict' });
    assert.equal(await count(again), 2);
    await again.close();
  });

  it('opens after a kill, and holds nothing that was refused', async () => {
    const room = { left: 12_000 };
    const { disk, wal } = await opened(room);
    let acknowledged = 0;
    await assert.rejects(async () => {
      for (; ; acknowledged++) await wal.append(kilobyte).durable;
    }, full);
    room.left = 0;
    const left = Object.assign(disk, { tryLock: async () => ({ release: async () => {} }) });
    const again = await openWal(dir, { disk: left, preallocateBytes: 0, reserveBytes: 0 });
    assert.equal(await count(again), acknowledged);
    await again.close();
  });

  it('takes one more snapshot from the reserve', async () => {
    const room = { left: 12_000 };
    const { disk, wal } = await opened(room);
    await assert.rejects(async () => {
      for (;;) await wal.append(kilobyte).durable;
    }, full);
    const { journalId, durableLsn: lsn } = wal;
    const facts = { journalId, lsn, timeMs: 0, codec: '', version: '', disk };
    const state = [new Uint8Array(2000)];
    room.left = 0;
    await assert.rejects(writeSnapshot(dir, state, facts), full);
    assert.equal(await wal.spendReserve(), true);
    await writeSnapshot(dir, state, facts);
    assert.equal(await wal.spendReserve(), false);
    await wal.close().catch((error: unknown) => assert.ok(full(error)));
  });
});
