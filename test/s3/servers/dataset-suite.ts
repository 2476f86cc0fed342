/** What a dataset promises, on one bucket of a real server: each case on a prefix of its own. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gzip, hive, isLodeError, jsonl, openDataset, zstd } from '../../../src/index.ts';
import type { CallOptions, Dataset, ObjectInfo, Store } from '../../../src/index.ts';
import { parquet } from '../../../src/parquet.ts';
import type { S3Store } from '../../../src/s3.ts';
import { ForwardingStore } from '../../../src/store/wrappers/forwarding.ts';

interface Row {
  readonly day: string;
  readonly n: number;
}

const rows: readonly Row[] = Array.from({ length: 300 }, (_, n) => ({
  day: `2024-01-0${(n % 3) + 1}`,
  n,
}));
/** As a partitioned snapshot gives them back. */
const byDay = rows.toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.n - b.n));

/** `parts` answers false where a server cannot complete an upload in parts under a condition. */
export function datasetSuite(open: () => S3Store, parts: () => boolean): void {
  const on = (name: string, run: (store: Store) => Promise<void>, wanted = () => true): void =>
    void it(name, async (t) => {
      if (!wanted()) return t.skip('conditions do not hold for uploads in parts');
      await using store = open();
      await run(store);
    });

  on('writes, streams and reads records back', async (store) => {
    const dataset = await openDataset<Row>('d', { store, codec: jsonl(), compressor: gzip() });
    const first = await dataset.write(rows, { by: 'us' });
    const second = await dataset.streamWriteRecords(rows);
    const again = await openDataset<Row>('d', { store, codec: jsonl(), compressor: gzip() });
    assert.equal((await again.latest()).id, second.id);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.deepEqual(await again.read(first.id), rows);
    assert.deepEqual(await all(again.records({ since: undefined })), [...rows, ...rows]);
    assert.deepEqual((await again.verify()).problems, []);
  });

  on('keeps partitions apart', async (store) => {
    const options = { store, codec: jsonl<Row>(), layout: hive('day'), compressor: zstd() };
    const dataset = await openDataset<Row>('h', options);
    const { id, manifest } = await dataset.write(rows);
    assert.equal(manifest.files.length, 3);
    assert.deepEqual(await dataset.read(id), byDay);
    assert.deepEqual(
      await dataset.read(id, { partition: { day: '2024-01-02' } }),
      byDay.slice(100, 200),
    );
    assert.deepEqual((await dataset.verify()).problems, []);
  });

  on('reads columns of Parquet by ranges', async (store) => {
    const codec = parquet({ day: 'string', n: 'int32' });
    const dataset = await openDataset('p', { store, codec });
    const { id } = await dataset.write(rows);
    assert.deepEqual(
      await dataset.read(id, { columns: ['n'] }),
      rows.map(({ n }) => ({ n })),
    );
  });

  on(
    'streams bytes larger than one part, and leaves nothing of what was aborted',
    async (store) => {
      const dataset = await openDataset('blob', { store });
      const chunk = new Uint8Array(1 << 20).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
      const count = 20;
      {
        await using aborted = await dataset.streamWrite();
        for (let i = 0; i < count; i++) await aborted.write(chunk);
      }
      assert.deepEqual(await all(store.list('')), []);
      await using writer = await dataset.streamWrite();
      for (let i = 0; i < count; i++) await writer.write(chunk);
      const { id } = await writer.commit();
      let bytes = 0;
      for await (const part of dataset.stream(id)) bytes += part.length;
      assert.equal(bytes, count * chunk.length);
      assert.deepEqual((await dataset.verify()).problems, []);
    },
    parts,
  );

  on('tells a writer that another was faster, and retries where asked', async (store) => {
    const alice = await openDataset<Row>('c', { store, codec: jsonl() });
    const bob = await openDataset<Row>('c', { store, codec: jsonl() });
    await alice.write(rows);
    const theirs = await bob.write(rows);
    await assert.rejects(alice.write(rows), (error) =>
      isLodeError(error, 'LODE_SNAPSHOT_CONFLICT'),
    );
    const patient = await openDataset<Row>('c', {
      store,
      codec: jsonl(),
      retry: { attempts: 5 },
    });
    await patient.latest();
    await bob.write(rows);
    const late = await patient.write(rows);
    assert.equal(late.retries, 1);
    assert.notEqual(late.manifest.parentSnapshotId, theirs.id);
    assert.equal((await all(bob.snapshots())).length, 4);
  });

  on('two writers race: every acknowledged commit is in one chain', async (store) => {
    const writers = await Promise.all([raced(store), raced(store)]);
    const made = await Promise.all(
      writers.map(async (writer, at) => {
        const ids: string[] = [];
        for (let n = 0; n < 15; n++) ids.push((await writer.write([{ day: `${at}`, n }])).id);
        return ids;
      }),
    );
    const fresh = await raced(store);
    const chain = await all(fresh.snapshots());
    assert.deepEqual(new Set(chain.map(({ id }) => id)), new Set(made.flat()));
    for (const [at, { manifest }] of chain.entries())
      assert.equal(manifest.parentSnapshotId, chain[at + 1]?.id);
    assert.deepEqual((await fresh.verify()).problems, []);
  });

  on('gc takes what nothing names and is old, and nothing else', async (store) => {
    const dataset = await openDataset<Row>('g', { store, codec: jsonl() });
    const { id, manifest } = await dataset.write(rows);
    const [named = ''] = manifest.files.map(({ path }) => path);
    const orphans = ['a', 'b c', 'ü+&'].map((name) => `${named.slice(0, -4)}orphan ${name}`);
    for (const key of orphans) await store.put(key, 'left by a crash');
    const young = await dataset.gc({ dryRun: false });
    assert.deepEqual([young.orphans, young.tooYoung, young.deleted], [[], 3, 0]);
    const later = await openDataset<Row>('g', { store: new WeekLater(store), codec: jsonl() });
    const { deleted, failed } = await later.gc({ dryRun: false });
    assert.deepEqual([deleted, failed], [3, []]);
    assert.deepEqual(await dataset.read(id), rows);
    assert.deepEqual((await dataset.verify()).problems, []);
    const left = (await all(store.list(''))).map(({ key }) => key);
    assert.deepEqual(left.length, 3, left.join(' '));
  });

  on('verify names what is missing and repair completes what was interrupted', async (store) => {
    const dataset = await openDataset<Row>('r', { store, codec: jsonl() });
    const { id, manifest } = await dataset.write(rows);
    await store.delete('datasets/r/latest');
    const other = await openDataset<Row>('r', { store, codec: jsonl() });
    assert.deepEqual(await other.repair(), ['datasets/r/latest']);
    assert.equal((await other.latest()).id, id);
    const [file] = manifest.files;
    await store.delete(file?.path ?? '');
    const { problems } = await other.verify();
    assert.equal(problems.length, 1);
  });
}

/** A store whose clock, which collectors ask for by writing an object, is a week and a day ahead. */
class WeekLater extends ForwardingStore {
  override async head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    const info = await super.head(key, options);
    if (info === undefined || !key.includes('lode-clock-')) return info;
    return { ...info, lastModifiedMs: info.lastModifiedMs + 8 * 24 * 3_600_000 };
  }
}

function raced(store: Store): Promise<Dataset<Row>> {
  return openDataset<Row>('race', { store, codec: jsonl(), retry: { attempts: 50 } });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
