/** At risk: two ways to read one manifest that do not agree. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Decode, utf8Encode } from '../../../src/bytes/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { BlockTable } from '../../../src/volume/block-table.ts';
import { decodeManifest, encodeManifest } from '../../../src/volume/manifest/index.ts';
import { blocksMark, scanBlocks } from '../../../src/volume/manifest/scan.ts';

const limits = { key: 'k', blocksMax: 1000 };
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

function encoded(volumeId: string, blocks: BlockTable, metadata: object = {}): Uint8Array {
  return encodeManifest({
    schemaName: 'lode-volume-manifest',
    formatVersion: '1.0.0',
    volumeId,
    snapshotId: '1767323045323456789',
    createdAt: '2026-01-02T03:04:05Z',
    metadata: metadata as Record<string, unknown>,
    totalLength: 2 ** 53 - 1,
    blocks,
  });
}

/** Decoded from its own form, and from one that only the general way reads. */
function bothWays(bytes: Uint8Array, volume: string): unknown[] {
  const loose = utf8Encode(JSON.stringify(JSON.parse(utf8Decode(bytes) ?? '')));
  return [bytes, loose].map((form) => {
    try {
      const { blocks, ...rest } = decodeManifest(form, { key: 'k', volume });
      return { ...rest, blocks: [...blocks.from(0)] };
    } catch (error) {
      assert.ok(isLodeError(error), String(error));
      return error.code;
    }
  });
}

describe('scanning the blocks of a manifest', () => {
  const spans = fc.array(
    fc.record({
      offset: fc.oneof(fc.nat(2 ** 31), fc.integer({ min: 2 ** 53 - 2000, max: 2 ** 53 - 200 })),
      length: fc.integer({ min: 1, max: 100 }),
      checksum: fc.option(fc.constantFrom(sha, '0'.repeat(32), 'odd:"\\', 'x:ü'), {
        nil: undefined,
      }),
    }),
    { maxLength: 20 },
  );
  const names = fc.constantFrom('vol', 'a b', 'ü<&>', 'quo"te');

  it('agrees with the general way, in order or not, overlapping or not', () => {
    fc.assert(
      fc.property(spans, names, fc.json(), (given, volume, json) => {
        const bytes = encoded(volume, BlockTable.of(given), { given: JSON.parse(json) as unknown });
        const [fast, slow] = bothWays(bytes, volume);
        assert.deepEqual(fast, slow);
      }),
      { numRuns: 300 },
    );
  });

  it('is exact to the last byte of the largest volume', () => {
    const far = Array.from({ length: 30 }, (_, i) => ({ offset: 2 ** 53 - 40 + i, length: 1 }));
    const scanned = scanBlocks(encoded('vol', BlockTable.of(far)), 'vol', limits);
    assert.deepEqual([...(scanned?.blocks.from(0) ?? [])], far);
  });

  it('is what happens to manifests as they are written, and to no other form', () => {
    const bytes = encoded('vol', BlockTable.of([{ offset: 0, length: 10, checksum: sha }]));
    assert.equal(scanBlocks(bytes, 'vol', limits)?.blocks.count, 1);
    assert.equal(scanBlocks(encoded('vol', BlockTable.of([])), 'vol', limits), undefined);
    const good = utf8Decode(bytes) ?? '';
    for (const [from, to] of [
      ['"length": 10', '"length": 010'],
      ['"length": 10', '"length": 11'],
      ['"length": 10', '"length": 1e1'],
      ['"offset": 0', '"offset": -0'],
      ['"offset": 0', '"offset": 9007199254740993'],
      ['data/0-10.bin', 'data/1-10.bin'],
      ['vol/data', 'vol2/data'],
      ['sha256:', 'sha\\u0032'],
      ['"checksum"', '"Checksum"'],
      ['    }', '   }'],
    ] as const)
      assert.equal(scanBlocks(utf8Encode(good.replace(from, to)), 'vol', limits), undefined, to);
    assert.throws(
      () => scanBlocks(bytes, 'vol', { key: 'k', blocksMax: 0 }),
      (error) => isLodeError(error, 'LODE_LIMIT_EXCEEDED'),
    );
  });

  it('is not misled by a list elsewhere, nor by a second one', () => {
    const list = (n: number): string =>
      `[\n    {\n      "offset": ${n},\n      "length": 1,\n      "path": "volumes/vol/data/${n}-1.bin"\n    }\n  ]`;
    const rest =
      '"schema_name":"lode-volume-manifest","format_version":"1.0.0","volume_id":"vol","snapshot_id":"s",' +
      '"created_at":"2026-01-02T03:04:05Z","total_length":100';
    for (const [text, offset] of [
      [`{"metadata":{\n  "blocks": ${list(1)}},"blocks":${list(2)},${rest}}`, 2],
      [`{"metadata":{},\n  "blocks": ${list(1)},"blocks":${list(2)},${rest}}`, 2],
      [`{"metadata":{},\n  "blocks": ${list(1)},"BLOCKS":${list(2)},${rest}}`, 2],
      [`{"metadata":{"mark":${JSON.stringify(blocksMark)}},\n  "blocks": ${list(3)},${rest}}`, 3],
    ] as const) {
      const { blocks } = decodeManifest(utf8Encode(text), { key: 'k', volume: 'vol' });
      assert.deepEqual([...blocks.from(0)], [{ offset, length: 1 }]);
    }
  });
});
