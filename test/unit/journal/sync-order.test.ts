/** At risk: changes of a log that reach the disk in another order than they were made, or later than they are counted on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LodeError } from '../../../src/errors.ts';
import { openJournal, openWal } from '../../../src/journal.ts';
import type { Wal, WalOptions } from '../../../src/journal.ts';
import { recordingDisk } from '../../../src/testing/index.ts';
import type { RecordedEntry, RecordingDisk } from '../../../src/testing/index.ts';
import { hooked, noLocks } from './hooked.ts';

const dir = '/log';

function open(disk: RecordingDisk, options: WalOptions = {}): Promise<Wal> {
  const small = { preallocateBytes: 0, reserveBytes: 0, segmentBytes: 300 };
  return openWal(dir, { disk, ...small, ...options });
}

/** A log of several segments, closed. */
async function filled(): Promise<RecordingDisk> {
  const disk = recordingDisk();
  await disk.makeDirectory(dir);
  const wal = await open(disk);
  for (let i = 0; i < 12; i++) await wal.append(new Uint8Array(100).fill(i)).durable;
  assert.ok(wal.segments().length > 3);
  await wal.close();
  return disk;
}

/** What the disk was told to do while `work` ran. */
async function during(disk: RecordingDisk, work: () => Promise<void>): Promise<RecordedEntry[]> {
  const before = disk.recording.entries.length;
  await work();
  return disk.recording.entries.slice(before);
}

async function segmentsOf(disk: RecordingDisk): Promise<string[]> {
  const names = (await disk.list(dir)).map(({ name }) => name);
  return names.filter((name) => name.endsWith('.log')).sort();
}

const removed = (entry: RecordedEntry): string | undefined =>
  entry.kind === 'names' ? entry.changes.find(({ node }) => node === undefined)?.name : undefined;

