/** At risk: a reader beside the writer. It sees every record once, in order, and takes nothing unfinished for one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../../src/disk/disk.ts';
import { isLodeError } from '../../../src/errors.ts';
import { inspectWal, readWal } from '../../../src/journal.ts';
import { virtualEnv } from '../../../src/testing/index.ts';
import { hooked } from './hooked.ts';
import { dir, emptyDisk, openSmall } from '../../journal/sample.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function read(disk: Disk, from?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { lsn, bytes } of readWal(dir, { disk, ...(from ? { from } : {}) }))
    found.push(`${lsn}:${new TextDecoder().decode(bytes.subarray(0, 9))}`);
  return found;
}

describe('a reader without the lock', () => {
  it('reads what is there, over segments, from any record', async () => {
    const disk = await emptyDisk();
    assert.deepEqual(await read(disk), []);
    const wal = await openSmall(disk);
    await wal.append(text('a')).durable;
    await wal.append(new Uint8Array(70_000).fill(98)).durable;
    await wal.rotate();
    await wal.append(text('c')).durable;
    const all = ['1:a', '2:bbbbbbbbb', '3:c'];
    assert.deepEqual(await read(disk), all);
    assert.deepEqual(await read(disk, 3), ['3:c']);
    assert.deepEqual(await read(disk, 4), []);
    await wal.close();
    assert.deepEqual(await read(disk), all);
  });

  it('follows one writer, and then the next', async () => {
    const disk = await emptyDisk();
    const env = virtualEnv();
    const stop = new AbortController();
    const values = ['a', 'b', 'c', 'd', 'e'];
    let wal = await openSmall(disk);
    const found: string[] = [];
    const { signal } = stop;
    await assert.rejects(
      async () => {
        await wal.append(text('first')).durable;
        for await (const { lsn, bytes } of readWal(dir, { disk, env, follow: true, signal })) {
          found.push(`${lsn}:${new TextDecoder().decode(bytes)}`);
          const value = values.shift();
          if (value === undefined) stop.abort(new Error('enough'));
          if (value === undefined) continue;
          if (value === 'c') await wal.rotate();
          if (value === 'd') {
            await wal.close();
            // Without a record: the one that follows takes its place.
            await (await openSmall(disk)).close();
            wal = await openSmall(disk);
          }
          await wal.append(text(value)).durable;
        }
      },
      { message: 'enough' },
    );
    assert.deepEqual(found, ['1:first', '2:a', '3:b', '4:c', '5:d', '6:e']);
    await wal.close();
  });

  it('says what was released, and refuses a damaged log', async () => {
    const disk = await emptyDisk();
    const wal = await openSmall(disk);
    for (const value of ['a', 'b', 'c']) {
      await wal.append(text(value)).durable;
      await wal.rotate();
    }
    await wal.release(3);
    await assert.rejects(read(disk, 1), (error) => isLodeError(error, 'LODE_NOT_FOUND'));
    assert.deepEqual(await read(disk), ['3:c']);
    await wal.append(text('d')).durable;
    await wal.close();
    const file = await disk.open(`${dir}/wal-00000000000000000003.log`, 'write');
    await file.write(new Uint8Array([1]), 100);
    await file.close();
    await assert.rejects(read(disk), (error) => isLodeError(error) && error.kind === 'corrupt');
  });
});

describe('an inspection', () => {
  it('names the segments with their records, writers and checksums', async () => {
    const disk = await emptyDisk();
    for (const value of ['a', 'b']) {
      const wal = await openSmall(disk);
      await wal.append(text(value)).durable;
      if (value === 'a') await wal.close();
    }
    const { journalId, files, damage } = await inspectWal(dir, { disk });
    assert.match(journalId ?? '', /^[0-9a-f]{32}$/);
    assert.equal(damage, undefined);
    assert.deepEqual(
      files.map(({ name, records, firstLsn, lastLsn, isSealed }) => ({
        name,
        facts: [records, firstLsn, lastLsn, isSealed],
      })),
      [
        { name: 'wal-00000000000000000001.log', facts: [1, 1, 1, true] },
        { name: 'wal-00000000000000000002.log', facts: [1, 2, 2, false] },
      ],
    );
    const [one, two] = files;
    assert.ok(one && two && two.epoch > one.epoch && two.bytes > two.usedBytes);
    assert.notEqual(one.checksum, two.checksum);
  });

  it('goes on when the owner releases what was just listed, or is about to be read', async () => {
    for (const look of [1, 2]) {
      const inner = await emptyDisk();
      const wal = await openSmall(inner);
      for (const value of ['a', 'b', 'c']) {
        await wal.append(text(value)).durable;
        await wal.rotate();
      }
      let looks = 0;
      const disk = hooked(inner, {
        async open(path, mode) {
          if (path.endsWith('1.log') && ++looks === look) await wal.release(3);
          return inner.open(path, mode);
        },
      });
      const { files, damage } = await inspectWal(dir, { disk });
      assert.deepEqual([files.map(({ firstLsn }) => firstLsn), damage], [[3, 4], undefined]);
      await wal.close();
    }
  });
});
