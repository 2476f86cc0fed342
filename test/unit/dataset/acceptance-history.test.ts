/**
 * At risk: an acknowledged snapshot that is not in the history, and a lost update. Acceptance cases about the
 * pointer, parents and races. Where our protocol rules otherwise than Go (`latest` never writes, a dangling pointer is
 * fenced, an observer waits), our ruling is asserted and named.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flat, hive, openReader } from '../../../src/dataset/index.ts';
import { createMeter, memoryStore } from '../../../src/store/index.ts';
import { faultyStore, virtualEnv } from '../../../src/testing/index.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import { retryDelayMs, retryPolicy } from '../../../src/history/retry.ts';
import { openDataset } from '../../../src/dataset/index.ts';
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
} from './bed.ts';

const data = new Uint8Array([1, 2, 3]);

void describe('a history', () => {
  // Case 1.
  onBoth('points to the id that was returned, and finds it again without listing', async (bed) => {
    const meter = createMeter();
    const dataset = await bed.blobs();
    const { id } = await dataset.write([data]);
    assert.equal(await textOf(bed.store, pointerKey), id);
    assert.equal((await dataset.latest({ meter })).id, id);
    assert.equal((await (await bed.blobs()).latest({ meter })).id, id);
    assert.equal(meter.snapshot().gets, 3);
    assert.equal(meter.snapshot().lists, 0);
  });

  // Case 2.
  onBoth('links each snapshot to the one before', async (bed) => {
    const dataset = await bed.blobs();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { id, manifest, cost } = await dataset.write([data]);
      assert.equal(manifest.parentSnapshotId, ids.at(-1));
      assert.equal(await textOf(bed.store, pointerKey), id);
      ids.push(id);
      if (n > 0) assert.equal(cost.lists, 0, 'a later write listed');
    }
    assert.deepEqual([...ids].sort(), ids, 'ids grow');
    assert.deepEqual(
      (await all(dataset.snapshots())).map(({ id }) => id),
      ids.reverse(),
    );
  });

  // Case 3.
  onBoth('that is empty says so by type, and lists nothing', async (bed) => {
    const dataset = await bed.records();
    const error = await fails(dataset.latest(), 'LODE_NO_SNAPSHOTS');
    assert.equal(error.details.dataset, 'ds');
    assert.deepEqual(await all(dataset.snapshots()), []);
    assert.deepEqual(await all(dataset.records({ since: undefined })), []);
    const missing = await fails(dataset.snapshot('nonexistent-id'), 'LODE_NOT_FOUND');
    assert.equal(missing.details.snapshot, 'nonexistent-id');
    assert.deepEqual(await keysOf(bed.store), []);
  });

  // Case 23. Our latest never writes: the next commit, or repair(), restores the pointer.
  onBoth('whose pointer is lost is found again, and goes on where it was', async (bed) => {
    const first = await (await bed.records()).write([{ n: 1 }]);
    await bed.store.delete(pointerKey);
    const dataset = await bed.records();
    assert.equal((await dataset.latest()).id, first.id);
    assert.equal(await textOf(bed.store, pointerKey), undefined, 'latest wrote');
    const second = await dataset.write([{ n: 2 }]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.equal(await textOf(bed.store, pointerKey), second.id);
  });

  // Case 24. Ours fences the id that never came, so that a late writer of it cannot land behind the new head.
  onBoth('whose pointer names nothing is continued by a new handle', async (bed) => {
    const first = await (await bed.records()).write([{ n: 1 }]);
    await replace(bed.store, pointerKey, 'nonexistent-snap-id');
    const dataset = await bed.records();
    const second = await dataset.write([{ n: 2 }]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.equal(await textOf(bed.store, pointerKey), second.id);
    const fence = await textOf(bed.store, manifestKey('nonexistent-snap-id'));
    assert.match(fence ?? '', /"lode.fence": true/);
    assert.deepEqual(
      (await all(dataset.snapshots())).map(({ id }) => id),
      [second.id, first.id],
    );
  });

  // Case 25.
  onBoth('whose pointer was set elsewhere stops the handle that knew better', async (bed) => {
    const dataset = await bed.records();
    const first = await dataset.write([{ n: 1 }]);
    const second = await dataset.write([{ n: 2 }]);
    for (const text of ['nonexistent-snap-id', first.id]) {
      await replace(bed.store, pointerKey, text);
      const error = await fails(dataset.write([{ n: 3 }]), 'LODE_SNAPSHOT_CONFLICT');
      assert.equal(error.details.expectedHead, second.id);
      assert.equal(error.details.actualHead, text);
      // It goes on losing until it has looked.
      await fails(dataset.write([{ n: 3 }]), 'LODE_SNAPSHOT_CONFLICT');
    }
    assert.deepEqual(await dataset.read(second.id), [{ n: 2 }]);
  });

  // Case 26.
  onBoth('is continued by a handle that has seen nothing of it', async (bed) => {
    const a = await bed.records();
    let last = '';
    for (let n = 0; n < 3; n++) last = (await a.write([{ n }])).id;
    const late = await bed.records();
    assert.equal((await late.write([{ n: 3 }])).manifest.parentSnapshotId, last);
  });

  // Case 27.
  onBoth('tells a writer that another came first, until it looks', async (bed) => {
    const a = await bed.records();
    const b = await bed.records();
    const first = await a.write([{ by: 'a' }]);
    const second = await b.write([{ by: 'b' }]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    const before = await keysOf(bed.store);
    const error = await fails(a.write([{ by: 'a' }]), 'LODE_SNAPSHOT_CONFLICT');
    assert.equal(error.kind, 'conflict');
    assert.deepEqual(error.details, {
      dataset: 'ds',
      key: pointerKey,
      expected: first.id,
      actual: second.id,
      expectedHead: first.id,
      actualHead: second.id,
    });
    assert.deepEqual(await keysOf(bed.store), before, 'the loser left something behind');
    assert.equal((await a.latest()).id, second.id);
    const third = await a.write([{ by: 'a' }]);
    assert.equal(third.manifest.parentSnapshotId, second.id);
  });

  // Case 28. A retry commits under a fresh id; the data stays where it was sent, once.
  onBoth(
    'takes in the loser of a race that may retry, without its data sent again',
    async (bed) => {
      const retry = { attempts: 3, jitter: 0, baseDelayMs: 1 };
      const a = await bed.records({ retry });
      await a.write([{ n: 1 }]);
      const second = await (await bed.records()).write([{ n: 2 }]);
      const third = await a.write([{ n: 3 }]);
      assert.equal(third.manifest.parentSnapshotId, second.id);
      assert.equal(third.retries, 1);
      assert.ok(third.id > second.id);
      assert.equal(third.manifest.files.length, 1);
      assert.deepEqual(await a.read(third.id), [{ n: 3 }]);
      // Data, the pointer that lost, the pointer that won, the manifest.
      assert.equal(third.cost.puts, 4);
      const dataKeys = (await keysOf(bed.store)).filter((key) => key.includes('/data/'));
      assert.equal(dataKeys.length, 3);
    },
  );

  // Case 31.
  onBoth('does not move when the pointer cannot be written', async (bed) => {
    const first = await (await bed.records()).write([{ n: 1 }]);
    const deny = { kind: 'deny', on: 'put', key: (key: string) => key === pointerKey } as const;
    const { store } = faultyStore(bed.store, deny);
    const dataset = await bed.records({ store });
    await fails(dataset.write([{ n: 2 }]), 'LODE_PERMISSION_DENIED');
    assert.equal(await textOf(bed.store, pointerKey), first.id);
    assert.deepEqual(
      (await keysOf(bed.store)).filter((key) => key.includes('manifest')),
      [manifestKey(first.id)],
    );
    const second = await dataset.write([{ n: 2 }]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
  });

  // Case 53: a pointer ahead of its manifest is a commit in flight.
  onBoth('is waited for where its pointer is ahead, and then seen whole', async (bed) => {
    const dataset = await bed.records({ settleMs: 5_000 });
    const first = await dataset.write([{ n: 1 }]);
    const second = await dataset.write([{ n: 2 }]);
    const manifest = (await textOf(bed.store, manifestKey(second.id))) ?? '';
    await bed.store.delete(manifestKey(second.id));
    const observer = await bed.records({ settleMs: 5_000 });
    const started = bed.env.elapsedMs;
    const seen = observer.latest();
    await bed.env.sleep(1_000);
    await bed.store.put(manifestKey(second.id), manifest);
    assert.equal((await seen).id, second.id);
    assert.ok(bed.env.elapsedMs - started < 5_000, 'it waited to the end');
    assert.equal(await textOf(bed.store, pointerKey), second.id);

    // One that never comes: the snapshot before, after the whole wait, and nothing is written.
    await bed.store.delete(manifestKey(second.id));
    const before = bed.env.elapsedMs;
    assert.equal((await (await bed.records({ settleMs: 5_000 })).latest()).id, first.id);
    assert.ok(bed.env.elapsedMs - before >= 5_000);
    assert.equal(await textOf(bed.store, pointerKey), second.id);
    assert.equal(await textOf(bed.store, manifestKey(second.id)), undefined);
  });
});

void describe('retry options', () => {
  // Case 29.
  void it('out of range are refused at open', async () => {
    const bed = bedOf('guarded put');
    const bad = [
      { attempts: -1 },
      { attempts: 1.5 },
      { jitter: 1.5 },
      { jitter: Number.NaN },
      { baseDelayMs: 0 },
      { baseDelayMs: -1 },
      { maxDelayMs: 0 },
    ];
    for (const retry of bad) {
      const error = await fails(bed.records({ retry }), 'LODE_INVALID_ARGUMENT');
      assert.equal(error.details.field, `retry.${Object.keys(retry)[0]}`);
    }
  });

  // Case 30.
  void it('give the delays they promise', async () => {
    const env = virtualEnv();
    const delays = (options: Parameters<typeof retryPolicy>[0], count: number): number[] =>
      Array.from({ length: count }, (_, k) => retryDelayMs(retryPolicy(options), k + 1, env));
    assert.deepEqual(delays({ jitter: 0 }, 5), [10, 20, 40, 80, 160]);
    assert.deepEqual(delays({ jitter: 0, baseDelayMs: 100, maxDelayMs: 500 }, 4).at(-1), 500);
    assert.equal(delays({ jitter: 0 }, 2_000).at(-1), 2_000);
    for (const delay of delays({ maxDelayMs: 50 }, 100)) assert.ok(delay >= 0 && delay <= 50);
  });

  // Case 30: a cancelled wait.
  onBoth('wait no longer than their signal', async (bed) => {
    const a = await bed.records({
      retry: { attempts: 5, jitter: 0, baseDelayMs: 60_000, maxDelayMs: 60_000 },
    });
    await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    const stop = new AbortController();
    const reason = new Error('enough');
    const before = await keysOf(bed.store);
    const write = a.write([{ n: 3 }], {}, { signal: stop.signal });
    const waited = bed.env.sleep(20).then(() => stop.abort(reason));
    await assert.rejects(write, (error) => error === reason);
    await waited;
    assert.deepEqual(await keysOf(bed.store), before);
    assert.ok(bed.env.elapsedMs < 60_000);
  });
});

void describe('hive snapshots', () => {
  const days = [{ day: '2024-01-15' }, { day: '2024-01-16' }, { day: '2024-01-15' }];

  // Case 18.
  onBoth('are one manifest in three places, found without listing', async (bed) => {
    const meter = createMeter();
    const layout = hive('day');
    const dataset = await bed.records({ layout });
    const { id, manifest } = await dataset.write(days);
    assert.equal(manifest.partitioner, 'hive');
    assert.equal(manifest.files.length, 2);
    const keys = (await keysOf(bed.store)).filter((key) => key.endsWith('manifest.json'));
    assert.equal(keys.length, 3);
    const texts = await Promise.all(keys.map((key) => textOf(bed.store, key)));
    assert.equal(new Set(texts).size, 1);
    const other = await bed.records({ layout });
    assert.equal((await other.snapshot(id, { meter })).id, id);
    assert.equal(meter.snapshot().lists, 0);
  });

  // Case 19.
  onBoth('without their canonical manifest are found by listing', async (bed) => {
    const layout = hive('day');
    const { id } = await (await bed.records({ layout })).write(days);
    await bed.store.delete(layout.manifestKey('ds', id));
    const dataset = await bed.records({ layout });
    assert.equal((await dataset.snapshot(id)).manifest.files.length, 2);
    assert.equal((await dataset.read(id)).length, 3);
  });

  // Cases 20 and 21.
  onBoth('are listed by whole partitions only', async (bed) => {
    const layout = hive('day', 'region');
    const dataset = await bed.records({ layout });
    const { id } = await dataset.write([{ day: '2024-01-15', region: 'eu' }]);
    const reader = await openReader({ store: bed.store, layout });
    const whole = await all(reader.manifests('ds', { partition: 'day=2024-01-15/region=eu' }));
    assert.equal(whole.length, 1);
    assert.deepEqual(await all(reader.partitions('ds')), ['day=2024-01-15/region=eu']);
    await fails(reader.manifests('ds', { partition: 'day=2024-01-15' }), 'LODE_NOT_FOUND');
    assert.deepEqual(await all(dataset.records(id, { partition: { day: '2024-01-15' } })), [
      { day: '2024-01-15', region: 'eu' },
    ]);
  });

  // Case 22.
  onBoth('escape what a value may hold', async (bed) => {
    const dataset = await bed.records({ layout: hive('k') });
    const { manifest } = await dataset.write([{ k: 'a/b c&d' }]);
    assert.match(manifest.files[0]?.path ?? '', /\/partitions\/k=a%2Fb%20c&d\/segments\//);
  });
});

// Case 42.
void describe('the flat layout', () => {
  onBoth('keeps two snapshots apart, the second the latest', async (bed) => {
    const dataset = await bed.records({ layout: flat() });
    const first = await dataset.write([{ n: 1 }]);
    const second = await dataset.write([{ n: 2 }]);
    assert.equal(await textOf(bed.store, 'ds/latest'), second.id);
    assert.deepEqual(await dataset.read(first.id), [{ n: 1 }]);
    assert.equal((await dataset.latest()).id, second.id);
    assert.ok((await keysOf(bed.store)).includes(`ds/${first.id}/manifest.json`));
  });
});

// E-9: a listing never bleeds into a dataset whose name goes on where this one ends.
void it('a dataset is not mixed up with one whose name it begins', async () => {
  const store = memoryStore();
  const foobar = await openDataset('foobar', { store, codec: jsonl() });
  await foobar.write([{ n: 1 }]);
  const foo = await openDataset('foo', { store, codec: jsonl() });
  await fails(foo.latest(), 'LODE_NO_SNAPSHOTS');
  assert.deepEqual(await all(foo.snapshots()), []);
});
