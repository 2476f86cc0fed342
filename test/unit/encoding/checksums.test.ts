/** At risk: a digest that no other tool agrees with, or that depends on how the bytes arrived. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Checksum } from '../../../src/encoding/checksum.ts';
import { crc32c as crc32cOf, crc32cWord } from '../../../src/encoding/checksums/crc32c.ts';
import { readyWasmHash, wasmHash, wasmHasher } from '../../../src/encoding/checksums/wasm.ts';
import { blake3, crc32c, md5, sha256 } from '../../../src/encoding/index.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Digest of a text, for each algorithm. Published vectors; CRC-32C from RFC 3720 and its check value. */
const vectors: readonly [Checksum, string | Uint8Array, string][] = [
  [md5(), '', 'd41d8cd98f00b204e9800998ecf8427e'],
  [md5(), 'hello world', '5eb63bbbe01eeed093cb22bb8f5acdc3'],
  [sha256(), '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [sha256(), 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [crc32c(), '', '00000000'],
  [crc32c(), '123456789', 'e3069283'],
  [crc32c(), new Uint8Array(32), '8a9136aa'],
  [crc32c(), new Uint8Array(32).fill(0xff), '62a8ab43'],
  [crc32c(), new Uint8Array(32).map((_, i) => i), '46dd794e'],
  [blake3(), '', 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
];

describe('checksums', () => {
  it('give the published digests', async () => {
    for (const [checksum, input, expected] of vectors) {
      await checksum.ready?.();
      const bytes = typeof input === 'string' ? utf8(input) : input;
      assert.equal(checksum.hash?.(bytes), expected, checksum.name);
      const hasher = checksum.hasher();
      hasher.update(bytes);
      assert.equal(hasher.digest(), expected, checksum.name);
    }
  });

  it('do not depend on how the bytes are cut, nor on hashes that run beside', async () => {
    const checksums = [md5(), sha256(), crc32c(), blake3()];
    for (const checksum of checksums) await checksum.ready?.();
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
        for (const checksum of checksums) {
          const [one, two] = [checksum.hasher(), checksum.hasher()];
          for (const chunk of chunks) {
            one.update(chunk);
            two.update(chunk);
            two.update(chunk);
          }
          const twice = chunks.flatMap((chunk) => [chunk, chunk]);
          assert.equal(two.digest(), checksum.hash?.(Buffer.concat(twice)));
          assert.equal(one.digest(), checksum.hash?.(Buffer.concat(chunks)));
        }
      }),
    );
  });

  it('CRC-32C takes any piece of an array, of any length and alignment, and a number like its four bytes', () => {
    const bytes = Uint8Array.from({ length: 2_400 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24);
    /** Bit by bit, as the polynomial says. */
    const slow = (from: number, to: number, before: number): number => {
      let crc = ~before;
      for (let i = from; i < to; i++) {
        crc ^= bytes[i] ?? 0;
        for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
      }
      return ~crc >>> 0;
    };
    for (let length = 0; length < 2_350; length += length < 40 ? 1 : 37) {
      const from = length % 11;
      const expected = slow(from, from + length, length);
      assert.equal(crc32cOf(bytes, length, from, from + length), expected, `${length} bytes`);
    }
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < 400; at += 7)
      assert.equal(
        crc32cWord(at * 9_999_991, view.getUint32(at, true)),
        slow(at, at + 4, at * 9_999_991),
      );
  });

  it('agree with the platform where WebAssembly stands in for it', async () => {
    for (const algorithm of ['md5', 'sha256'] as const) {
      await Promise.all([readyWasmHash(algorithm), readyWasmHash(algorithm)]);
      const bytes = utf8('hello world');
      assert.equal(wasmHash(algorithm, bytes), createHash(algorithm).update(bytes).digest('hex'));
    }
  });

  it('say so when used before they are ready, or after their digest', async () => {
    assert.throws(() => wasmHasher('xxh64'), { code: 'LODE_INVALID_ARGUMENT' });
    const checksum = blake3();
    await checksum.ready?.();
    const hasher = checksum.hasher();
    hasher.digest();
    assert.throws(() => hasher.update(utf8('late')), { code: 'LODE_INVALID_ARGUMENT' });
  });
});
