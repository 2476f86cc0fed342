/** At risk: content that is cut, followed by rubbish or swapped, and read as if it were whole. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { nativeZstd } from '#platform/zlib.js';
import type { Compressor } from '../../../src/encoding/compressor.ts';
import { decompressed } from '../../../src/encoding/compressors/zstd.ts';
import { wasmEngine } from '../../../src/encoding/compressors/zstd-engine.ts';
import { gzip, none, zstd } from '../../../src/encoding/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';

const limits = { key: 'k', bytesMax: 1e8, ratioMax: 1e6 };

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function refused(work: Promise<unknown>, ...codes: LodeErrorCode[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isLodeError(error, ...codes), String(error));
    assert.equal(error.details.key, 'k');
    return true;
  });
}

/** Text that compresses, of any length. */
function text(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = 97 + ((state >>> 16) % (i % 100 < 60 ? 2 : 26));
  }
  return bytes;
}

const wasm = await wasmEngine();
const wasmOnly: Compressor = {
  name: 'zstd',
  extension: '.zst',
  async *compress(chunks) {
    const bytes = await whole(chunks);
    for (let at = 0; at < bytes.length; at += 262_144) {
      yield wasm.compress(bytes.subarray(at, at + 262_144), 3);
    }
  },
  decompress: (chunks, place) => decompressed(wasm, chunks, place),
};

const compressors: [string, Compressor][] = [
  ['none', none()],
  ['gzip', gzip()],
  ['gzip level 9', gzip({ level: 9 })],
  ['zstd', zstd()],
  ['zstd level 19', zstd({ level: 19 })],
  ['zstd in WebAssembly', wasmOnly],
];

for (const [name, compressor] of compressors) {
  describe(name, () => {
    it('returns content of any length, however it is cut', async () => {
      for (const length of [0, 1, 1000, 65_536, 262_144, 262_145, 600_000]) {
        const content = text(length);
        const all = await compressor.compressAll?.(content);
        const streamed = await whole(compressor.compress(cut(content, 100_000)));
        for (const bytes of all === undefined ? [streamed] : [streamed, all]) {
          for (const size of [1, 7, 65_536]) {
            if (size < 10 && bytes.length > 10_000) continue;
            const back = await whole(compressor.decompress(cut(bytes, size), limits));
            assert.ok(Buffer.compare(back, content) === 0, `${length} bytes in ${size}s`);
          }
        }
      }
    });

    if (name === 'none') return;

    it('takes content apart at no byte without noticing', async () => {
      const content = text(600);
      const bytes = await whole(compressor.compress(cut(content, 1000)));
      for (let length = name.startsWith('zstd') ? 1 : 0; length < bytes.length; length++) {
        await refused(
          whole(compressor.decompress(cut(bytes.subarray(0, length), 500), limits)),
          'LODE_TRUNCATED',
        );
      }
    });

    it('finds a flipped bit, or is not changed by it', async () => {
      const content = text(900);
      const bytes = await whole(compressor.compress(cut(content, 2000)));
      for (let bit = 0; bit < bytes.length * 8; bit += 7) {
        const hurt = bytes.slice();
        hurt[bit >> 3] = (hurt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          const back = await whole(compressor.decompress(cut(hurt, 1000), limits));
          assert.ok(Buffer.compare(back, content) === 0, `bit ${bit} changed the content`);
        } catch (error) {
          if (!isLodeError(error, 'LODE_INVALID_FORMAT', 'LODE_TRUNCATED', 'LODE_LIMIT_EXCEEDED'))
            throw error;
        }
      }
    });

    it('reads parts one after another, and refuses rubbish between and behind', async () => {
      const [one, two] = [text(5000), text(300_000)];
      const parts = [
        await whole(compressor.compress(cut(one, 999))),
        await whole(compressor.compress(cut(two, 999))),
      ];
      const both = Buffer.concat(parts);
      for (const size of [1000, parts[0]?.length ?? 1, both.length]) {
        const back = await whole(compressor.decompress(cut(both, size), limits));
        assert.ok(Buffer.compare(back, Buffer.concat([one, two])) === 0);
      }
      for (const rubbish of [Buffer.from('rubbish'), Buffer.alloc(1), Buffer.alloc(100)]) {
        for (const hurt of [
          Buffer.concat([both, rubbish]),
          Buffer.concat([parts[0] ?? rubbish, rubbish, both]),
        ]) {
          for (const size of [1000, parts[0]?.length ?? 1, both.length, hurt.length]) {
            await refused(
              whole(compressor.decompress(cut(hurt, size), limits)),
              'LODE_INVALID_FORMAT',
              'LODE_TRUNCATED',
            );
          }
        }
      }
    });

    it('stops at its limits', async () => {
      const zeros = await whole(compressor.compress(cut(new Uint8Array(8_000_000), 100_000)));
      await refused(
        whole(compressor.decompress(cut(zeros, 1000), { ...limits, bytesMax: 3_000_000 })),
        'LODE_LIMIT_EXCEEDED',
      );
      await refused(
        whole(compressor.decompress(cut(zeros, 1000), { ...limits, ratioMax: 50 })),
        'LODE_LIMIT_EXCEEDED',
      );
      const exact = { ...limits, bytesMax: 8_000_000 };
      assert.equal((await whole(compressor.decompress(cut(zeros, 1000), exact))).length, 8_000_000);
    });

    it('passes on what its source throws, and ends it when the reader stops', async () => {
      const bytes = await whole(compressor.compress(cut(text(800_000), 100_000)));
      const broken = new Error('disk on fire');
      async function* burning(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 1000);
        throw broken;
      }
      await assert.rejects(whole(compressor.decompress(burning(), limits)), broken);
      await assert.rejects(whole(compressor.compress(burning())), broken);
      let ended = false;
      async function* watched(): AsyncGenerator<Uint8Array> {
        try {
          yield* cut(bytes, 10_000);
        } finally {
          ended = true;
        }
      }
      for await (const chunk of compressor.decompress(watched(), limits))
        if (chunk.length > 0) break;
      await new Promise(setImmediate);
      assert.ok(ended);
    });
  });
}

