/**
 * At risk: a snapshot that is not what was written, or half a one. Acceptance cases about writing and reading;
 * where we rule otherwise than Go (streams partition, Parquet streams, definite failures clean up), ours is asserted.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultLayout, hive } from '../../../src/dataset/index.ts';
import { gzip, jsonl, md5, none, sha256, zstd } from '../../../src/encoding/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { createMeter } from '../../../src/store/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { utf8Encode } from '../../../src/bytes/index.ts';
import {
  all,
  bedOf,
  bytesOf,
  fails,
  keysOf,
  manifestKey,
  onBoth,
  pointerKey,
  textOf,
  textOfBlob,
} from './bed.ts';
import type { Bed, Row } from './bed.ts';

const hello = utf8Encode('hello world');

const invisible = async (bed: Bed): Promise<void> => {
  await fails((await bed.blobs()).latest(), 'LODE_NO_SNAPSHOTS');
  assert.deepEqual(await keysOf(bed.store), []);
};

void describe('writing', () => {
  // Case 4.
  onBoth('stores no metadata as an empty object, however it was left out', async (bed) => {
    const records = await bed.records();
    const blobs = await bed.blobs();
    for (const metadata of [null, {}, undefined]) {
      const writer = await blobs.streamWrite(metadata);
      await writer.write(hello);
      const made = [
        await records.write([{ n: 1 }], metadata),
        await records.streamWriteRecords([{ n: 1 }], metadata),
      ];
      await blobs.latest();
      made.push(await writer.commit());
      for (const { id, manifest } of made) {
        assert.deepEqual(manifest.metadata, {});
        assert.match((await textOf(bed.store, manifestKey(id))) ?? '', /"metadata": \{\},/);
        assert.deepEqual((await (await bed.records()).snapshot(id)).manifest.metadata, {});
      }
      await records.latest();
    }
  });

  // Case 5.
  onBoth('takes exactly one array of bytes where there is no codec', async (bed) => {
    const dataset = await bed.blobs();
    const asAny = dataset.write.bind(dataset) as (records: unknown) => Promise<unknown>;
    for (const bad of [[hello, hello], ['text'], [], [null], hello, 'text', null]) {
      const error = await fails(asAny(bad), 'LODE_INVALID_ARGUMENT');
      assert.equal(error.details.field, 'records');
    }
    await invisible(bed);
    const { id, manifest } = await dataset.write([hello]);
    assert.equal(manifest.rowCount, 1);
    assert.ok(!('codec' in manifest) && !('minTimestamp' in manifest));
    assert.doesNotMatch((await textOf(bed.store, manifestKey(id))) ?? '', /codec|timestamp/);
  });

  // Case 6.
  onBoth('raw bytes by partition is refused at open, and so are no keys', async (bed) => {
    await fails(bed.blobs({ layout: hive('day') }), 'LODE_PARTITIONING_NOT_SUPPORTED');
    const noKeys = async (): Promise<unknown> => (hive as () => unknown)();
    await fails(noKeys(), 'LODE_INVALID_ARGUMENT');
  });

  // Case 8.
  onBoth('compresses whatever way the data comes', async (bed) => {
    for (const [compressor, name, ending] of [
      [gzip(), 'gzip', '.gz'],
      [zstd(), 'zstd', '.zst'],
    ] as const) {
      const records = await bed.records({ compressor });
      const blobs = await bed.blobs({ compressor });
      const writer = await blobs.streamWrite();
      await writer.write(hello);
      const blob = await writer.commit();
      const written = await records.write([{ n: 1 }, { n: 2 }]);
      const streamed = await records.streamWriteRecords([{ n: 1 }, { n: 2 }]);
      for (const { id, manifest } of [blob, written, streamed]) {
        const [file] = manifest.files;
        assert.equal(manifest.compressor, name);
        assert.ok(file !== undefined && file.path.endsWith(ending));
        assert.equal((await bed.store.head(file.path))?.size, file.sizeBytes);
        if (id === blob.id) assert.equal(await textOfBlob(blobs, id), 'hello world');
        else assert.deepEqual(await records.read(id), [{ n: 1 }, { n: 2 }]);
      }
      await blobs.latest();
    }
  });

  // Case 9: we store an empty frame, and read Go's 0 bytes.
  onBoth('of no records is a snapshot of none', async (bed) => {
    for (const compressor of [none(), gzip(), zstd()]) {
      const dataset = await bed.records({ compressor });
      const streamed = await dataset.streamWriteRecords([]);
      const [file] = streamed.manifest.files;
      assert.equal(streamed.manifest.rowCount, 0);
      assert.equal((await bed.store.head(file?.path ?? ''))?.size, file?.sizeBytes);
      assert.deepEqual(await dataset.read(streamed.id), []);
      const written = await dataset.write([]);
      // E-1: an empty list, never null, which would end Go's readers.
      assert.match((await textOf(bed.store, manifestKey(written.id))) ?? '', /"files": \[\],/);
      assert.deepEqual(await dataset.read(written.id), []);
    }
  });

  // Case 10.
  onBoth('records the digest of the stored bytes', async (bed) => {
    const plain = await (await bed.blobs({ checksum: md5() })).write([hello]);
    assert.equal(plain.manifest.files[0]?.checksum, '5eb63bbbe01eeed093cb22bb8f5acdc3');
    const zipped = await (await bed.blobs({ checksum: md5(), compressor: gzip() })).write([hello]);
    const [file] = zipped.manifest.files;
    const stored = await (await bed.store.get(file?.path ?? ''))?.bytes();
    assert.equal(file?.checksum, md5().hash?.(stored ?? hello));
    assert.notEqual(file?.checksum, plain.manifest.files[0]?.checksum);
    const { id } = await (await bed.blobs({ checksum: false })).write([hello]);
    const text = (await textOf(bed.store, manifestKey(id))) ?? '';
    assert.doesNotMatch(text.replace('"manifest_checksum"', ''), /"checksum/);
  });

  // Case 14.
  onBoth('in chunks is the same as at once', async (bed) => {
    const dataset = await bed.blobs();
    const writer = await dataset.streamWrite();
    for (const chunk of ['chunk1', '-chunk2', '-chunk3']) await writer.write(chunk);
    const { id, manifest } = await writer.commit();
    assert.equal(manifest.files[0]?.sizeBytes, 20);
    assert.equal(await textOfBlob(dataset, id), 'chunk1-chunk2-chunk3');
    const streamed = await bytesOf(dataset.stream(id));
    assert.deepEqual(streamed, utf8Encode('chunk1-chunk2-chunk3'));
  });

  // Case 15. Ours streams Parquet and partitions.
  onBoth('refuses a stream that does not go with the dataset', async (bed) => {
    await fails((await bed.records()).streamWrite(), 'LODE_CODEC_CONFIGURED');
    const none = undefined as unknown as Row[];
    await fails((await bed.records()).streamWriteRecords(none), 'LODE_INVALID_ARGUMENT');
    await fails((await bed.blobs()).streamWriteRecords(none as never), 'LODE_INVALID_ARGUMENT');
    const withoutCodec = (await bed.blobs()).streamWriteRecords([hello]);
    assert.equal((await fails(withoutCodec, 'LODE_INVALID_ARGUMENT')).details.field, 'codec');
    const whole = { ...jsonl<Row>(), streaming: false };
    const all = (await bed.records({ codec: whole })).streamWriteRecords([]);
    await fails(all, 'LODE_CODEC_NOT_STREAMABLE');
    await invisible(bed);
    const partitioned = await bed.records({ layout: hive('k') });
    const { manifest } = await partitioned.streamWriteRecords([{ k: 'a' }, { k: 'b' }]);
    assert.equal(manifest.files.length, 2);
  });

  // Case 16.
  onBoth('rethrows what the iterable threw, and takes everything back', async (bed) => {
    const reason = new Error('the source broke');
    for (const layout of [defaultLayout(), hive('k')]) {
      async function* broken(): AsyncGenerator<Row> {
        yield { k: 'a', text: 'x'.repeat(400_000) };
        yield { k: 'b' };
        throw reason;
      }
      const dataset = await bed.records({ layout });
      const write = dataset.streamWriteRecords(broken(), {}, { openFilesMax: 1 });
      await assert.rejects(write, (error) => error === reason);
      await invisible(bed);
    }
  });

  // Case 17.
  onBoth('finds the earliest and the latest time', async (bed) => {
    const at = (time: string): Row => ({ time });
    const rows = [
      at('2024-01-01T10:00:00Z'),
      at('2024-01-15T12:00:00Z'),
      at('2024-01-10T08:00:00Z'),
    ];
    const asDate = (row: Row): Date => new Date(row['time'] as string);
    const asText = (row: Row): string => row['time'] as string;
    const asNs = (row: Row): bigint => BigInt(asDate(row).getTime()) * 1_000_000n;
    for (const timestamp of [asDate, asText, asNs]) {
      const dataset = await bed.records({ timestamp });
      for (const made of [await dataset.write(rows), await dataset.streamWriteRecords(rows)]) {
        assert.equal(made.manifest.minTimestamp, '2024-01-01T10:00:00Z');
        assert.equal(made.manifest.maxTimestamp, '2024-01-15T12:00:00Z');
      }
      const { manifest } = await dataset.write(rows.slice(0, 1));
      assert.equal(manifest.minTimestamp, manifest.maxTimestamp);
    }
    const { manifest } = await (await bed.records()).write(rows);
    assert.ok(!('minTimestamp' in manifest) && !('maxTimestamp' in manifest));
  });

  void it('compares times as instants, keeps their zone, and names the record that has none', async () => {
    const bed = bedOf('guarded put');
    const timestamp = (row: Row): never => row['t'] as never;
    const dataset = await bed.records({ timestamp });
    const zoned = await dataset.write([
      { t: '2024-01-01T01:00:00.5+02:00' },
      { t: '2024-01-01T00:00:00Z' },
      { t: '2023-12-31T23:00:00.500000000Z' },
    ]);
    assert.equal(zoned.manifest.minTimestamp, '2024-01-01T01:00:00.5+02:00');
    assert.equal(zoned.manifest.maxTimestamp, '2024-01-01T00:00:00Z');
    const some = await dataset.write([{ t: null }, {}, { t: '2024-01-01T00:00:00Z' }]);
    assert.equal(some.manifest.minTimestamp, '2024-01-01T00:00:00Z');
    for (const t of ['yesterday', 17, {}, true, Number.NaN]) {
      const error = await fails(
        dataset.write([{ t: '2024-01-01T00:00:00Z' }, { t }]),
        'LODE_INVALID_RECORD',
      );
      assert.equal(error.details.record, 1);
    }
    const broken = await bed.records({ timestamp: () => new Date(Number.NaN) });
    await fails(broken.write([{ n: 1 }]), 'LODE_INVALID_RECORD');
  });
});

void describe('a stream of bytes', () => {
  // Case 11.
  onBoth('is invisible until it is committed', async (bed) => {
    const dataset = await bed.blobs();
    const writer = await dataset.streamWrite();
    await writer.write(new Uint8Array(300_000));
    await writer.write(hello);
    await fails((await bed.blobs()).latest(), 'LODE_NO_SNAPSHOTS');
    assert.deepEqual(await all(dataset.snapshots()), []);
    const { id } = await writer.commit();
    assert.equal((await dataset.latest()).id, id);
    assert.equal((await dataset.read(id))[0]?.length, 300_011);
  });

  // Case 12.
  onBoth('that is given up leaves nothing, even when nothing can be deleted', async (bed) => {
    for (const way of ['abort', 'close', 'dispose'] as const) {
      const { store, calls } = faultyStore(bed.store, { kind: 'fail', on: 'delete' });
      assert.equal(calls, 0);
      const dataset = await bed.blobs({ store });
      const writer = await dataset.streamWrite();
      await writer.write(new Uint8Array(300_000));
      await writer.write(hello);
      if (way === 'dispose') await writer[Symbol.asyncDispose]();
      else await writer[way]();
      await invisible(bed);
    }
  });

  // Case 32. A definite failure of the manifest: under a lock nothing shows, so the data is taken back. Where the pointer
  // has moved first, the data stays: whoever fences the pointer decides (E-3).
  onBoth('whose manifest is refused is not committed', async (bed) => {
    const deny = { kind: 'deny', on: 'put', key: (key: string) => key.endsWith('.json') } as const;
    const { store } = faultyStore(bed.store, deny);
    const dataset = await bed.blobs({ store });
    const writer = await dataset.streamWrite();
    await writer.write(hello);
    await fails(writer.commit(), 'LODE_PERMISSION_DENIED');
    await fails((await bed.blobs()).latest(), 'LODE_NO_SNAPSHOTS');
    assert.deepEqual(
      (await keysOf(bed.store)).filter((key) => key !== pointerKey && !key.includes('/data/')),
      [],
    );
    if (bed.kind === 'guarded put') assert.deepEqual(await keysOf(bed.store), []);
    const { manifest } = await dataset.write([hello]);
    assert.equal(manifest.parentSnapshotId, undefined);
  });
});

void describe('reading', () => {
  // Case 7.
  onBoth(
    'with other components than those of writing is refused before data is fetched',
    async (bed) => {
      const { id } = await (await bed.records({ compressor: gzip() })).write([{ n: 1 }]);
      const blob = await (await bed.blobs({ compressor: gzip() })).write([hello]);
      const expectations = [
        [await bed.blobs({ compressor: gzip() }), id, 'codec', 'jsonl', 'none'],
        [await bed.records(), id, 'compressor', 'gzip', 'noop'],
        [await bed.records({ compressor: zstd() }), id, 'compressor', 'gzip', 'zstd'],
        [await bed.records({ compressor: gzip() }), blob.id, 'codec', 'none', 'jsonl'],
      ] as const;
      for (const [dataset, snapshot, field, expected, actual] of expectations) {
        const meter = createMeter();
        for (const read of [
          dataset.read(snapshot, { meter }),
          dataset.records(snapshot, { meter }),
          dataset.stream(snapshot, { meter }),
        ]) {
          const error = await fails(read as Promise<unknown>, 'LODE_COMPONENT_MISMATCH');
          const { details } = error;
          assert.deepEqual(
            [details.field, details.expected, details.actual, details.snapshot],
            [field, expected, actual, snapshot],
          );
        }
        assert.equal(meter.snapshot().gets, 3, 'more than the manifest was fetched');
      }
    },
  );

  // Case 35.
  onBoth('Parquet statistics are those of the values', async (bed) => {
    const codec = parquet({
      id: 'int64',
      name: 'string?',
      score: 'float64',
      nothing: 'string?',
      flag: 'bool',
    });
    const dataset = await bed.records({ codec: codec as never, checksum: sha256() });
    const { manifest } = await dataset.write([
      { id: 10, name: 'alice', score: 95.5, nothing: null, flag: true },
      { id: 1, name: null, score: 87.3, nothing: null, flag: false },
      { id: 5, name: 'carol', score: 99, nothing: null, flag: true },
    ]);
    const stats = manifest.files[0]?.stats;
    const column = (name: string): unknown => stats?.columns.find((c) => c.name === name);
    assert.equal(stats?.rowCount, 3);
    assert.deepEqual(column('id'), { name: 'id', min: 1, max: 10, nullCount: 0 });
    assert.deepEqual(column('name'), { name: 'name', min: 'alice', max: 'carol', nullCount: 1 });
    assert.deepEqual(column('score'), { name: 'score', min: 87.3, max: 99, nullCount: 0 });
    assert.deepEqual(column('nothing'), { name: 'nothing', nullCount: 3 });
    assert.ok(!('min' in ((column('flag') as object | undefined) ?? {})));
    const lines = await (await bed.records()).write([{ id: 1 }]);
    assert.equal(lines.manifest.files[0]?.stats, undefined);
  });
});
