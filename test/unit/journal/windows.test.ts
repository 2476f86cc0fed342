/** At risk: a long segment is read in pieces, the next one while this one is checked, and a record between them is lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspectWal, openWal } from '../../../src/journal.ts';
import type { WalRecord } from '../../../src/journal.ts';
import { memoryDisk } from '../../../src/testing/index.ts';

describe('a log', () => {
  it('of many megabytes is recovered to the last byte, and to damage in the middle', async () => {
    const disk = memoryDisk();
    const dir = '/log';
    await disk.makeDirectory(dir);
    const wal = await openWal(dir, { disk, reserveBytes: 0 });
    const recordOf = (lsn: number): Uint8Array =>
      new Uint8Array(1 + ((lsn * 7919) % 20_000)).fill(lsn % 251);
    for (let lsn = 1; lsn <= 500; lsn++) wal.append(recordOf(lsn));
    await wal.flush();
    const [segment] = wal.segments();
    await wal.close();
    assert.ok(segment !== undefined && segment.bytes > 4.5 * 1024 * 1024);
    let count = 0;
    const visit = ({ lsn, bytes }: WalRecord): void => {
      assert.deepEqual([lsn, Buffer.from(bytes)], [++count, Buffer.from(recordOf(lsn))]);
    };
    await (await openWal(dir, { disk, recovery: 'strict', visit })).close();
    assert.equal(count, 500);
    const file = await disk.open(`${dir}/${segment.name}`, 'write');
    file.writeSync(new Uint8Array([1, 2, 3]), 3.5 * 1024 * 1024);
    await file.close();
    count = 0;
    await inspectWal(dir, { disk, recovery: 'salvage', visit });
    assert.ok(count > 300 && count < 400, `${count} records`);
  });
});
