/** At risk: data. Collection deletes what no manifest names and nothing else, whatever happens beside it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GcReport } from '../../../src/history/gc.ts';
import { hive, openDataset } from '../../../src/dataset/index.ts';
import { LodeError } from '../../../src/errors.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { virtualEnv } from '../../../src/testing/index.ts';
import { bedOf, fails, keysOf, manifestKey, onBoth, pointerKey, replace, watched } from './bed.ts';
import type { Bed } from './bed.ts';

const dayMs = 24 * 60 * 60 * 1000;
const orphan = 'datasets/ds/snapshots/1700000000000000000/data/data';

async function bedWithOrphan(kind: Bed['kind'], bed: Bed = bedOf(kind)): Promise<Bed> {
  const events = await bed.records();
  await events.write([{ n: 1 }]);
  await events.write([{ n: 2 }]);
  await bed.store.put(orphan, 'left by a crash');
  return bed;
}

describe('collection', () => {
  onBoth('plans first, then deletes exactly what it planned', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    await bed.store.put('datasets/ds/snapshots/1700000000000000000/notes.txt', 'not ours');
    await bed.store.put('datasets/dsx/snapshots/1700000000000000000/data/data', 'of another one');
    bed.env.stepWallClock(8 * dayMs);
    const young = orphan.replace('17', '18');
    await bed.store.put(young, 'of a commit under way');
    const before = await keysOf(bed.store);
    const events = await bed.records();
    const plan = await events.gc();
    assert.deepEqual(await keysOf(bed.store), before);
    assert.deepEqual(figures(plan), { orphans: [orphan], tooYoung: 1, deleted: 0, bytes: 0 });
    const report = await events.gc({ dryRun: false });
    assert.deepEqual(figures(report), { orphans: [orphan], tooYoung: 1, deleted: 1, bytes: 15 });
    assert.deepEqual(
      await keysOf(bed.store),
      before.filter((key) => key !== orphan),
    );
    assert.deepEqual((await events.verify()).problems, []);
    assert.deepEqual((await events.gc({ dryRun: false })).orphans, []);
  });

  onBoth('counts age by the clock of the store', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    const ahead = virtualEnv();
    ahead.stepWallClock(365 * dayMs);
    const events = await bed.records({ env: ahead });
    assert.equal((await events.gc({ dryRun: false })).tooYoung, 1);
  });

  onBoth('keeps what only an unreachable snapshot names', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    const events = await bed.records();
    const { id: cutOff } = await events.write([{ n: 3 }]);
    const [, parent] = await ids(bed);
    await replace(bed.store, pointerKey, parent ?? '');
    bed.env.stepWallClock(8 * dayMs);
    assert.equal((await (await bed.records()).gc({ dryRun: false })).deleted, 1);
    assert.deepEqual(await events.read(cutOff), [{ n: 3 }]);
  });

  onBoth('refuses while the pointer dangles', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    await replace(bed.store, pointerKey, '1800000000000000000');
    bed.env.stepWallClock(8 * dayMs);
    await fails((await bed.records()).gc({ dryRun: false }), 'LODE_NOT_FOUND');
    assert.ok((await keysOf(bed.store)).includes(orphan));
  });

  onBoth('refuses when a manifest is damaged or an ancestor is missing', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    bed.env.stepWallClock(8 * dayMs);
    const [, first = ''] = await ids(bed);
    const events = await bed.records();
    await replace(bed.store, manifestKey(first), '{"cut":');
    await fails(events.gc({ dryRun: false }), 'LODE_MANIFEST_INVALID');
    await bed.store.delete(manifestKey(first));
    await fails(events.gc({ dryRun: false }), 'LODE_NOT_FOUND');
    assert.ok((await keysOf(bed.store)).includes(orphan));
  });

  onBoth('spares what is committed between plan and deletion', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    const { promise: gate, resolve: open } = promise();
    const { promise: uploaded, resolve: hasUploaded } = promise();
    const slow = watched(bed.store, {
      put: async (key, body, options) => {
        const result = await bed.store.put(key, body, options);
        if (key.includes('/data/')) {
          hasUploaded();
          await gate;
        }
        return result;
      },
    });
    const commit = (await bed.records({ store: slow })).write([{ n: 3 }]);
    await uploaded;
    bed.env.stepWallClock(8 * dayMs);
    let listings = 0;
    const list = async function* (prefix: string, options: object): AsyncGenerator<unknown> {
      if (prefix === 'datasets/ds/' && ++listings === 2) {
        open();
        await commit;
      }
      yield* bed.store.list(prefix, options);
    } as unknown as Store['list'];
    const report = await (
      await bed.records({ store: watched(bed.store, { list }) })
    ).gc({ dryRun: false });
    assert.equal(report.orphans.length, 2);
    assert.equal(report.deleted, 1);
    const { id } = await commit;
    assert.deepEqual(await (await bed.records()).read(id), [{ n: 3 }]);
  });

  onBoth('spares what was committed where its listing had already been', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    const { promise: gate, resolve: open } = promise();
    const { promise: uploaded, resolve: hasUploaded } = promise();
    const put: Store['put'] = async (key, body, options) => {
      const result = await bed.store.put(key, body, options);
      if (key.includes('/data/')) {
        hasUploaded();
        await gate;
      }
      return result;
    };
    const late = (await bed.records({ store: watched(bed.store, { put }) })).write([{ n: 3 }]);
    await uploaded;
    bed.env.stepWallClock(8 * dayMs);
    let listings = 0;
    const list = async function* (prefix: string, options: object): AsyncGenerator<unknown> {
      const isSecond = prefix === 'datasets/ds/' && ++listings === 2;
      yield* bed.store.list(prefix, options);
      if (!isSecond) return;
      open();
      await late;
      const { id } = await (await bed.records()).write([{ n: 4 }]);
      yield* bed.store.list(manifestKey(id), options);
    } as unknown as Store['list'];
    const collector = await bed.records({ store: watched(bed.store, { list }) });
    assert.equal((await collector.gc({ dryRun: false })).deleted, 1);
    assert.deepEqual(await (await bed.records()).read((await late).id), [{ n: 3 }]);
  });

  onBoth('of a commit whose outcome stayed open ends the question', async ({ kind }) => {
    const bed = bedOf(kind);
    let isDown = true;
    const put: Store['put'] = async (key, body, options) => {
      const isFirst = kind === 'guarded put' ? key.endsWith('/manifest.json') : key === pointerKey;
      if (isDown && isFirst) throw new LodeError('LODE_WRITE_UNCERTAIN', 'gone', { key, resolve });
      return bed.store.put(key, body, options);
    };
    const resolve = (): Promise<'not-landed'> => Promise.resolve('not-landed');
    const events = await bed.records({ store: watched(bed.store, { put }) });
    const open = await fails(events.write([{ n: 1 }]), 'LODE_WRITE_UNCERTAIN');
    isDown = false;
    bed.env.stepWallClock(8 * dayMs);
    assert.equal((await (await bed.records()).gc({ dryRun: false })).deleted, 1);
    assert.equal(await open.details.resolve(), 'not-landed');
    assert.deepEqual(await ids(bed), []);
  });

  onBoth('makes a commit fail whose data it has taken', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    const former = await ids(bed);
    const slow = watched(bed.store, {
      put: async (key, body, options) => {
        const result = await bed.store.put(key, body, options);
        if (key.includes('/data/')) {
          bed.env.stepWallClock(8 * dayMs);
          assert.equal((await (await bed.records()).gc({ dryRun: false })).deleted, 2);
        }
        return result;
      },
    });
    const writer = await bed.records({ store: slow });
    await fails(writer.write([{ n: 3 }]), 'LODE_NOT_FOUND');
    assert.deepEqual(await ids(bed), former);
    assert.deepEqual((await writer.verify()).problems, []);
  });

  it('has a commit look at its data again before it publishes what had no answer', async () => {
    const bed = await bedWithOrphan('guarded put');
    const former = await ids(bed);
    let cut = 0;
    const put: Store['put'] = async (key, body, options) => {
      if (key !== pointerKey || cut++ > 0) return bed.store.put(key, body, options);
      bed.env.stepWallClock(8 * dayMs);
      const beforePublish = async (): Promise<never> => {
        await options?.beforePublish?.();
        // As a collector does that has listed the manifests before this one came.
        await bed.store.delete((await keysOf(bed.store)).filter((at) => at.includes('/data/')));
        throw new LodeError('LODE_UNAVAILABLE', 'no answer', { key });
      };
      return bed.store.put(key, body, { ...options, beforePublish });
    };
    const writer = await bed.records({ store: watched(bed.store, { put }) });
    const open = await fails(writer.write([{ n: 3 }]), 'LODE_WRITE_UNCERTAIN');
    await fails(open.details.resolve(), 'LODE_NOT_FOUND');
    assert.deepEqual(await ids(bed), former);
  });

  onBoth('reports what could not be deleted, key by key', async ({ kind }) => {
    const bed = await bedWithOrphan(kind);
    bed.env.stepWallClock(8 * dayMs);
    const error = new Error('held');
    const stubborn = watched(bed.store, {
      delete: async (keys, options) =>
        typeof keys === 'string'
          ? bed.store.delete(keys, options)
          : keys.map((key) => ({ key, outcome: 'failed', error })),
    });
    const report = await (await bed.records({ store: stubborn })).gc({ dryRun: false });
    assert.deepEqual(report.failed, [{ key: orphan, error }]);
    assert.equal(report.deleted, 0);
  });

  it('never takes anything younger than a day', async () => {
    const events = await bedOf('guarded put').records();
    for (const olderThanMs of [0, dayMs - 1, -1, Number.NaN])
      await fails(events.gc({ olderThanMs }), 'LODE_INVALID_ARGUMENT');
    assert.equal((await events.gc({ olderThanMs: dayMs })).olderThanMs, dayMs);
  });

  it('keeps data of hive snapshots that have manifests in partitions only', async () => {
    const env = virtualEnv();
    const store = memoryStore({ env });
    const options = { store, env, layout: hive('p'), codec: jsonl<{ p: string }>() };
    const events = await openDataset('ds', options);
    const { id } = await events.write([{ p: 'a' }, { p: 'b' }]);
    await store.delete([`datasets/ds/segments/${id}/manifest.json`, 'datasets/ds/latest']);
    await (await openDataset('ds', options)).write([{ p: 'c' }]);
    const left = `datasets/ds/partitions/p=a/segments/1/data/data`;
    await store.put(left, 'x');
    env.stepWallClock(8 * dayMs);
    const report = await events.gc({ dryRun: false });
    assert.deepEqual(
      report.orphans.map(({ key }) => key),
      [left],
    );
  });
});

function figures({ orphans, tooYoung, deleted, deletedBytes: bytes }: GcReport): object {
  return { orphans: orphans.map(({ key }) => key), tooYoung, deleted, bytes };
}

async function ids(bed: Bed): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of (await bed.records()).snapshots()) found.push(id);
  return found;
}

function promise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  return { promise: new Promise<void>((done) => (resolve = done)), resolve };
}
