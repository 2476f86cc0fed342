/**
 * At risk: company. Every layout, codec, compressor and checksum that both sides have is written by one and read by the
 * other, on one directory, in one history.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, openReader } from '../../src/index.ts';
import type { Dataset, Snapshot, Store } from '../../src/index.ts';
import { GoFailure, GoPeer, goPeer } from './go-peer.ts';
import type { GoDataset, GoField, GoSession, GoSnapshot } from './go-peer.ts';
import { codecOf, layoutOf, openOurs } from './open-ours.ts';
import type { Value } from './open-ours.ts';
import { plainFloats, tagged } from './records.ts';
import type { Row } from './records.ts';

const peer = await goPeer();

/** Not in order of names, which is the order in the file. */
const schema: readonly GoField[] = [
  { name: 'region', type: 'string' },
  { name: 'day', type: 'string' },
  { name: 'id', type: 'int64' },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'raw', type: 'bytes', nullable: true },
];

const jsonRows: readonly Row[] = [
  { day: '2024-01-15', region: 'eu/west', id: 1, note: '<a> & "b" \u2028\b' },
  { day: '2024-01-16', region: "it's (ok)!*", id: 2, score: 1e-7, list: [1, null, { x: -0 }] },
  { day: '2024-01-15', region: 'eu/west', id: 3, score: 1e21, deep: { b: 1, a: 'é🦊' } },
];
const typedRows: readonly Row[] = [
  {
    day: '2024-01-15',
    region: 'eu/west',
    id: 2n ** 62n,
    score: -0,
    at: '2024-01-15T01:02:03.123456789Z',
    raw: null,
  },
  {
    day: '2024-01-16',
    region: "it's (ok)!*",
    id: -5n,
    score: null,
    at: null,
    raw: new Uint8Array([0, 255]),
  },
  {
    day: '2024-01-15',
    region: 'eu/west',
    id: 0n,
    score: 0.1,
    at: '1999-12-31T23:59:59Z',
    raw: new Uint8Array(),
  },
];
const blob = new TextEncoder().encode('hello world');

function combinations(): GoDataset[] {
  const all: GoDataset[] = [];
  for (const layout of ['default', 'flat', 'hive'] as const) {
    for (const codec of ['none', 'jsonl', 'parquet'] as const) {
      // Blobs have no fields to partition by.
      if (layout === 'hive' && codec === 'none') continue;
      for (const compressor of ['noop', 'gzip', 'zstd'] as const) {
        for (const checksum of ['none', 'md5'] as const) {
          all.push({
            dataset: `${layout}-${codec}-${compressor}-${checksum}`,
            layout,
            codec,
            compressor,
            checksum,
            ...(layout === 'hive' && { keys: ['day', 'region'] }),
            ...(codec === 'parquet' && { schema }),
          });
        }
      }
    }
  }
  return all;
}

function rowsFor({ codec }: GoDataset): readonly Value[] {
  if (codec === 'none') return [blob];
  return codec === 'parquet' ? typedRows : jsonRows;
}

/** In the order in which a partitioned snapshot gives them back: by path. */
function stored({ layout }: GoDataset, rows: readonly Value[]): readonly Value[] {
  return layout === 'hive' ? [rows[0], rows[2], rows[1]].filter((row) => row !== undefined) : rows;
}

function asGo({ codec }: GoDataset, value: Value): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  return codec === 'parquet' ? tagged(schema, value) : value;
}

function fromGo({ codec }: GoDataset, value: unknown): unknown {
  return codec === 'parquet' ? plainFloats(value as Row) : value;
}