void describe('a log on a disk that syncs late', () => {
  void it('deletes one segment after another, each durably: what is left has no gap', async () => {
    const disk = await filled();
    const wal = await open(disk);
    let count = 0;
    const told = await during(disk, async () => {
      count = await wal.release(wal.nextLsn);
    });
    await wal.close();
    assert.ok(count > 2);
    assert.equal(told.filter((entry) => removed(entry) !== undefined).length, count);
    told.forEach((entry, i) => {
      if (removed(entry) !== undefined) assert.equal(told[i + 1]?.kind, 'syncDirectory');
    });
  });

  void it('sets later segments aside durably before it writes to the one that it cuts', async () => {
    const disk = await filled();
    const names = await segmentsOf(disk);
    const damaged = await disk.open(`${dir}/${names[1]}`, 'write');
    await damaged.write(new Uint8Array([0xff]), 150);
    await damaged.close();
    const told = await during(disk, async () => {
      const wal = await open(disk, { recovery: 'last-good' });
      assert.ok(wal.recovery.setAside.length > 2);
      await wal.close();
    });
    const isAside = (entry: RecordedEntry): boolean => removed(entry)?.endsWith('.log') === true;
    const last = told.findLastIndex(isAside);
    const next = told.slice(last + 1).find(({ kind }) => kind !== 'datasync');
    assert.equal(next?.kind, 'syncDirectory');
  });

  void it('deletes snapshots durably before the log that they would need', async () => {
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    const small = { preallocateBytes: 0, reserveBytes: 0, segmentBytes: 300 };
    const journal = await openJournal<number, number>(dir, {
      initial: () => 0,
      apply: (state, event) => state + event,
      disk,
      ...small,
      snapshot: { keep: 1 },
    });
    await journal.append(1);
    await journal.snapshot();
    await journal.append(2);
    const told = await during(disk, async () => {
      assert.ok((await journal.snapshot()).segmentsDeleted > 0);
    });
    await journal.close();
    const at = told.findIndex((entry) => removed(entry)?.endsWith('.snap'));
    const log = told.findIndex((entry) => removed(entry)?.endsWith('.log'));
    assert.ok(at >= 0 && log > at);
    const between = told.slice(at + 1, log).map(({ kind }) => kind);
    assert.equal(between[0], 'syncDirectory');
  });

  for (const how of ['append', 'appendSync'] as const) {
    void it(`takes back for good what a failed ${how} has left, before it says so`, async () => {
      const disk = recordingDisk();
      await disk.makeDirectory(dir);
      let fails = false;
      const full = hooked(disk, {}, (file, path) => ({
        writeSync(bytes, position) {
          const part = fails && path.includes('wal-') ? bytes.subarray(0, 90) : bytes;
          file.writeSync(part, position);
          if (part.length < bytes.length) throw new LodeError('LODE_STORAGE_FULL', 'full', {});
        },
      }));
      const wal = await openWal(dir, { disk: full, preallocateBytes: 0, reserveBytes: 0 });
      await wal.append(new Uint8Array(1)).durable;
      fails = true;
      const told = await during(disk, async () => {
        if (how === 'appendSync') {
          assert.throws(() => wal.appendSync(new Uint8Array(100)));
          return;
        }
        // The first of these would be whole.
        for (const { durable } of [10, 100].map((size) => wal.append(new Uint8Array(size)))) {
          await assert.rejects(durable);
        }
      });
      assert.deepEqual(
        told.map(({ kind }) => kind),
        ['write', 'truncate', 'datasync'],
      );
      fails = false;
      await wal.close();
    });
  }

  void it('leaves nothing of a seal that failed behind what comes next', async () => {
    const inner = recordingDisk();
    await inner.makeDirectory(dir);
    let fails = false;
    const disk = hooked(inner, noLocks, (file) => ({
      truncateSync(size) {
        const now = fails;
        fails = false;
        if (now) throw new LodeError('LODE_UNAVAILABLE', 'EIO', {});
        file.truncateSync(size);
      },
    }));
    const options = { disk, preallocateBytes: 0, reserveBytes: 0 };
    const wal = await openWal(dir, options);
    await wal.append(new Uint8Array(1)).durable;
    fails = true;
    await assert.rejects(wal.rotate());
    await wal.append(new Uint8Array(1)).durable;
    const after = await openWal(dir, options);
    assert.deepEqual([after.recovery.action, after.durableLsn], ['none', 2]);
    await Promise.all([after.close(), wal.close()]);
  });

  void it('syncs each step of a recovery before the next: cut, the last group again, the seal', async () => {
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    const killed = await open(disk, { segmentBytes: 10_000 });
    for (let i = 0; i < 3; i++) await killed.append(new Uint8Array(100)).durable;
    const path = `${dir}/${(await segmentsOf(disk))[0]}`;
    const file = await disk.open(path, 'write');
    const { size, inode } = await file.info();
    await file.truncate(size - 5);
    await file.close();
    const told = await during(disk, async () => {
      const wal = await openWal(dir, { disk: hooked(disk, noLocks), reserveBytes: 0 });
      assert.deepEqual([wal.recovery.action, wal.durableLsn], ['cut', 2]);
      await wal.close();
    });
    const ofFile = told.filter((entry) => 'inode' in entry && entry.inode === Number(inode));
    assert.equal(
      ofFile.map(({ kind }) => kind).join(' '),
      'datasync truncate datasync truncate write datasync write datasync',
    );
    // What is cut is whole under its own name before that.
    const first = told.findIndex((entry) => entry === ofFile[1]);
    const before = told.slice(first - 3, first).map(({ kind }) => kind);
    assert.deepEqual(before, ['datasync', 'names', 'syncDirectory']);
  });

  void it('gives its reserve up for good: the room is free once it says so', async () => {
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    const wal = await open(disk, { reserveBytes: 100 });
    await wal.append(new Uint8Array(1)).durable;
    const told = await during(disk, async () => {
      assert.equal(await wal.spendReserve(), true);
    });
    assert.deepEqual(
      told.map((entry) => removed(entry) ?? entry.kind),
      ['reserve', 'syncDirectory'],
    );
    await wal.close();
  });

  void it('makes the last segment and its name durable before it reads them', async () => {
    const disk = await filled();
    const last = (await segmentsOf(disk)).at(-1);
    const inode = disk.recording.entries
      .flatMap((entry) => (entry.kind === 'names' ? entry.changes : []))
      .find(({ name, node }) => name === last && node !== undefined)?.node?.inode;
    const told = await during(disk, async () => {
      const wal = await open(disk);
      await wal.close();
    });
    const synced = told.findIndex((entry) => entry.kind === 'datasync' && entry.inode === inode);
    assert.notEqual(synced, -1);
    assert.equal(told[synced + 1]?.kind, 'syncDirectory');
  });
});
