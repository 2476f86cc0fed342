/** At risk: a snapshot is the state that was written, whole, or an error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { isLodeError } from '../../../src/errors.ts';
import { crc32c, listSnapshots, openSnapshot, writeSnapshot } from '../../../src/journal.ts';
import { encodeSnapshotFooter } from '../../../src/journal/snapshot/header.ts';
import { FrameScanner } from '../../../src/journal/wal/frame-scanner.ts';
import { FrameWriter } from '../../../src/journal/wal/frame-writer.ts';
import { memoryDisk } from '../../../src/testing/index.ts';

const dir = '/log';
const facts = {
  journalId: '00112233445566778899aabbccddeeff',
  lsn: 70_000,
  timeMs: 1_700_000_000_000,
  codec: 'json',
  version: '3',
};

async function stateOf(path: string, disk: ReturnType<typeof memoryDisk>): Promise<Uint8Array> {
  const snapshot = await openSnapshot(path, { disk });
  const parts: Uint8Array[] = [];
  try {
    for await (const chunk of snapshot.chunks()) parts.push(chunk.slice());
  } finally {
    await snapshot.close();
  }
  return Buffer.concat(parts);
}

describe('a snapshot file', () => {
  for (const size of [0, 1, 40_000, 700_000]) {
    it(`holds a state of ${size} bytes`, async () => {
      const disk = memoryDisk();
      await disk.makeDirectory(dir);
      const state = new Uint8Array(size).map((_, i) => (i * 7) ^ (i >> 8));
      const written = await writeSnapshot(dir, [state], { ...facts, disk });
      assert.deepEqual(await listSnapshots(dir, { disk }), [{ name: written.name, lsn: 70_000 }]);
      assert.equal(written.stateBytes, size);
      const path = `${dir}/${written.name}`;
      assert.deepEqual(new Uint8Array(await stateOf(path, disk)), state);
      const again = await openSnapshot(path, { disk });
      const { header } = again;
      await again.close();
      assert.deepEqual({ ...header, createdMs: 0 }, { ...facts, createdMs: 0 });
      assert.deepEqual(
        (await disk.list(dir)).map(({ name }) => name),
        [written.name],
      );
    });
  }

  it('is an error when any bit of it is another, or its end is missing', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory(dir);
    const state = [new Uint8Array(300).fill(1), new Uint8Array(5).fill(2)];
    const { name, bytes } = await writeSnapshot(dir, state, { ...facts, disk });
    const file = await disk.open(`${dir}/${name}`, 'write');
    const typed = (error: unknown): boolean => isLodeError(error) && error.kind !== 'internal';
    for (let bit = 0; bit < bytes * 8; bit++) {
      const byte = new Uint8Array(1);
      file.readSync(byte, bit >> 3);
      const flipped = byte.map((value) => value ^ (1 << (bit & 7)));
      file.writeSync(flipped, bit >> 3);
      await assert.rejects(stateOf(`${dir}/${name}`, disk), typed, `bit ${bit}`);
      file.writeSync(byte, bit >> 3);
    }
    const whole = new Uint8Array(bytes);
    file.readSync(whole, 0);
    for (let length = bytes - 1; length >= 0; length--) {
      await file.truncate(length);
      await assert.rejects(stateOf(`${dir}/${name}`, disk), typed, `length ${length}`);
    }
    file.writeSync(whole, 0);
    assert.equal((await stateOf(`${dir}/${name}`, disk)).length, 305);
  });

  it('leaves nothing when its state ends in an error or the caller gives up', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory(dir);
    const failure = new RangeError('no more');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw failure;
    }
    await assert.rejects(writeSnapshot(dir, broken(), { ...facts, disk }), failure);
    const signal = AbortSignal.abort(failure);
    await assert.rejects(writeSnapshot(dir, [], { ...facts, disk, signal }), failure);
    assert.deepEqual(await disk.list(dir), []);
  });

  it('has its name only when what the disk gives back is what was written', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory(dir);
    // Whatever is written at the end of the file arrives with another bit.
    const failing: Disk = new Proxy(disk, {
      get(_, member) {
        if (member !== 'open') return Reflect.get(disk, member).bind(disk) as unknown;
        return async (...of: Parameters<Disk['open']>): Promise<DiskFile> => {
          const file = await disk.open(...of);
          const write = file.write.bind(file);
          file.write = (bytes, at) => write(at === 0 ? bytes : bytes.map((b) => b ^ 2), at);
          return file;
        };
      },
    });
    const written = writeSnapshot(dir, [new Uint8Array(9)], { ...facts, disk: failing });
    await assert.rejects(written, (error) => isLodeError(error) && error.kind === 'corrupt');
    assert.deepEqual(await disk.list(dir), []);
  });

  it('is an error when its parts verify and are not those of the state', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory(dir);
    const { name, lsn } = await writeSnapshot(dir, [], { ...facts, disk });
    const file = await disk.open(`${dir}/${name}`, 'write');
    const state = new TextEncoder().encode('state');
    const right = { stateBytes: 5, crc: crc32c(state), chunks: 1 };
    const scanner = new FrameScanner(lsn, 0, 0);
    const whole = new Uint8Array(Number((await file.info()).size));
    file.readSync(whole, 0);
    scanner.load(whole, 0, true);
    scanner.next();
    const position = scanner.recordEnd;
    const put = async (footer: typeof right, place = 1): Promise<void> => {
      const chunk = new FrameWriter({ logNumber: lsn, position, running: 0 });
      chunk.add({ kind: 3, lsn: place, index: 0, timeDelta: 0 }, [state]);
      const end = new FrameWriter({ logNumber: lsn, position: chunk.end, running: 0 });
      const { bytes } = chunk.take();
      end.add({ kind: 4, lsn: 2, index: 0, timeDelta: 0 }, [encodeSnapshotFooter(footer)]);
      await file.truncate(position);
      file.writeSync(bytes, position);
      file.writeSync(end.take().bytes, position + bytes.length);
    };
    await put(right);
    assert.equal((await stateOf(`${dir}/${name}`, disk)).toString(), 'state');
    const wrong = [{ crc: 0 }, { stateBytes: 4 }, { chunks: 2 }];
    for (const part of wrong) {
      await put({ ...right, ...part });
      await assert.rejects(stateOf(`${dir}/${name}`, disk), (error) =>
        isLodeError(error, 'LODE_CHECKSUM_MISMATCH'),
      );
    }
    for (const behind of [new Uint8Array(1), whole.subarray(0, position)]) {
      await put(right);
      file.writeSync(behind, Number((await file.info()).size));
      await assert.rejects(stateOf(`${dir}/${name}`, disk), (error) =>
        isLodeError(error, 'LODE_INVALID_FORMAT'),
      );
    }
    await put(right, 2);
    await assert.rejects(stateOf(`${dir}/${name}`, disk), (error) =>
      isLodeError(error, 'LODE_INVALID_FORMAT'),
    );
  });

  it('refuses to be taken for another', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory(dir);
    const { name } = await writeSnapshot(dir, [], { ...facts, disk });
    const other = `${dir}/${name.replace('70000', '70001')}`;
    await disk.rename(`${dir}/${name}`, other);
    await assert.rejects(openSnapshot(other, { disk }), (error) =>
      isLodeError(error, 'LODE_INVALID_FORMAT'),
    );
  });
});
