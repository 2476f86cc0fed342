/** At risk: refusing what Go wrote, or trusting what nobody could have written. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Encode } from '../../../src/bytes/index.ts';
import type { DatasetManifest } from '../../../src/dataset/manifest/index.ts';
import {
  decodeManifest,
  defaultManifestLimits,
  encodeManifest,
} from '../../../src/dataset/manifest/index.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { isLodeError } from '../../../src/errors.ts';
import { formatTime } from '../../../src/encoding/time.ts';
import { blobManifest, blobText, hiveManifest, hiveText } from './manifest-examples.ts';

const key = 'datasets/mydata/snapshots/1767323045123456789/manifest.json';
const decode = (text: string): DatasetManifest => decodeManifest(utf8Encode(text), { key });
type Json = Record<string, unknown>;
const changed = (change: (m: Json) => void): string => {
  const m = JSON.parse(blobText) as Json;
  change(m);
  return JSON.stringify(m);
};
const faults = (
  text: string,
  field: string | undefined,
  code: LodeErrorCode = 'LODE_MANIFEST_INVALID',
): void =>
  assert.throws(
    () => decode(text),
    (e) => isLodeError(e, code) && e.details.field === field && e.details.key === key,
    text.slice(0, 200),
  );

describe('decoding a manifest', () => {
  it('reads the worked examples', () => {
    assert.deepEqual(decode(blobText), blobManifest);
    assert.deepEqual(decode(hiveText), hiveManifest);
  });

  it('names the first member that is missing or impossible (case 33)', () => {
    for (const member of [
      'schema_name',
      'format_version',
      'dataset_id',
      'snapshot_id',
      'created_at',
      'metadata',
      'files',
      'compressor',
      'partitioner',
    ]) {
      faults(
        changed((m) => delete m[member]),
        member,
      );
      faults(
        changed((m) => (m[member] = 7)),
        member,
      );
      if (member !== 'files')
        faults(
          changed((m) => (m[member] = null)),
          member,
        );
    }
    const file = { path: 'p', size_bytes: 1 };
    faults(
      changed((m) => (m['row_count'] = -1)),
      'row_count',
    );
    faults(
      changed((m) => (m['parent_snapshot_id'] = m['snapshot_id'])),
      'parent_snapshot_id',
    );
    faults(
      changed((m) => (m['files'] = [file, { ...file, path: '' }])),
      'files[1].path',
    );
    faults(
      changed((m) => (m['files'] = [{ ...file, size_bytes: -100 }])),
      'files[0].size_bytes',
    );
    faults(
      changed((m) => (m['files'] = [null])),
      'files[0].path',
    );
    faults(
      changed((m) => (m['files'] = [[]])),
      'files[0]',
    );
    faults(
      changed((m) => (m['files'] = {})),
      'files',
    );
    faults(
      changed((m) => (m['metadata'] = [])),
      'metadata',
    );
    faults(
      changed((m) => (m['schema_name'] = 'lode-volume-manifest')),
      'schema_name',
    );
    faults(
      changed((m) => (m['format_version'] = 'new')),
      'format_version',
    );
    faults(
      changed((m) => (m['format_version'] = '2.0.0')),
      'format_version',
      'LODE_FORMAT_TOO_NEW',
    );
    faults(
      changed((m) => (m['created_at'] = '0001-01-01T00:00:00Z')),
      'created_at',
    );
    faults(
      changed((m) => (m['created_at'] = '2026-01-02')),
      'created_at',
    );
    faults(
      changed((m) => (m['min_timestamp'] = 'x')),
      'min_timestamp',
    );
  });

  it('checks in the order of the format', () => {
    const order = ['schema_name', 'dataset_id', 'created_at', 'metadata', 'files', 'compressor'];
    const m = JSON.parse(blobText) as Json;
    for (const member of order) delete m[member];
    for (const member of order) {
      faults(JSON.stringify(m), member);
      m[member] = (JSON.parse(blobText) as Json)[member];
    }
  });

  it('refuses counts that are not exact', () => {
    for (const lie of ['9007199254740992', '1e400', '-9223372036854775808', '1.5', '"1"', 'true'])
      assert.throws(
        () => decode(blobText.replace('"size_bytes": 11', `"size_bytes": ${lie}`)),
        (e) => isLodeError(e, 'LODE_MANIFEST_INVALID'),
        lie,
      );
  });

  it('tolerates what Go tolerates ', () => {
    assert.deepEqual(decode(`${blobText}\n}]garbage`), blobManifest);
    assert.deepEqual(decode(` \r\n${blobText}`), blobManifest);
    assert.deepEqual(decode(changed((m) => (m['future'] = { x: [1] }))), blobManifest);
    assert.deepEqual(decode(blobText.replace('"dataset_id"', '"Dataset_ID"')), blobManifest);
    assert.deepEqual(decode(blobText.replace('"size_bytes"', '"\\u017fIZE_BYTES"')), blobManifest);
    assert.deepEqual(
      decode(blobText.replace('"row_count": 1', '"row_count": 7, "row_count": 1')),
      blobManifest,
    );
    assert.deepEqual(decode(changed((m) => (m['codec'] = null))), blobManifest);
    assert.equal(decode(changed((m) => (m['row_count'] = null))).rowCount, 0);
    const { checksumAlgorithm: _, ...plain } = blobManifest;
    assert.deepEqual(decode(changed((m) => (m['checksum_algorithm'] = ''))), plain);
  });

  it('reads null files as none (E-1)', () => {
    assert.deepEqual(decode(changed((m) => (m['files'] = null))).files, []);
  });

  it('keeps statistics, and drops bounds it cannot compare', () => {
    const stats = {
      row_count: 2,
      columns: [
        { name: 'id', min: 0, max: 7, null_count: 0 },
        { name: 'odd', min: [1], max: 7, null_count: 1, distinct_count: 3 },
        { name: 'ok', null_count: 0 },
      ],
    };
    const text = changed((m) => (m['files'] = [{ path: 'p', size_bytes: 1, stats }]));
    assert.deepEqual(decode(text).files[0]?.stats, {
      rowCount: 2,
      columns: [
        { name: 'id', min: 0, max: 7, nullCount: 0 },
        { name: 'odd', nullCount: 1, distinctCount: 3 },
        { name: 'ok', nullCount: 0 },
      ],
    });
    faults(
      changed((m) => (m['files'] = [{ path: 'p', size_bytes: 1, stats: { columns: [7] } }])),
      'files[0].stats.columns[0]',
    );
  });

  it('integers keep every digit, in metadata and in bounds', () => {
    const text = blobText.replace('"a\\u003cb"', '[18014398509481985]').replace(
      '"size_bytes": 11,',
      `"size_bytes": 11, "stats": {"row_count": 1, "columns": [
           {"name": "id", "min": 1, "max": 9223372036854775807, "null_count": 0}]},`,
    );
    const { metadata, files } = decode(text);
    assert.deepEqual(metadata['note'], [18_014_398_509_481_985n]);
    assert.equal(files[0]?.stats?.columns[0]?.max, 2n ** 63n - 1n);
  });

  it('is the manifest of what was asked for', () => {
    const bytes = utf8Encode(blobText);
    const ask = (dataset?: string, snapshot?: string): unknown =>
      decodeManifest(bytes, { key, dataset, snapshot });
    ask('mydata', '1767323045123456789');
    for (const [dataset, snapshot, field] of [
      ['other', undefined, 'dataset_id'],
      ['mydata', '1', 'snapshot_id'],
    ] as const)
      assert.throws(
        () => ask(dataset, snapshot),
        (e) => isLodeError(e, 'LODE_MANIFEST_INVALID') && e.details.field === field,
      );
  });

  it('hostile text ends in a typed error, and changes no prototype', () => {
    const deep = '['.repeat(1_000_000);
    const inMetadata = (value: string): string => blobText.replace('"a\\u003cb"', () => value);
    for (const text of ['', ' ', 'null', '[]', '7', '"x"', '{', deep, `\ufeff${blobText}`])
      assert.throws(
        () => decode(text),
        (e) => isLodeError(e),
        text.slice(0, 20),
      );
    assert.throws(
      () => decode(inMetadata(deep)),
      (e) => isLodeError(e, 'LODE_LIMIT_EXCEEDED', 'LODE_MANIFEST_INVALID'),
    );
    assert.throws(
      () => decode(inMetadata(deep + ']'.repeat(deep.length))),
      (e) => isLodeError(e, 'LODE_LIMIT_EXCEEDED'),
    );
    const { metadata } = decode(inMetadata('{"__proto__": {"polluted": 1}}'));
    decode(blobText.replace('"schema_name"', '"__proto__": {"polluted": 1}, "schema_name"'));
    assert.equal(({} as Json)['polluted'], undefined);
    assert.equal((metadata['note'] as Json)['polluted'], undefined);
    assert.throws(
      () => decodeManifest(new Uint8Array([...utf8Encode('{"a":"'), 0xff, 0x22, 0x7d]), { key }),
      (e) => isLodeError(e, 'LODE_MANIFEST_INVALID') && e.details.offset === 6,
    );
  });

  it('holds to its limits', () => {
    const bytes = utf8Encode(hiveText);
    for (const limit of [{ bytesMax: bytes.length - 1 }, { depthMax: 2 }, { filesMax: 1 }])
      assert.throws(
        () => decodeManifest(bytes, { key }, { ...defaultManifestLimits, ...limit }),
        (e) => isLodeError(e, 'LODE_LIMIT_EXCEEDED'),
        JSON.stringify(limit),
      );
  });

  it('reads back whatever was written', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const time = fc.bigInt({ min: 0n, max: 2n ** 62n }).map(formatTime);
    const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(value, { nil: undefined });
    const fields = fc.record({
      datasetId: text,
      snapshotId: text,
      createdAt: time,
      metadata: fc.dictionary(text, fc.jsonValue({ noUnicodeString: false })),
      files: fc.uniqueArray(
        fc.record({ path: text, sizeBytes: fc.maxSafeNat(), checksum: optional(text) }),
        { selector: (file) => file.path, maxLength: 5 },
      ),
      parentSnapshotId: optional(text),
      rowCount: fc.maxSafeNat(),
      minTimestamp: optional(time),
      codec: optional(text),
      compressor: text,
      partitioner: text,
    });
    // A manifest that names itself as its parent is refused.
    const manifest = fields.filter((m) => m.parentSnapshotId !== m.snapshotId);
    fc.assert(
      fc.property(manifest, fc.boolean(), (m, seal) => {
        const whole = { ...m, schemaName: 'lode-manifest', formatVersion: '1.0.0' };
        const bytes = encodeManifest(whole as unknown as DatasetManifest, { seal });
        const again = encodeManifest(decodeManifest(bytes, { key }), { seal });
        assert.deepEqual(again, bytes);
        const { manifestChecksum: _, ...back } = decodeManifest(bytes, { key });
        const plain = (value: unknown): unknown =>
          JSON.parse(
            JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)),
          );
        const byPath = (a: { path: string }, b: { path: string }): number =>
          Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
        assert.deepEqual(plain(back), plain({ ...whole, files: [...m.files].sort(byPath) }));
      }),
      { numRuns: 300 },
    );
  });
});
