/** At risk: an export that nobody's code takes part in, with less, more or other events than the journal; one that changes the journal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { memoryStore, openDataset } from '../../../src/index.ts';
import type { Dataset, LodeErrorCode } from '../../../src/index.ts';
import { exportJournal, inspectWal, openWal, restoreJournal } from '../../../src/journal.ts';
import { coded, contents, damage, dir, names, newDisk, open, write } from './key-value.ts';

const newDataset = (): Promise<Dataset<Uint8Array>> =>
  openDataset('backup', { store: memoryStore() });

async function restored(dataset: Dataset<Uint8Array>): Promise<object> {
  const disk = await newDisk();
  await restoreJournal(dir, dataset, { disk });
  await using copy = await open(disk, { recovery: 'strict' });
  return { id: copy.id, lsn: copy.lsn, state: copy.state };
}

/** Runs `before` once, when a file of this name is opened to be read. */
function interrupted(disk: Disk, name: RegExp, before: () => Promise<void>): Disk {
  let isDone = false;
  const open = async (path: string, mode: Parameters<Disk['open']>[1]): Promise<DiskFile> => {
    if (!isDone && mode === 'read' && name.test(path)) {
      isDone = true;
      await before();
    }
    return disk.open(path, mode);
  };
  return new Proxy(disk, {
    get: (target, key) =>
      key === 'open' ? open : (Reflect.get(target, key) as () => void).bind(target),
  });
}

describe('the files of a journal, exported', () => {
  it('are the journal again: all of a log, a snapshot and the log behind it, then what is new', async () => {
    const disk = await newDisk();
    const young = await newDataset();
    const old = await newDataset();
    await write(disk, 7);
    const before = await contents(disk);
    assert.deepEqual((await exportJournal(dir, young, { disk })).parts, 1);
    assert.deepEqual(await contents(disk), before);
    for (let round = 0; round < 3; round++) {
      const journal = await open(disk, { snapshot: { keep: 1 } });
      await journal.append({ key: `round ${round}`, value: round });
      if (round === 1) await journal.snapshot();
      await journal.append({ key: 'last', value: round });
      const { id, lsn, state } = journal;
      await journal.close();
      for (const dataset of [young, old]) {
        const done = await exportJournal(dir, dataset, { disk });
        assert.deepEqual([done.lsn, done.pending], [lsn, 0]);
        assert.deepEqual(await restored(dataset), { id, lsn, state });
        assert.equal((await exportJournal(dir, dataset, { disk })).parts, 0);
      }
    }
  });

  it('go on from what exportTo wrote, and the other way round', async () => {
    const disk = await newDisk();
    const dataset = await newDataset();
    for (let round = 1; round <= 3; round++) {
      const journal = await open(disk);
      await journal.append({ key: 'a', value: round });
      assert.equal((await journal.exportTo(dataset)).lsn, round * 2 - 1);
      await journal.append({ key: 'b', value: round });
      const { id, lsn, state } = journal;
      await journal.close();
      assert.deepEqual((await exportJournal(dir, dataset, { disk })).parts, 1);
      assert.deepEqual(await restored(dataset), { id, lsn, state });
    }
  });

  it('leave out what only the writer can call durable, while it writes or when it was killed', async () => {
    const disk = await newDisk();
    const dataset = await newDataset();
    await using journal = await open(disk);
    await journal.append({ key: 'a', value: 1 });
    await assert.rejects(exportJournal(dir, dataset, { disk }), coded('LODE_NOT_FOUND'));
    await Promise.all([2, 3].map((value) => journal.append({ key: 'b', value })));
    const { lsn, pending } = await exportJournal(dir, dataset, { disk });
    assert.deepEqual([lsn, pending], [1, 2]);
    await journal.exportTo(dataset);
    const again = await exportJournal(dir, dataset, { disk });
    assert.deepEqual([again.lsn, again.parts, again.pending], [3, 0, 0]);
  });

  it('are read again when their owner drops what was counted on', async () => {
    const disk = await newDisk();
    await using journal = await open(disk, { snapshot: { keep: 1 } });
    await journal.append({ key: 'a', value: 1 });
    await journal.snapshot();
    await journal.append({ key: 'b', value: 2 });
    await journal.append({ key: 'c', value: 3 });
    const dataset = await newDataset();
    const busy = interrupted(disk, /\.log$/, async () => {
      await journal.snapshot();
      await journal.append({ key: 'd', value: 4 });
    });
    assert.equal((await exportJournal(dir, dataset, { disk: busy })).lsn, 3);
    const { lsn, state } = journal;
    await journal.close();
    await exportJournal(dir, dataset, { disk });
    assert.deepEqual(await restored(dataset), { id: journal.id, lsn, state });
  });

  it('that are damaged, missing, half restored or of another journal are refused; nothing is written', async () => {
    const dataset = await newDataset();
    const disk = await newDisk();
    const fails = (code: LodeErrorCode): Promise<void> =>
      assert.rejects(exportJournal(dir, dataset, { disk }), coded(code));
    await fails('LODE_NOT_FOUND');
    await (await open(disk)).close();
    await fails('LODE_NOT_FOUND');
    await write(disk, 20);
    const [log = ''] = await names(disk, /\.log$/);
    await damage(disk, log, 300);
    await fails('LODE_CHECKSUM_MISMATCH');
    await damage(disk, log, 300);
    // The first snapshot is damaged, and the log does not reach back to what is before it.
    const journal = await open(disk, { snapshot: { keep: 1 } });
    const { name } = await journal.snapshot();
    await journal.append({ key: 'z', value: 1 });
    await journal.close();
    await damage(disk, name, 150);
    await fails('LODE_CHECKSUM_MISMATCH');
    await damage(disk, name, 150);
    await (await disk.open(`${dir}/restoring`, 'create')).close();
    await fails('LODE_TRUNCATED');
    await disk.unlink(`${dir}/restoring`);
    await assert.rejects(dataset.latest(), coded('LODE_NO_SNAPSHOTS'));
    const other = await newDisk();
    await write(other, 30);
    await exportJournal(dir, dataset, { disk: other });
    await fails('LODE_INVALID_ARGUMENT');
  });
});

describe('a log that is read while another process writes', () => {
  it('is not damaged because it grew between two reads of it', async () => {
    const disk = await newDisk();
    const wal = await openWal(dir, { disk, preallocateBytes: 0, reserveBytes: 0 });
    for (let i = 0; i < 3; i++) await wal.append(new Uint8Array(50).fill(i)).durable;
    const [name = ''] = await names(disk, /\.log$/);
    const { size } = (await disk.info(`${dir}/${name}`)) ?? { size: 0 };
    // The second record was on its way when the first read came by, the third is there at the second.
    await damage(disk, name, size - 100);
    let reads = 0;
    const racing = new Proxy(disk, {
      get: (target, key) => {
        if (key !== 'open') return (Reflect.get(target, key) as () => void).bind(target);
        return async (path: string, mode: Parameters<Disk['open']>[1]) => {
          const file = await disk.open(path, mode);
          const read = file.read.bind(file);
          file.read = async (into, position) => {
            const count = await read(into, position);
            if (path.endsWith('.log') && ++reads === 3) await damage(disk, name, size - 100);
            return count;
          };
          return file;
        };
      },
    });
    const found = await inspectWal(dir, { disk: racing, recovery: 'strict' });
    assert.equal(found.records, 3);
    await damage(disk, name, size - 100);
    await assert.rejects(inspectWal(dir, { disk }), coded('LODE_CHECKSUM_MISMATCH'));
    await damage(disk, name, size - 100);
    await wal.close();
  });
});
