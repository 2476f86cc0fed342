/** At risk: a record acknowledged by `appendSync` that is nowhere, or that takes the place of another. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import { openWal } from '../../../src/journal.ts';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { hooked, noLocks } from './hooked.ts';
import { emptyDisk, openSmall } from '../../journal/sample.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What the disk holds, as an opening after a kill finds it. */
async function found(disk: Disk): Promise<string[]> {
  const wal = await openSmall(hooked(disk, noLocks));
  const records: string[] = [];
  for await (const { bytes } of wal.cursor()) records.push(new TextDecoder().decode(bytes));
  return records;
}

/** The next write to a segment does so much of it and fails. */
class FailingWrites {
  readonly disk: Disk;
  next: ((length: number) => number) | undefined;

  constructor(disk: Disk) {
    this.disk = hooked(disk, {}, (file, path) =>
      path.includes('wal-') ? { writeSync: this.#writer(file) } : {},
    );
  }

  #writer(file: DiskFile): DiskFile['writeSync'] {
    return (bytes, position) => {
      const { next } = this;
      this.next = undefined;
      file.writeSync(bytes.subarray(0, next?.(bytes.length) ?? bytes.length), position);
      if (next !== undefined) throw new LodeError('LODE_STORAGE_FULL', 'full', {});
    };
  }
}

describe('a synchronous append', () => {
  it('makes the segment that others wait for', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    const first = wal.append(text('a'));
    assert.equal(wal.appendSync(text('b')), 2);
    assert.deepEqual(await found(disk), ['a', 'b']);
    await first.durable;
    await wal.close();
  });

  it('never writes into the segment before the one that is due', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk, { segmentBytes: 300 });
    const acked: string[] = [];
    for (let i = 0; i < 40; i++) {
      const { lsn, durable } = wal.append(text(`async ${i}`));
      acked[lsn] = `async ${i}`;
      try {
        acked[wal.appendSync(text(`sync ${i}`))] = `sync ${i}`;
      } catch (error) {
        assert.ok(isLodeError(error, 'LODE_NOT_READY'), String(error));
      }
      await durable;
    }
    assert.ok(acked.length > 70 && wal.segments().length > 3);
    assert.deepEqual(await found(disk), acked.slice(1));
    await wal.close();
  });

  it('that fails takes back nothing that was acknowledged before', async () => {
    const inner = await emptyDisk();
    const writes = new FailingWrites(inner);
    const wal = await openSmall(writes.disk);
    await wal.append(text('acknowledged')).durable;
    writes.next = () => 0;
    assert.throws(() => wal.appendSync(text('refused')));
    wal.appendSync(text('next'));
    assert.deepEqual(await found(inner), ['acknowledged', 'next']);
    await wal.close();
  });

  it('that fails with others leaves nothing of them behind what comes next', async () => {
    const inner = await emptyDisk();
    const writes = new FailingWrites(inner);
    const wal = await openSmall(writes.disk);
    wal.appendSync(text('first'));
    const waiting = Array.from({ length: 5 }, (_, i) => wal.append(text(`waiting ${i}`)));
    writes.next = (length) => length - 5;
    assert.throws(() => wal.appendSync(text('refused')));
    wal.appendSync(text('next'));
    for (const { durable } of waiting) await assert.rejects(durable);
    const { recovery } = await openSmall(hooked(inner, noLocks));
    assert.equal(recovery.action, 'none');
    assert.deepEqual(await found(inner), ['first', 'next']);
    await wal.close();
  });

  it('among others is no obstacle to closing', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lode-'));
    try {
      const wal = await openWal(dir, { reserveBytes: 0 });
      await wal.rotate();
      const { durable } = wal.append(text('a'));
      for (let i = 0; i < 20; i++) await Promise.resolve();
      assert.equal(wal.appendSync(text('b')), 2);
      await durable;
      await wal.close();
      const again = await openWal(dir, { recovery: 'strict' });
      assert.equal(again.durableLsn, 2);
      await again.close();
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