describe('gzip bytes', () => {
  it('start with the header Go writes, and are read by any gzip', async () => {
    for (const length of [10, 200_000]) {
      const content = text(length);
      const all = await gzip().compressAll?.(content);
      const streamed = await whole(gzip().compress(cut(content, 1000)));
      for (const bytes of [all, streamed]) {
        assert.equal(
          Buffer.from(bytes ?? [])
            .subarray(0, 10)
            .toString('hex'),
          '1f8b08000000000000ff',
        );
        assert.deepEqual(gunzipSync(bytes ?? new Uint8Array()), Buffer.from(content));
      }
    }
    const named = Buffer.concat([gzipSync('a'), gzipSync('b', { level: 1 })]);
    assert.equal((await whole(gzip().decompress(cut(named, 3), limits))).toString(), 'ab');
  });

  it('are an error when there are none', async () => {
    await refused(whole(gzip().decompress(cut(new Uint8Array(), 1), limits)), 'LODE_TRUNCATED');
  });
});

describe('zstd bytes', () => {
  it('carry a checksum and no size, and empty content is no bytes', async () => {
    for (const engine of [wasm, nativeZstd()]) {
      if (engine === undefined) continue;
      for (const length of [1, 300, 100_000, 262_144]) {
        const descriptor: number = engine.compress(text(length), 3)[4] ?? 0;
        assert.equal(descriptor & 0b1100_0111, 0b0000_0100);
      }
    }
    assert.equal((await zstd().compressAll?.(new Uint8Array()))?.length, 0);
  });

  it('are read by the zstd command, and its bytes by us', async (t) => {
    try {
      execFileSync('zstd', ['--version'], { stdio: 'ignore' });
    } catch {
      t.skip('there is no zstd command here');
      return;
    }
    const content = text(3_000_000);
    const ours = await whole(wasmOnly.compress(cut(content, 100_000)));
    const read = execFileSync('zstd', ['-dc'], { input: ours, maxBuffer: 1e8 });
    assert.ok(Buffer.compare(read, content) === 0);
    for (const args of [
      ['-c'],
      ['-19', '-c'],
      ['--no-check', '-c'],
      ['--fast=5', '-c'],
      ['--long=27', '-c'],
    ]) {
      for (const part of [content, content.subarray(0, 100), content.subarray(0, 70_000)]) {
        const theirs = execFileSync('zstd', args, { input: part, maxBuffer: 1e8 });
        for (const compressor of [zstd(), wasmOnly]) {
          const back = await whole(compressor.decompress(cut(theirs, 5000), limits));
          assert.ok(Buffer.compare(back, part) === 0, args.join(' '));
        }
      }
    }
  });

  it('skip skippable frames', async () => {
    const frame = wasm.compress(text(100), 3);
    const skip = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const bytes = Buffer.concat([skip, frame, skip]);
    assert.equal((await whole(zstd().decompress(cut(bytes, 2), limits))).length, 100);
    await refused(
      whole(zstd().decompress(cut(bytes.subarray(0, -1), 99), limits)),
      'LODE_TRUNCATED',
    );
  });

  it('that are hostile end in a typed error', async () => {
    const frame = wasm.compress(text(5000), 3);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (changes, native) => {
          const hurt = frame.slice();
          for (const [at, value] of changes) hurt[at] = value;
          const engine = (native ? nativeZstd() : undefined) ?? wasm;
          try {
            await whole(decompressed(engine, cut(hurt, 1000), { ...limits, bytesMax: 1e6 }));
          } catch (error) {
            if (!isLodeError(error)) throw error;
          }
        },
      ),
      { numRuns: 200 },
    );
    assert.equal(
      (await whole(decompressed(wasm, cut(frame, 99), limits))).length,
      5000,
      'and does no lasting harm',
    );
  });
});

describe('levels', () => {
  it('are checked at once', () => {
    for (const make of [
      () => gzip({ level: 0 }),
      () => gzip({ level: 10 }),
      () => zstd({ level: 2.5 }),
      () => zstd({ level: 23 }),
    ]) {
      assert.throws(make, { code: 'LODE_INVALID_ARGUMENT' });
    }
  });
});