describe(
  'one directory, two implementations',
  { skip: 'missing' in peer ? peer.missing : false },
  () => {
    let go: GoSession;
    let root: string;
    let store: Store;

    before(async () => {
      assert.ok(peer instanceof GoPeer);
      go = peer.serve();
      root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
      store = fsStore(root, { durability: 'none' });
    });
    after(async () => {
      await go[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    });

    /** Our second way to write: as a stream. */
    async function stream(
      ours: Dataset<Value>,
      spec: GoDataset,
      rows: readonly Value[],
    ): Promise<Snapshot> {
      if (spec.codec !== 'none') return ours.streamWriteRecords(rows);
      await using writer = await ours.streamWrite(null);
      for (const chunk of rows) await writer.write(chunk as Uint8Array);
      return await writer.commit();
    }

    function goWrite(spec: GoDataset, more: object): Promise<GoSnapshot> {
      const records = rowsFor(spec).map((row) => asGo(spec, row));
      return go.request('write', { root, ...spec, records, ...more });
    }

    for (const spec of combinations()) {
      it(spec.dataset, async () => {
        const ours = await openOurs(store, spec);
        const rows = rowsFor(spec);
        const expected = stored(spec, rows);

        const first = await ours.write(rows, { by: 'us', note: '<é>', n: 7 });
        const second = await goWrite(spec, { metadata: { by: 'go', note: '<é>' } });
        await ours.latest();
        const third = await stream(ours, spec, rows);
        const ids = [first.id, second.id, third.id];

        // Go reads all three, as one history.
        const snapshots = await go.request<GoSnapshot[]>('snapshots', { root, ...spec });
        assert.deepEqual(
          snapshots.map(({ id, manifest }) => [id, manifest.parent_snapshot_id]),
          ids.map((id, at) => [id, ids[at - 1]]),
        );
        for (const { id, manifest } of snapshots) {
          const read = await go.request<{ records: unknown[] }>('read', { root, ...spec, id });
          assert.deepEqual(
            read.records.map((row) => fromGo(spec, row)),
            expected.map((row) => asGo(spec, row)),
          );
          assert.equal(manifest.row_count, rows.length);
          assert.equal(manifest.checksum_algorithm, spec.checksum === 'md5' ? 'md5' : undefined);
        }
        assert.deepEqual(snapshots[0]?.manifest.metadata, { by: 'us', note: '<é>', n: 7 });
        assert.equal((await go.request<GoSnapshot>('latest', { root, ...spec })).id, third.id);
        // Both sides say the same of the same content: facts of the files, but for ids, sizes and digests.
        assert.deepEqual(facts(snapshots[0]), facts(snapshots[1]));

        // We read all three, verified.
        for (const id of ids) assert.deepEqual(await ours.read(id), expected);
        assert.deepEqual((await ours.verify()).problems, []);
        await sameListings(spec);
      });
    }

    /** What a manifest says of its files, ids replaced. */
    function facts(snapshot: GoSnapshot | undefined): unknown {
      assert.ok(snapshot !== undefined);
      return snapshot.manifest.files?.map(({ path, stats }) => ({
        path: path.replaceAll(/\d{19}/g, '<id>'),
        stats,
      }));
    }

    async function sameListings(spec: GoDataset): Promise<void> {
      const codec = codecOf(spec);
      const reader = await openReader({
        store,
        layout: layoutOf(spec),
        ...(codec && { codecs: [codec] }),
      });
      const partitions: string[] = [];
      for await (const partition of reader.partitions(spec.dataset)) partitions.push(partition);
      const manifests: string[] = [];
      for await (const { ref } of reader.manifests(spec.dataset)) manifests.push(ref.id);
      assert.deepEqual(
        new Set(await go.request<string[]>('partitions', { root, ...spec })),
        new Set(partitions),
      );
      const theirs = await go.request<{ id: string }[]>('manifests', { root, ...spec });
      assert.deepEqual(new Set(theirs.map(({ id }) => id)), new Set(manifests));
    }

    it('each notices that the other has moved on', async () => {
      const spec: GoDataset = { dataset: 'conflicts', codec: 'jsonl' };
      const ours = await openOurs(store, spec);
      await ours.write(jsonRows);
      await goWrite(spec, { handle: 'warm' });
      await assert.rejects(ours.write(jsonRows), (error) =>
        isLodeError(error, 'LODE_SNAPSHOT_CONFLICT'),
      );
      await ours.latest();
      const last = await ours.write(jsonRows);
      await assert.rejects(
        goWrite(spec, { handle: 'warm' }),
        (error) => error instanceof GoFailure && error.sentinel === 'ErrSnapshotConflict',
      );
      await go.request('latest', { root, ...spec, handle: 'warm' });
      const theirs = await goWrite(spec, { handle: 'warm' });
      assert.equal(theirs.manifest.parent_snapshot_id, last.id);
    });

    it('writes of no records, by either side, and an empty stream', async () => {
      for (const layout of ['default', 'flat', 'hive'] as const) {
        const spec: GoDataset = {
          dataset: `empty-${layout}`,
          layout,
          keys: ['day'],
          codec: 'jsonl',
        };
        const ours = await openOurs(store, spec);
        const empty = await ours.write([]);
        assert.deepEqual(await go.request('read', { root, ...spec, id: empty.id }), {
          records: [],
        });
        // Go's own empty write would make these fail.
        await go.request('manifest', { root, ...spec, id: empty.id });
        if (layout !== 'hive') await go.request('manifests', { root, ...spec });

        const theirs = await go.request<GoSnapshot>('write', { root, ...spec, records: [] });
        assert.deepEqual(await ours.read(theirs.id), []);
        await ours.latest();
        const streamed = await ours.streamWriteRecords([]);
        assert.deepEqual(await go.request('read', { root, ...spec, id: streamed.id }), {
          records: [],
        });
        assert.equal(streamed.manifest.parentSnapshotId, theirs.id);
        assert.deepEqual((await ours.verify()).problems, []);
      }
    });

    it('timestamps, earliest and latest', async () => {
      const spec: GoDataset = { root, dataset: 'times', codec: 'jsonl' };
      const theirs = await go.request<GoSnapshot>('write', {
        ...spec,
        stamped: true,
        records: ['2024-01-01T10:00:00+09:00', '2023-12-31T20:00:00.12-05:30'].map((at) => ({
          at: { $time: at },
        })),
      });
      const ours = await openOurs(store, spec);
      const { manifest } = await ours.snapshot(theirs.id);
      assert.equal(manifest.minTimestamp, '2024-01-01T10:00:00+09:00');
      assert.equal(manifest.maxTimestamp, '2023-12-31T20:00:00.12-05:30');
      assert.equal(theirs.manifest.max_timestamp, manifest.maxTimestamp);
    });
  },
);
