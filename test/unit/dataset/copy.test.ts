/** At risk: a copy that is not the same history, one that cannot be finished, and a history mixed with another. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultLayout, flat, hive, openDataset } from '../../../src/dataset/index.ts';
import type { Dataset } from '../../../src/dataset/index.ts';
import { gzip, jsonl, none, zstd } from '../../../src/encoding/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { memoryStore } from '../../../src/store/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { goVectors, objectsOf } from '../../interop/vectors.ts';
import {
  all,
  bedOf,
  fails,
  keysOf,
  manifestKey,
  onBoth,
  pointerKey,
  replace,
  textOf,
  watched,
} from './bed.ts';
import type { Bed, Row } from './bed.ts';

async function contents(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of await keysOf(store)) {
    const bytes = await (await store.get(key))?.bytes();
    found.set(key, Buffer.from(bytes ?? []).toString('latin1'));
  }
  return found;
}

async function three(dataset: Dataset<Row>): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++)
    ids.push(
      (
        await dataset.write([
          { k: 'a', n },
          { k: 'b', n },
        ])
      ).id,
    );
  return ids;
}

void describe('copyTo', () => {
  onBoth('copies every byte of the history up to a snapshot, then the rest', async (bed) => {
    const dataset = await bed.records({ layout: hive('k') });
    const [, second = '', third = ''] = await three(dataset);
    const target = bedOf(bed.kind);
    const seen: number[] = [];
    const first = await dataset.copyTo(target.store, {
      snapshot: second,
      onProgress: ({ snapshots }) => seen.push(snapshots),
    });
    assert.deepEqual([first.snapshots, first.files, first.skipped, seen], [2, 4, 0, [1, 2]]);
    assert.equal((await (await target.records({ layout: hive('k') })).latest()).id, second);
    assert.equal((await dataset.copyTo(target.store, { snapshot: third })).snapshots, 1);
    assert.deepEqual(await contents(target.store), await contents(bed.store));
    // Nothing is left to do, for this snapshot and for one before it.
    for (const snapshot of [third, second])
      assert.deepEqual(await dataset.copyTo(target.store, { snapshot }), {
        snapshots: 0,
        files: 0,
        bytes: 0,
        skipped: 0,
      });
    assert.deepEqual((await (await target.records({ layout: hive('k') })).verify()).problems, []);
  });

  // Every put fails in turn, definitely or with the effect; run again, the copy is finished and the same.
  onBoth('commits nothing whose data a collector takes meanwhile', async (bed) => {
    const dataset = await bed.records();
    await dataset.write([{ n: 1 }]);
    const target = bedOf(bed.kind);
    const isPointer = (key: string): boolean => key === pointerKey;
    const { store: cut } = faultyStore(target.store, { kind: 'deny', on: 'put', key: isPointer });
    await fails(dataset.copyTo(cut), 'LODE_PERMISSION_DENIED');
    target.env.stepWallClock(8 * 24 * 60 * 60 * 1000);
    let looks = 0;
    const head: Store['head'] = async (key, options) => {
      const info = await target.store.head(key, options);
      if (key.includes('/data/') && looks++ === 0)
        assert.equal((await (await target.records()).gc({ dryRun: false })).deleted, 1);
      return info;
    };
    await fails(dataset.copyTo(watched(target.store, { head })), 'LODE_NOT_FOUND');
    await dataset.copyTo(target.store);
    assert.deepEqual((await (await target.records()).verify()).problems, []);
  });

  onBoth('is finished by running it again, wherever it stopped', async (bed) => {
    const dataset = await bed.records({ layout: hive('k') });
    const last = (await three(dataset)).at(-1) ?? '';
    const whole = await contents(bed.store);
    for (const kind of ['deny', 'fail', 'effect-then-fail', 'effect-then-hang'] as const) {
      for (let at = 0; ; at++) {
        const target = bedOf(bed.kind);
        const faulty = faultyStore(target.store, {
          kind,
          on: 'put',
          at,
          times: kind === 'effect-then-hang' ? 1 : Infinity,
        });
        const stop = new AbortController();
        const timer = bed.env.sleep(60_000, stop.signal).then(
          () => stop.abort('stop'),
          () => {},
        );
        await dataset.copyTo(faulty.store, { snapshot: last, signal: stop.signal }).catch(() => {});
        stop.abort('done');
        await timer;
        if (faulty.fired === 0) break;
        await dataset.copyTo(target.store, { snapshot: last });
        assert.deepEqual(await contents(target.store), whole, `${kind} at ${at}`);
      }
    }
  });

  void it('goes on where the pointer moved and the manifest did not come, instead of fencing itself', async () => {
    const bed = bedOf('compare-and-swap');
    const dataset = await bed.records();
    const [first = '', second = ''] = await three(dataset);
    const target = bedOf('compare-and-swap');
    await dataset.copyTo(target.store, { snapshot: first });
    await replace(target.store, pointerKey, second);
    const report = await dataset.copyTo(target.store, { snapshot: second });
    assert.equal(report.snapshots, 1);
    assert.equal(
      await textOf(target.store, manifestKey(second)),
      await textOf(bed.store, manifestKey(second)),
    );
    assert.equal((await (await target.records()).latest()).id, second);
  });

  onBoth('never touches a history that is not this one', async (bed) => {
    const dataset = await bed.records();
    const ids = await three(dataset);
    const target = bedOf(bed.kind);
    const foreign = await (await target.records()).write([{ foreign: true }]);
    const before = await contents(target.store);
    const error = await fails(
      dataset.copyTo(target.store, { snapshot: ids[2] ?? '' }),
      'LODE_SNAPSHOT_CONFLICT',
    );
    assert.equal(error.details.actualHead, foreign.id);
    assert.deepEqual(await contents(target.store), before);
    // A copy that somebody has written on is a fork.
    const copy = bedOf(bed.kind);
    await dataset.copyTo(copy.store, { snapshot: ids[1] ?? '' });
    await (await copy.records()).write([{ n: 'other' }]);
    await fails(dataset.copyTo(copy.store, { snapshot: ids[2] ?? '' }), 'LODE_SNAPSHOT_CONFLICT');
  });

  onBoth('stops at data that is damaged, lost or not the same there', async (bed) => {
    const dataset = await bed.records();
    const { id, manifest } = await dataset.write([{ n: 1 }]);
    const path = manifest.files[0]?.path ?? '';
    const other = memoryStore();
    await other.put(path, 'something else');
    await fails(dataset.copyTo(other, { snapshot: id }), 'LODE_ALREADY_EXISTS');
    await replace(bed.store, path, '{"n":2}\n');
    const target = memoryStore();
    const error = await fails(dataset.copyTo(target, { snapshot: id }), 'LODE_CHECKSUM_MISMATCH');
    assert.equal(error.details.key, path);
    assert.deepEqual(await keysOf(target), []);
    await bed.store.delete(path);
    await fails(dataset.copyTo(target, { snapshot: id }), 'LODE_NOT_FOUND');
    await fails(dataset.copyTo(target, { snapshot: 'nobody' }), 'LODE_NOT_FOUND');
    assert.deepEqual(await keysOf(target), []);
  });

  void it('keeps every byte of what Go wrote', async () => {
    let copied = 0;
    for (const vector of await goVectors()) {
      const {
        dataset: id,
        codec,
        compressor,
        layout = 'default',
      } = vector.dataset as {
        dataset: string;
        codec?: string;
        compressor?: string;
        layout?: string;
      };
      const source = memoryStore();
      for (const [key, bytes] of objectsOf(vector))
        if (!key.endsWith('.lock')) await source.put(key, bytes);
      const head = vector.latest.ok;
      if (
        head === undefined ||
        (codec !== undefined && codec !== 'none' && codec !== 'jsonl' && codec !== 'parquet')
      )
        continue;
      const options = {
        store: source,
        layout: layout === 'hive' ? hive('any') : layout === 'flat' ? flat() : defaultLayout(),
        compressor: compressor === 'gzip' ? gzip() : compressor === 'zstd' ? zstd() : none(),
      };
      const dataset =
        codec === 'jsonl' || codec === 'parquet'
          ? await openDataset(id, {
              ...options,
              codec: (codec === 'jsonl' ? jsonl() : parquet()) as never,
            })
          : await openDataset(id, options);
      const target = memoryStore();
      await dataset.copyTo(target, { snapshot: head });
      const [from, to] = [await contents(source), await contents(target)];
      const manifests = new Set(
        [...from].filter(([key]) => key.endsWith('.json')).map(([, b]) => b),
      );
      for (const [key, bytes] of to) {
        // Data from before canonical manifests gets them, and a pointer: byte for byte those of its copies.
        if (from.has(key)) assert.equal(bytes, from.get(key), `${vector.case}: ${key}`);
        else assert.ok(bytes === head || manifests.has(bytes), `${vector.case}: ${key} is new`);
      }
      for (const key of from.keys()) assert.ok(to.has(key), `${vector.case}: ${key} is missing`);
      copied++;
    }
    assert.ok(copied > 30, `${copied} copied`);
  });
});

void describe('incremental reading', () => {
  onBoth('gives what came after a snapshot, oldest first, and nothing twice', async (bed) => {
    const dataset = await bed.records();
    const ids = await three(dataset);
    const n = async (since: string | undefined): Promise<unknown[]> =>
      (await all(dataset.records({ since }))).map((row) => row['n']);
    assert.deepEqual(await n(undefined), [0, 0, 1, 1, 2, 2]);
    assert.deepEqual(await n(ids[0]), [1, 1, 2, 2]);
    assert.deepEqual(await n(ids[2]), []);
    const { id } = await dataset.write([{ n: 3 }]);
    assert.deepEqual(await n(ids[2]), [3]);
    assert.deepEqual(await n(id), []);
    await fails(dataset.records({ since: 'nobody' }), 'LODE_NOT_FOUND');
    const only = await all(dataset.records({ since: ids[0] }, { where: { n: { gte: 2 } } }));
    assert.deepEqual(
      only.map((row) => row['n']),
      [2, 2, 3],
    );
  });

  onBoth('says when a part of the history is gone, instead of leaving it out', async (bed) => {
    const [, second = '', third = ''] = await three(await bed.records());
    await bed.store.delete(manifestKey(second));
    const dataset = await bed.records();
    const error = await fails(dataset.records({ since: undefined }), 'LODE_NOT_FOUND');
    assert.equal(error.details.key, manifestKey(second));
    await fails(dataset.copyTo(memoryStore(), { snapshot: third }), 'LODE_NOT_FOUND');
    const { problems } = await dataset.verify();
    assert.deepEqual(
      problems.map(({ key }) => key),
      [manifestKey(second)],
    );
    assert.deepEqual(await all(dataset.records({ since: second })), [
      { k: 'a', n: 2 },
      { k: 'b', n: 2 },
    ]);
  });
});

void describe('snapshots()', () => {
  /** A snapshot that a writer elsewhere put on `parent`, under an id of its own choosing. */
  async function planted(
    bed: Bed,
    id: string,
    like: string,
    parent: string | undefined,
  ): Promise<void> {
    const text = (await textOf(bed.store, manifestKey(like))) ?? '';
    const m = JSON.parse(text) as Record<string, unknown>;
    delete m['manifest_checksum'];
    m['snapshot_id'] = id;
    if (parent === undefined) delete m['parent_snapshot_id'];
    else m['parent_snapshot_id'] = parent;
    await bed.store.put(manifestKey(id), JSON.stringify(m));
  }
  const ids = async (dataset: Dataset<Row>, unreachable = false): Promise<string[]> =>
    (await all(dataset.snapshots({ unreachable }))).map(({ id }) => id);

  onBoth('are the ancestors of the head; what is cut off is told on request', async (bed) => {
    const made = await three(await bed.records());
    const [first = '', second = '', third = ''] = made;
    const fork = String(BigInt(second) + 1n);
    const ahead = String(BigInt(third) + 1n);
    await planted(bed, fork, second, first);
    await planted(bed, ahead, third, third);
    const dataset = await bed.records();
    assert.deepEqual(await ids(dataset), [third, second, first]);
    assert.deepEqual(await ids(dataset, true), [ahead, fork]);
    assert.deepEqual(
      await dataset.read(fork),
      await dataset.read(second),
      'it can be read by its id',
    );
    await fails(dataset.records({ since: fork }), 'LODE_NOT_FOUND');
    assert.deepEqual((await dataset.verify()).problems, []);
  });

  onBoth('are told once, and in their order, where a parent has the larger id', async (bed) => {
    const dataset = await bed.records();
    const [first = ''] = await three(dataset);
    const late = '9000000000000000000';
    const head = '8000000000000000000';
    await planted(bed, late, first, first);
    await planted(bed, head, first, late);
    await replace(bed.store, pointerKey, head);
    const other = await bed.records();
    assert.deepEqual(await ids(other), [head, late, first]);
    assert.equal((await ids(other, true)).length, 2);
    assert.deepEqual((await other.verify()).problems, []);
    const next = await other.write([{ n: 9 }]);
    assert.equal(next.manifest.parentSnapshotId, head);
    assert.ok(next.id > head);
  });
});

