/** At risk: pages that do not decompress to what was compressed, here or elsewhere. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { snappyCompress } from '../../../src/encoding/parquet/snappy-compress.ts';
import { snappyDecompress } from '../../../src/encoding/parquet/snappy.ts';

const place = { key: 'k', offset: 0 };

function roundTrip(bytes: Uint8Array): Uint8Array {
  const packed = snappyCompress(bytes);
  assert.deepEqual(snappyDecompress(packed, bytes.length, place), bytes);
  const theirs = new Uint8Array(bytes.length);
  snappyUncompress(packed, theirs);
  assert.deepEqual(theirs, bytes);
  return packed;
}

describe('Snappy', () => {
  it('gives back what it was given', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ max: 3, maxLength: 2000, size: 'max' }),
      fc
        .array(fc.constantFrom('abcd', 'abcdefgh', 'x', 'the same words', '\0\0\0\0\0\0\0'), {
          maxLength: 400,
          size: 'max',
        })
        .map((words) => new TextEncoder().encode(words.join(''))),
    );
    fc.assert(
      fc.property(bytes, (input) => void roundTrip(input)),
      { numRuns: 500 },
    );
  });

  it('gives back more than one block, and runs of every length', () => {
    const long = new Uint8Array(300_000).map((_, i) => (i * i) >> 7);
    roundTrip(long);
    assert.ok(roundTrip(new Uint8Array(300_000)).length < 20_000);
    for (let length = 0; length < 300; length++) roundTrip(new Uint8Array(length).fill(7));
  });

  it('does not grow what does not repeat by more than it may', () => {
    let seed = 1;
    const noise = new Uint8Array(200_000).map(
      () => (seed = Math.imul(seed, 1_103_515_245) + 12_345) >>> 23,
    );
    assert.ok(roundTrip(noise).length < 200_100);
  });
});
