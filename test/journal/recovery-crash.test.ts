/** At risk: a recovery that is cut short. R3 does this to what crashes leave; here it is damage in the middle, given up on purpose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openWal } from '../../src/journal.ts';
import { crashStates, memoryDisk, recordingDisk } from '../../src/testing/index.ts';
import { dir, look, quiet, readFile, sampleLog } from './sample.ts';

describe('a recovery to the last good record that a crash cuts short', () => {
  it('comes to the same end the next time, and keeps every byte that it moves', async () => {
    const log = await sampleLog({ seed: 3, records: 40, segmentBytes: 1200, killed: true });
    const damaged = log[1];
    assert.ok(damaged && log.length > 3);
    const at = damaged.records[4]?.start ?? 0;
    const base = recordingDisk();
    await base.makeDirectory(dir);
    await base.syncDirectory('/');
    for (const { path, bytes } of log) {
      const file = await base.open(path, 'create');
      await file.write(path === damaged.path ? bytes.with(at + 20, 1) : bytes, 0);
      await file.datasync();
    }
    await base.syncDirectory(dir);
    const from = base.recording.entries.length;
    const [start] = crashStates(base.recording, { from });
    assert.ok(start);

    const disk = recordingDisk({ image: start.image });
    const wal = await openWal(dir, { ...quiet(disk), recovery: 'last-good' });
    disk.mark('opened');
    const kept = wal.durableLsn;
    assert.equal(kept, damaged.records[3]?.lsn);
    assert.equal(wal.recovery.setAside.length, log.length - 1);
    await wal.close();
    const states = crashStates(disk.recording, { seed: 1 });
    for (const { image, marks, describe: told } of states) {
      const left = memoryDisk({ image });
      // Once it was open, every mode opens it.
      if (marks.includes('opened'))
        assert.equal((await look(left, 'strict')).refused, undefined, told());
      const again = await openWal(dir, { ...quiet(left), recovery: 'last-good' });
      assert.equal(again.durableLsn, kept, told());
      await again.close();
      const { records, refused } = await look(left, 'strict');
      assert.deepEqual([refused, records.size], [undefined, kept], told());
      // What was moved is there under some name, whole.
      const names = (await left.list(dir)).map(({ name }) => name);
      const files = await Promise.all(names.map((name) => readFile(left, `${dir}/${name}`)));
      for (const segment of log.slice(2)) {
        const found = files.some((bytes) => Buffer.compare(bytes, segment.bytes) === 0);
        assert.ok(found, `${segment.name}: ${told()}`);
      }
      const cut = damaged.bytes.subarray(at + 21);
      assert.ok(
        files.some((bytes) => Buffer.from(bytes).includes(Buffer.from(cut.subarray(0, 200)))),
        told(),
      );
    }
    assert.ok(states.counts.states > 20);
  });
});