void describe('verify', () => {
  onBoth(
    'reports what it can name and goes on, whatever a damaged manifest asks for',
    async (bed) => {
      const dataset = await bed.records({ manifestChecksum: false });
      const [first = '', second = '', third = ''] = await three(dataset);
      const newer = ((await textOf(bed.store, manifestKey(first))) ?? '').replace(
        '"1.0.0"',
        '"9.0.0"',
      );
      await replace(bed.store, manifestKey(first), newer);
      const file = (await dataset.snapshot(second)).manifest.files[0]?.path ?? '';
      await bed.store.delete(file);
      const { problems, snapshots } = await (await bed.records()).verify();
      assert.deepEqual(
        problems.map(({ key, error }) => [key, error.code]),
        [
          [file, 'LODE_NOT_FOUND'],
          [manifestKey(first), 'LODE_FORMAT_TOO_NEW'],
        ],
      );
      assert.equal(snapshots, 2);
      assert.deepEqual((await dataset.verify({ snapshot: third })).problems, []);
      assert.equal((await dataset.verify({ snapshot: second })).problems.length, 1);
      const absent = await dataset.verify({ snapshot: '1000000000000000001' });
      assert.equal(absent.problems[0]?.error.code, 'LODE_NOT_FOUND');
    },
  );

  onBoth('reaches hive snapshots from before canonical manifests', async (bed) => {
    const layout = hive('k');
    const dataset = await bed.records({ layout });
    const [first = ''] = await three(dataset);
    await bed.store.delete(layout.manifestKey('ds', first));
    const path =
      (await (await bed.records({ layout })).snapshot(first)).manifest.files[0]?.path ?? '';
    await replace(bed.store, path, 'x');
    const { problems, snapshots } = await (await bed.records({ layout })).verify();
    assert.deepEqual(
      problems.map(({ key }) => key),
      [path],
    );
    assert.equal(snapshots, 3);
  });
});

void describe('streams of records', () => {
  onBoth('into more partitions than may be open keep every record, once, in order', async (bed) => {
    const dataset = await bed.records({ layout: hive('k'), compressor: gzip() });
    async function* source(): AsyncGenerator<Row> {
      for (let n = 0; n < 600; n++) yield { k: `p${(n * 7) % 40}`, n };
    }
    const { id, manifest } = await dataset.streamWriteRecords(source(), {}, { openFilesMax: 5 });
    assert.equal(manifest.rowCount, 600);
    assert.ok(manifest.files.length > 40);
    const rows = await dataset.read(id);
    assert.equal(rows.length, 600);
    const last = new Map<unknown, number>();
    const byPartition = rows.every((row) => {
      const before = last.get(row['k']) ?? -1;
      last.set(row['k'], row['n'] as number);
      return (row['n'] as number) > before || manifest.files.length > 10;
    });
    assert.ok(byPartition);
    assert.deepEqual(new Set(rows.map((row) => row['n'])).size, 600);
    assert.deepEqual((await dataset.verify()).problems, []);
  });
});
