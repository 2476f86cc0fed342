/** At risk: the bytes. What docs/formats/journal.md shows is what is written; a log of today can be read tomorrow. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Env } from '../../../src/env.ts';
import { crc32c, crc32cCombine, maskCrc32c, openWal, unmaskCrc32c } from '../../../src/journal.ts';
import { FrameScanner } from '../../../src/journal/wal/frame-scanner.ts';
import { FrameWriter } from '../../../src/journal/wal/frame-writer.ts';
import { resolveLsn } from '../../../src/journal/wal/record.ts';
import { memoryDisk, seededRandom } from '../../../src/testing/index.ts';
import { readText } from '../../package/source.ts';
import { readFile } from '../../journal/sample.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('the format', () => {
  it('is, byte for byte, what its page shows', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory('/log');
    let ms = 1_700_000_000_000;
    const env: Env = {
      now: () => BigInt(ms) * 1_000_000n,
      monotonic: () => 0,
      random: () => 0,
      id: () => '00112233445566778899aabbccddeeff',
      sleep: async () => {},
    };
    const wal = await openWal('/log', { disk, env, preallocateBytes: 0, reserveBytes: 0 });
    await wal.append(text('one')).durable;
    ms += 5;
    wal.append(text('two'));
    await wal.append(text('three')).durable;
    await wal.close();
    const dump = readText('docs/formats/journal.md').matchAll(/^[0-9a-f]{4} {2}([0-9a-f ]+)$/gm);
    const shown = [...dump].map(([, bytes]) => bytes).join(' ');
    const written = await readFile(disk, '/log/wal-00000000000000000001.log');
    assert.equal(Buffer.from(written).toString('hex'), shown.replaceAll(' ', ''));
  });

  it('lays a record out around the end of a page as the page says', () => {
    // With 18, 17 … 11 bytes left the prefix itself is cut, with fewer there are zeros.
    for (let left = 0; left < 24; left++) {
      const start = { logNumber: 7, position: 32_768 - left, running: 0 };
      const writer = new FrameWriter(start);
      const prefix = { kind: 0, lsn: 70_000, index: 0, timeDelta: -3 } as const;
      writer.add(prefix, [text('abc'), text(''), text('defgh')]);
      writer.add({ ...prefix, lsn: 70_001, index: 1, timeDelta: 2 ** 41 }, [
        new Uint8Array(40_000),
      ]);
      const { bytes, running } = writer.take();
      const scanner = new FrameScanner(7, start.position, 0);
      scanner.load(bytes, start.position, true);
      assert.equal(scanner.next(), 'record', `${left} bytes left`);
      assert.equal(new TextDecoder().decode(scanner.body), 'abcdefgh');
      assert.deepEqual(
        [scanner.prefix.lsnLow, scanner.prefix.timeDelta, scanner.prefix.isLast],
        [70_000 & 0xffff, -3, false],
      );
      assert.equal(scanner.next(), 'record');
      assert.equal(scanner.body.length, 40_000);
      assert.deepEqual([scanner.prefix.timeDelta, scanner.prefix.isLast], [2 ** 41, true]);
      assert.equal(scanner.next(), 'end');
      assert.equal(scanner.running, running);
    }
  });

  it('has times of eight bytes, whatever the clock says', () => {
    for (const timeDelta of [2 ** 49, -(2 ** 49) - 1]) {
      const writer = new FrameWriter({ logNumber: 7, position: 0, running: 0 });
      writer.add({ kind: 0, lsn: 1, index: 0, timeDelta }, [text('x')]);
      const scanner = new FrameScanner(7, 0, 0);
      scanner.load(writer.take().bytes, 0, true);
      assert.deepEqual([scanner.next(), scanner.prefix.timeDelta], ['record', timeDelta]);
    }
  });

  it('never takes frames of another log number', () => {
    const writer = new FrameWriter({ logNumber: 7, position: 0, running: 0 });
    writer.add({ kind: 0, lsn: 1, index: 0, timeDelta: 0 }, [text('old')]);
    const { bytes } = writer.take();
    const scanner = new FrameScanner(8, 0, 0);
    scanner.load(bytes, 0, true);
    assert.equal(scanner.next(), 'damage');
    assert.equal(scanner.seek(), 'end');
  });

  it('finds the whole LSN from its low bits', () => {
    assert.equal(resolveLsn(3, 1), 3);
    assert.equal(resolveLsn(0, 65_530), 65_536);
    assert.equal(resolveLsn(65_535, 65_536), 131_071);
  });
});

describe('CRC-32C', () => {
  it('has the values of RFC 3720, masked as LevelDB does', () => {
    const up = Uint8Array.from({ length: 32 }, (_, i) => i);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(up), 0x46dd794e);
    assert.equal(crc32c(up.toReversed()), 0x113fdb5c);
    assert.equal(crc32c(text('123456789')), 0xe3069283);
    const crc = crc32c(text('foo'));
    assert.notEqual(maskCrc32c(crc), crc);
    assert.equal(unmaskCrc32c(maskCrc32c(crc)), crc);
    assert.equal(unmaskCrc32c(unmaskCrc32c(maskCrc32c(maskCrc32c(crc)))), crc);
  });

  it('is the same in one piece, in parts, and joined', () => {
    const random = seededRandom(5);
    const bytes = Uint8Array.from({ length: 5_000 }, () => Math.floor(random() * 256));
    const slow = (from: number, to: number): number => {
      let crc = 0;
      for (let i = from; i < to; i++) crc = crc32c(bytes.subarray(i, i + 1), crc);
      return crc;
    };
    for (let round = 0; round < 200; round++) {
      const from = Math.floor(random() * 2_000);
      const to = from + Math.floor(random() * 3_000);
      const middle = from + Math.floor(random() * (to - from));
      const whole = slow(from, to);
      assert.equal(crc32c(bytes, 0, from, to), whole);
      assert.equal(crc32c(bytes.subarray(from, to)), whole);
      const [head, tail] = [bytes.subarray(from, middle), bytes.subarray(middle, to)];
      assert.equal(crc32c(tail, crc32c(head)), whole);
      assert.equal(crc32cCombine(crc32c(head), crc32c(tail), tail.length), whole);
    }
  });
});
