/** At risk: a local copy that is not what was committed. Resumed, brought up to date, or damaged meanwhile. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDisk } from '../../../src/disk/memory.ts';
import type { Disk } from '../../../src/disk/disk.ts';
import { crashStates, recordingDisk } from '../../../src/testing/index.ts';
import { materialize } from '../../../src/local/materialize.ts';
import { hooked } from '../journal/hooked.ts';
import { blockKey, bedOf, content, failure, put } from './bed.ts';

async function fileAt(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read');
  const bytes = new Uint8Array((await file.info()).size);
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** What the volume has at these ranges, and zeros elsewhere. */
function image(length: number, ...ranges: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, count] of ranges) bytes.set(content(offset, count), offset);
  return bytes;
}

describe('materialize', () => {
  it('writes a sparse copy, keeps what is there, and says what is missing', async () => {
    const bed = bedOf('guarded put');
    const disk = memoryDisk();
    const volume = await bed.volume();
    const first = await put(volume, [0, 10], [50, 20]);
    const seen: number[] = [];
    const report = await materialize(volume, 'disk.img', {
      disk,
      onProgress: ({ copiedBytes }) => seen.push(copiedBytes),
    });
    assert.deepEqual(report, {
      blocks: 2,
      copiedBytes: 30,
      keptBytes: 0,
      gaps: [
        { offset: 10, length: 40 },
        { offset: 70, length: 30 },
      ],
    });
    assert.deepEqual(seen, [10, 30]);
    assert.deepEqual(await fileAt(disk, 'disk.img'), image(100, [0, 10], [50, 20]));

    await put(volume, [10, 40]);
    const later = await materialize(volume, 'disk.img', { disk });
    assert.deepEqual([later.copiedBytes, later.keptBytes], [40, 30]);
    assert.deepEqual(await fileAt(disk, 'disk.img'), image(100, [0, 70]));

    const part = await materialize(volume, 'part.img', {
      disk,
      snapshot: first,
      range: { offset: 55, length: 10 },
    });
    assert.deepEqual([part.copiedBytes, part.gaps], [20, []]);
  });

  it('goes on where it broke off, and mends what does not match', async () => {
    const bed = bedOf('guarded put');
    const disk = memoryDisk();
    const volume = await bed.volume();
    await put(volume, [0, 10], [10, 10], [20, 10]);
    await bed.store.delete(blockKey(20, 10));
    await failure('LODE_NOT_FOUND', materialize(volume, 'x', { disk }));
    await bed.store.put(blockKey(20, 10), content(20, 10));
    const file = await disk.open('x', 'write');
    await file.write(content(7, 3), 3);
    await file.close();
    const report = await materialize(volume, 'x', { disk });
    assert.deepEqual([report.copiedBytes, report.keptBytes], [20, 10]);
    assert.deepEqual(await fileAt(disk, 'x'), image(100, [0, 30]));
  });

  it('never copies a damaged block in silence, nor into a file of something else', async () => {
    const bed = bedOf('guarded put');
    const disk = memoryDisk();
    const volume = await bed.volume();
    await failure('LODE_NO_SNAPSHOTS', materialize(volume, 'x', { disk }));
    assert.equal(await disk.info('x'), undefined);
    await put(volume, [0, 10]);
    await bed.store.put(blockKey(0, 10), 'altered!!!', { mode: 'overwrite' });
    await failure('LODE_CHECKSUM_MISMATCH', materialize(volume, 'x', { disk }));
    const file = await disk.open('large', 'create');
    await file.truncate(101);
    await file.close();
    await failure('LODE_INVALID_ARGUMENT', materialize(volume, 'large', { disk }));
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await assert.rejects(materialize(volume, 'y', { disk, signal: stop.signal }), /enough/);
  });

  it('is durable once it resolves, also where an earlier call has made the file', async () => {
    const bed = bedOf('guarded put');
    const disk = recordingDisk();
    const volume = await bed.volume();
    await put(volume, [0, 10], [10, 10]);
    await bed.store.delete(blockKey(10, 10));
    await failure('LODE_NOT_FOUND', materialize(volume, 'x', { disk }));
    await bed.store.put(blockKey(10, 10), content(10, 10));
    await materialize(volume, 'x', { disk });
    disk.mark('resolved');
    let after = 0;
    for (const { image: left, marks, describe: told } of crashStates(disk.recording)) {
      if (!marks.includes('resolved')) continue;
      after++;
      const survivor = memoryDisk({ image: left });
      assert.deepEqual(await fileAt(survivor, 'x'), image(100, [0, 20]), told());
    }
    assert.ok(after > 0);
  });

  it('writes nothing any more once it has failed: the descriptor may be that of another file', async () => {
    const bed = bedOf('guarded put');
    const inner = memoryDisk();
    const volume = await bed.volume();
    await put(volume, [0, 10], [10, 10], [20, 10], [30, 10], [40, 10]);
    await bed.store.delete(blockKey(10, 10));
    let [started, ended, isClosed] = [0, 0, false];
    const disk = hooked(inner, {}, (file) => ({
      write: async (bytes, position) => {
        assert.ok(!isClosed, 'written to after it was closed');
        started++;
        for (let turn = 0; turn < position * 20; turn++) await Promise.resolve();
        await file.write(bytes, position);
        ended++;
      },
      close: () => {
        assert.equal(ended, started, 'closed while it is written to');
        isClosed = true;
        return file.close();
      },
    }));
    await failure('LODE_NOT_FOUND', materialize(volume, 'x', { disk }));
    assert.ok(isClosed && started > 0);
    for (let turn = 0; turn < 2_000; turn++) await Promise.resolve();
    assert.equal(ended, started);
  });
});
