/** At risk: a journal that comes back from a dataset with less, more or other events than it was exported with. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore, openDataset } from '../../../src/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { recover, restoreJournal } from '../../../src/journal.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import {
  faultyDisk,
  crashStates,
  memoryDisk,
  recordingDisk,
  syncViolations,
} from '../../../src/testing/index.ts';
import { hooked } from './hooked.ts';
import { coded, dir, names, newDisk, open } from './key-value.ts';

const newDataset = (store = memoryStore()): ReturnType<typeof openDataset> =>
  openDataset('backup', { store });

async function emptyDisk(): Promise<Disk> {
  const disk = memoryDisk();
  await disk.makeDirectory(dir);
  return disk;
}

describe('an exported journal', () => {
  it('grows by what is new, and is restored with its events, times and id', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    const ends: string[] = [];
    for (let round = 1; round <= 3; round++) {
      await Promise.all([1, 2, 3].map((i) => journal.append({ key: `${round}/${i}`, value: i })));
      const { lsn, parts, snapshot } = await journal.exportTo(dataset);
      assert.deepEqual([lsn, parts], [round * 3, 1]);
      ends.push(snapshot);
    }
    assert.deepEqual((await journal.exportTo(dataset)).parts, 0);
    const disk = await emptyDisk();
    const { lsn, files, fetched } = await restoreJournal(dir, dataset, { disk });
    assert.deepEqual([lsn, files, fetched], [9, 3, 3]);
    const copy = await open(disk, { recovery: 'strict' });
    assert.equal(copy.id, journal.id);
    assert.deepEqual(copy.state, journal.state);
    const events = async (of: typeof copy): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const event of of.replay({ from: 4 })) found.push(event);
      return found;
    };
    assert.deepEqual(await events(copy), await events(journal));
    await copy.append({ key: 'more', value: 1 });
    assert.equal((await copy.exportTo(dataset)).parts, 1);
    await copy.close();
    // Both are at event 10 now, and it is not the same one.
    await journal.append({ key: 'other', value: 2 });
    await assert.rejects(journal.exportTo(dataset), coded('LODE_INVALID_ARGUMENT'));
    const earlier = await emptyDisk();
    const [, second = ''] = ends;
    await restoreJournal(dir, dataset, { disk: earlier, snapshot: second });
    assert.equal((await recover(dir, { disk: earlier, dryRun: true })).lsn, 6);
  });

  it('begins with a state again when the log no longer reaches back', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk(), { snapshot: { keep: 1 } });
    await journal.append({ key: 'a', value: 1 });
    await journal.exportTo(dataset);
    for (let i = 0; i < 3; i++) {
      await journal.append({ key: 'b', value: i });
      await journal.snapshot();
    }
    await journal.append({ key: 'c', value: 9 });
    assert.equal((await journal.exportTo(dataset)).lsn, 5);
    const disk = await emptyDisk();
    await restoreJournal(dir, dataset, { disk });
    await using copy = await open(disk);
    assert.deepEqual(copy.state, { a: 1, b: 2, c: 9 });
  });

  it('is restored into an empty directory only, and goes on where it broke off', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    for (let round = 0; round < 3; round++) {
      await journal.append({ key: `${round}`, value: round });
      await journal.exportTo(dataset);
    }
    const taken = await newDisk();
    await (await taken.open(`${dir}/notes.txt`, 'create')).close();
    await assert.rejects(
      restoreJournal(dir, dataset, { disk: taken }),
      coded('LODE_ALREADY_EXISTS'),
    );
    for (const on of ['write', 'sync', 'name'] as const) {
      for (let at = 0; ; at++) {
        const inner = await emptyDisk();
        const disk = faultyDisk(inner, { on, at, kind: 'EIO', times: 'ever' });
        const broke = await restoreJournal(dir, dataset, { disk }).then(
          () => false,
          (error: unknown) => isLodeError(error),
        );
        const isBegun = (await inner.info(`${dir}/restoring`)) !== undefined;
        if (isBegun) await assert.rejects(open(inner), coded('LODE_TRUNCATED'));
        if (broke && !isBegun && (await names(inner, /\d{20}/)).length === 3) continue;
        if (broke) await restoreJournal(dir, dataset, { disk: inner });
        const copy = await open(inner, { recovery: 'strict' });
        assert.deepEqual(copy.state, journal.state);
        await copy.close();
        if (disk.failures === 0) break;
      }
    }
  });

  it('is durable with its directory before it can be opened', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    for (const key of ['a', 'b', 'c']) {
      await journal.append({ key, value: 1 });
      await journal.exportTo(dataset);
    }
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    await restoreJournal(dir, dataset, { disk });
    disk.mark('restored');
    const restored = await names(disk, /\d{20}/);
    assert.ok(restored.length > 2);
    // The note that says it is not finished is gone for good, too.
    const promised = (): string[] => [...restored, 'restoring'].map((name) => `${dir}/${name}`);
    assert.deepEqual(syncViolations(disk.recording, { promised }), []);
    // Whatever a crash leaves is all of it, or says that it is not.
    for (const { image, describe: told } of crashStates(disk.recording)) {
      const left = memoryDisk({ image });
      if ((await left.info(dir)) === undefined) continue;
      const there = await names(left, /./);
      const isBegun = there.some((name) => restored.includes(name));
      const isWhole = restored.every((name) => there.includes(name));
      assert.ok(!isBegun || isWhole || there.includes('restoring'), told());
    }
  });

  it('is not restored to another end than the dataset says', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    for (const key of ['a', 'b', 'c']) {
      await journal.append({ key, value: 1 });
      await journal.exportTo(dataset);
    }
    // The last part ends behind its header: a whole segment of no events.
    const short = await newDataset();
    for await (const { id, manifest } of dataset.snapshots({ order: 'oldest-first' })) {
      const { metadata } = manifest;
      const isLast = id === (await dataset.latest()).id;
      const writer = await short.streamWrite(metadata);
      const [bytes = new Uint8Array(0)] = await dataset.read(id);
      await writer.write(isLast ? bytes.subarray(0, 88) : bytes);
      await writer.commit();
    }
    const disk = await emptyDisk();
    await assert.rejects(restoreJournal(dir, short, { disk }), coded('LODE_TRUNCATED'));
    await assert.rejects(open(disk), coded('LODE_TRUNCATED'));
  });

  it('is there whole or cannot be opened, whenever the power fails', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    for (let round = 0; round < 2; round++) {
      await journal.append({ key: `${round}`, value: round });
      await journal.exportTo(dataset);
    }
    const disk = recordingDisk();
    await disk.makeDirectory(dir);
    await disk.syncDirectory('/');
    await restoreJournal(dir, dataset, { disk });
    disk.mark('restored');
    let [whole, refused] = [0, 0];
    for (const { image, marks } of crashStates(disk.recording)) {
      const left = memoryDisk({ image });
      if ((await left.info(dir)) === undefined) continue;
      const isRestored = marks.includes('restored');
      const others = await names(left, /^(?!lock$|owner$|restoring.tmp$)/);
      // Before anything is there it is any empty directory.
      const isEmpty = !isRestored && others.length === 0;
      try {
        await using copy = await open(left);
        assert.deepEqual(copy.state, isEmpty ? {} : journal.state);
        whole++;
      } catch (error) {
        assert.ok(!isRestored && isLodeError(error, 'LODE_TRUNCATED'), String(error));
        refused++;
      }
    }
    assert.ok(whole > 1 && refused > 10, `${whole} whole, ${refused} refused`);
  });

  it('is refused by datasets of other things and other journals', async () => {
    await using journal = await open(await newDisk());
    await journal.append({ key: 'a', value: 1 });
    const other = await newDataset();
    await other.write([new Uint8Array(3)]);
    await assert.rejects(journal.exportTo(other), coded('LODE_INVALID_FORMAT'));
    const disk = await emptyDisk();
    await assert.rejects(restoreJournal(dir, other, { disk }), coded('LODE_INVALID_FORMAT'));
    const empty = await newDataset();
    await assert.rejects(restoreJournal(dir, empty, { disk }), coded('LODE_NO_SNAPSHOTS'));
    await using stranger = await open(await newDisk());
    await stranger.append({ key: 'b', value: 1 });
    await stranger.exportTo(empty);
    await assert.rejects(journal.exportTo(empty), coded('LODE_INVALID_ARGUMENT'));
    assert.deepEqual(await disk.list(dir), []);
  });
});

describe('a directory that a journal is restored into', () => {
  it('is that of one restoration at a time, however two of them meet', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    for (let round = 0; round < 3; round++) {
      await journal.append({ key: `${round}`, value: round });
      await journal.exportTo(dataset);
    }
    // The second begins at each call that the first one makes.
    for (let at = 0, calls = Infinity; at < calls; at++) {
      const inner = await emptyDisk();
      let second: Promise<unknown> | undefined;
      calls = 0;
      const begin = (): void => {
        if (calls++ === at) second = restoreJournal(dir, dataset, { disk: inner }).catch(own);
      };
      const own = (error: unknown): void =>
        assert.ok(isLodeError(error, 'LODE_LOCKED', 'LODE_ALREADY_EXISTS'), String(error));
      const disk = hooked(
        inner,
        {
          rename: (from, to) => (begin(), inner.rename(from, to)),
          unlink: (path) => (begin(), inner.unlink(path)),
          syncDirectory: (path) => (begin(), inner.syncDirectory(path)),
        },
        (file) => ({
          truncate: (size) => (begin(), file.truncate(size)),
          write: (bytes, position) => (begin(), file.write(bytes, position)),
          close: () => (begin(), file.close()),
        }),
      );
      await restoreJournal(dir, dataset, { disk }).catch(own);
      // What was restored is in use before the other one has ended: it must not be touched any more.
      const copy = await open(inner);
      await copy.append({ key: 'more', value: 1 });
      await second;
      await copy.close();
      await using again = await open(inner, { recovery: 'strict' });
      assert.deepEqual(again.state, { 0: 0, 1: 1, 2: 2, more: 1 }, `call ${at}`);
    }
  });

  it('is not opened by who looked before a restoration began in it that has not ended', async () => {
    const dataset = await newDataset();
    await using journal = await open(await newDisk());
    await journal.append({ key: 'a', value: 1 });
    await journal.exportTo(dataset);
    await journal.append({ key: 'b', value: 1 });
    await journal.exportTo(dataset);
    for (const opens of [open, (disk: Disk) => recover(dir, { disk })]) {
      const inner = await emptyDisk();
      let isFirst = true;
      const disk = hooked(inner, {
        tryLock: async (path) => {
          if (isFirst) {
            isFirst = false;
            const broken = faultyDisk(inner, { on: 'name', at: 6, kind: 'EIO', times: 'ever' });
            await assert.rejects(restoreJournal(dir, dataset, { disk: broken }), isLodeError);
          }
          return inner.tryLock(path);
        },
      });
      await assert.rejects(opens(disk), coded('LODE_TRUNCATED'));
      assert.deepEqual((await names(inner, /./)).includes('restoring'), true);
      await restoreJournal(dir, dataset, { disk: inner });
      assert.deepEqual((await open(inner)).state, journal.state);
    }
  });
});
