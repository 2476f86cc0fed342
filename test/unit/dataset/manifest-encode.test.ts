/** At risk: bytes that differ from Go's, and a manifest that the next reader refuses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8Decode } from '../../../src/bytes/index.ts';
import type { DatasetManifest } from '../../../src/dataset/manifest/index.ts';
import { decodeManifest, encodeManifest } from '../../../src/dataset/manifest/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { blobManifest, blobText, hiveManifest, hiveText } from './manifest-examples.ts';

const key = 'datasets/x/snapshots/1/manifest.json';
const textOf = (manifest: DatasetManifest): string | undefined =>
  utf8Decode(encodeManifest(manifest));

describe('encoding a manifest', () => {
  it('reproduces the worked examples byte for byte (spec 4.2, 19.51)', () => {
    assert.equal(textOf(blobManifest), blobText);
    assert.equal(textOf(hiveManifest), hiveText);
  });

  it('writes statistics as the spec shows them', () => {
    const text = textOf({
      ...blobManifest,
      metadata: { z: [1, { b: 2, a: [] }], '10': null, '9': {}, é: 'a\u2028<>&\n' },
      files: [
        {
          path: 'a',
          sizeBytes: 0,
          stats: {
            rowCount: 2,
            columns: [
              { name: 'id', min: 0, max: 2n ** 60n, nullCount: 0 },
              { name: 'x', min: -0.5, max: 1e21, nullCount: 1, distinctCount: 2 },
              { name: 'ok', nullCount: 0 },
            ],
          },
        },
        { path: 'b', sizeBytes: 9_007_199_254_740_991, stats: { rowCount: 0, columns: [] } },
      ],
    });
    assert.equal(
      text?.slice(text.indexOf('  "metadata"'), text.indexOf('  "row_count": 1,')),
      `  "metadata": {
    "10": null,
    "9": {},
    "z": [
      1,
      {
        "a": [],
        "b": 2
      }
    ],
    "é": "a\\u2028\\u003c\\u003e\\u0026\\n"
  },
  "files": [
    {
      "path": "a",
      "size_bytes": 0,
      "stats": {
        "row_count": 2,
        "columns": [
          {
            "name": "id",
            "min": 0,
            "max": 1152921504606846976,
            "null_count": 0
          },
          {
            "name": "x",
            "min": -0.5,
            "max": 1e+21,
            "null_count": 1,
            "distinct_count": 2
          },
          {
            "name": "ok",
            "null_count": 0
          }
        ]
      }
    },
    {
      "path": "b",
      "size_bytes": 9007199254740991,
      "stats": {
        "row_count": 0
      }
    }
  ],
`,
    );
  });

  it('sorts files by the bytes of their paths', () => {
    const paths = ['b', '\u{1f600}', '\uffff', 'a'];
    const files = paths.map((path) => ({ path, sizeBytes: 1 }));
    const decoded = decodeManifest(encodeManifest({ ...blobManifest, files }), { key });
    assert.deepEqual(
      decoded.files.map((file) => file.path),
      ['a', 'b', '\uffff', '\u{1f600}'],
    );
  });

  it('an empty snapshot has an empty array of files (E-1)', () => {
    const text = textOf({ ...blobManifest, files: [], rowCount: 0, metadata: {} });
    assert.ok(text?.includes('"metadata": {},\n  "files": [],\n'));
  });

  it('refuses what could not be read back', () => {
    const bad: readonly Partial<DatasetManifest>[] = [
      { datasetId: '' },
      { snapshotId: '' },
      { createdAt: '' },
      { compressor: '' },
      { rowCount: -1 },
      { rowCount: 1.5 },
      { rowCount: Number.NaN },
      { rowCount: 2 ** 53 },
      { files: [{ path: '', sizeBytes: 1 }] },
      { files: [{ path: 'a', sizeBytes: -1 }] },
      {
        files: [
          { path: 'a', sizeBytes: 1 },
          { path: 'a', sizeBytes: 1 },
        ],
      },
      { metadata: [] as unknown as DatasetManifest['metadata'] },
      { metadata: null as unknown as DatasetManifest['metadata'] },
      { metadata: { x: Number.NaN } },
      { metadata: { x: () => 1 } },
      {
        files: [
          {
            path: 'a',
            sizeBytes: 1,
            stats: { rowCount: 1, columns: [{ name: 'x', min: Infinity, max: 1, nullCount: 0 }] },
          },
        ],
      },
    ];
    for (const change of bad)
      assert.throws(
        () => encodeManifest({ ...blobManifest, ...change }),
        (e) => isLodeError(e, 'LODE_INVALID_ARGUMENT', 'LODE_INVALID_RECORD'),
        JSON.stringify(change),
      );
  });
});

describe('the seal', () => {
  const bytes = encodeManifest(hiveManifest, { seal: true });

  it('adds one last member and nothing else', () => {
    const text = utf8Decode(bytes) ?? '';
    assert.equal(text.replace(/,\n {2}"manifest_checksum": "crc32c:[0-9a-f]{8}"/, ''), hiveText);
    const { manifestChecksum, ...rest } = decodeManifest(bytes, { key });
    assert.match(manifestChecksum ?? '', /^crc32c:[0-9a-f]{8}$/);
    assert.deepEqual(rest, hiveManifest);
  });

  it('every change of every byte is detected', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [
        1,
        0x20,
        0x80,
        0x51,
        (bytes[at] ?? 0) ^ 0x7d,
        (bytes[at] ?? 0) ^ 0x20,
      ]) {
        if (change === 0) continue;
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ change;
        assert.throws(
          () => decodeManifest(damaged, { key }),
          (e) => isLodeError(e, 'LODE_CHECKSUM_MISMATCH'),
          `byte ${at} by ${change}`,
        );
      }
    }
  });

  it('cut, extended and spliced manifests are detected', () => {
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decodeManifest(bytes.subarray(0, length), { key }));
    const withTail = new Uint8Array([...bytes, 10]);
    assert.throws(() => decodeManifest(withTail, { key }));
    const moved = new TextEncoder().encode(
      (utf8Decode(bytes) ?? '').replace(/\n\}$/, ',\n  "later": 1\n}'),
    );
    assert.throws(() => decodeManifest(moved, { key }));
  });
});
