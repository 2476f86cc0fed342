/** At risk: data. Verification names what is damaged; collection deletes what was never committed, and nothing else. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Store } from '../../../src/store/index.ts';
import {
  all,
  bedOf,
  blockKey,
  content,
  failure,
  manifestKey,
  onBoth,
  pointerKey,
  put,
  withPut,
} from './bed.ts';

const day = 24 * 3_600_000;
const keysOf = async (list: AsyncIterable<{ key: string }>): Promise<string[]> =>
  (await all(list)).map(({ key }) => key);

describe('verify', () => {
  onBoth('reads every block once, however many snapshots name it', async (bed) => {
    const volume = await bed.volume();
    for (const offset of [0, 10, 20]) await put(volume, [offset, 10]);
    const seen: number[] = [];
    const report = await volume.verify({ onProgress: ({ bytes }) => seen.push(bytes) });
    assert.deepEqual(
      { ...report, problems: report.problems.length },
      { snapshots: 3, objects: 3 + 3 + 1, bytes: 30, problems: 0, unchecked: 0 },
    );
    assert.equal(seen.at(-1), 30);
    assert.equal(
      (await volume.verify({ snapshot: 'none' })).problems[0]?.error.code,
      'LODE_NOT_FOUND',
    );
    await failure('LODE_NO_SNAPSHOTS', (await bedOf(bed.kind).volume()).verify());
  });

  onBoth('names each object that is not as committed', async (bed) => {
    const volume = await bed.volume();
    const first = await put(volume, [0, 10], [10, 10]);
    await put(volume, [20, 10], [30, 10]);
    await bed.store.put(blockKey(0, 10), 'altered!!!', { mode: 'overwrite' });
    await bed.store.put(blockKey(10, 10), 'cut', { mode: 'overwrite' });
    await bed.store.delete(blockKey(20, 10));
    const { problems } = await volume.verify();
    assert.deepEqual(problems.map(({ key, error }) => `${key} ${error.code}`).sort(), [
      `${blockKey(0, 10)} LODE_CHECKSUM_MISMATCH`,
      `${blockKey(10, 10)} LODE_TRUNCATED`,
      `${blockKey(20, 10)} LODE_NOT_FOUND`,
    ]);
    await bed.store.delete(manifestKey(first));
    const lost = (await volume.verify()).problems.map(({ key }) => key);
    assert.ok(lost.includes(manifestKey(first)));
  });
});

describe('gc', () => {
  onBoth('deletes old blocks that no snapshot names, and nothing else', async (bed) => {
    const volume = await bed.volume();
    await put(volume, [0, 10]);
    await volume.stageWriteAt(20, content(20, 10));
    for (const key of [
      'volumes/vol/notes.txt',
      'volumes/vol/data/007-3.bin',
      'volumes/vol2/data/0-1.bin',
    ])
      await bed.store.put(key, 'mine');
    await bed.env.sleep(8 * day);
    await volume.stageWriteAt(40, content(40, 10));
    const plan = await volume.gc();
    assert.deepEqual(
      [plan.dryRun, plan.orphans.map(({ key }) => key), plan.tooYoung, plan.deleted],
      [true, [blockKey(20, 10)], 1, 0],
    );
    const before = await keysOf(bed.store.list(''));
    const done = await volume.gc({ dryRun: false });
    assert.deepEqual([done.deleted, done.deletedBytes], [1, 10]);
    assert.deepEqual(
      before.filter((key) => key !== blockKey(20, 10)),
      await keysOf(bed.store.list('')),
    );
    await failure('LODE_INVALID_ARGUMENT', volume.gc({ olderThanMs: day - 1 }));
  });

  onBoth('spares a block that was adopted since it was listed', async (bed) => {
    await put(await bed.volume(), [0, 10]);
    await (await bed.volume()).stageWriteAt(20, content(20, 10));
    await bed.env.sleep(8 * day);
    const { store } = bed;
    let listings = 0;
    const watched = withPut(store, (...args) => store.put(...args));
    watched.list = ((...args: Parameters<Store['list']>) => {
      async function* entries(): AsyncGenerator<unknown> {
        yield* store.list(...args);
        // Another process takes it over, between the listing that found it and its deletion.
        if (++listings === 2)
          await store.put(blockKey(20, 10), content(20, 10), { mode: 'overwrite' });
      }
      return entries();
    }) as Store['list'];
    const volume = await bed.volume({ store: watched });
    const report = await volume.gc({ dryRun: false });
    assert.deepEqual([report.orphans.length, report.deleted], [1, 0]);
    assert.ok((await store.head(blockKey(20, 10))) !== undefined);
  });

  onBoth('deletes nothing while the history cannot be read whole', async (bed) => {
    const volume = await bed.volume({ settleMs: 0 });
    const first = await put(volume, [0, 10]);
    await put(volume, [10, 10]);
    await volume.stageWriteAt(20, content(20, 10));
    await bed.env.sleep(8 * day);
    const good = await (await bed.store.get(manifestKey(first)))?.bytes();
    await bed.store.put(manifestKey(first), '{}', { mode: 'overwrite' });
    await failure('LODE_MANIFEST_INVALID', volume.gc({ dryRun: false }));
    await bed.store.delete(manifestKey(first));
    await failure('LODE_NOT_FOUND', volume.gc({ dryRun: false }));
    await bed.store.put(manifestKey(first), good ?? '');
    await bed.store.put(pointerKey, '9223372036854775806', { mode: 'overwrite' });
    await failure('LODE_NOT_FOUND', volume.gc({ dryRun: false }));
    assert.ok((await bed.store.head(blockKey(20, 10))) !== undefined);
  });
});

describe('repair', () => {
  onBoth('puts a lost pointer back, and fences what never came', async (bed) => {
    const volume = await bed.volume({ settleMs: 0 });
    const id = await put(volume, [0, 10]);
    await bed.store.delete(pointerKey);
    const fresh = await bed.volume({ settleMs: 0 });
    assert.deepEqual(await fresh.repair({ dryRun: true }), [pointerKey]);
    assert.deepEqual(await fresh.repair(), [pointerKey]);
    assert.equal((await fresh.latest()).id, id);
    await bed.store.put(pointerKey, '9223372036854775806', { mode: 'overwrite' });
    assert.deepEqual(await fresh.repair(), [manifestKey('9223372036854775806')]);
    assert.deepEqual(await fresh.readAt(await fresh.latest(), 0, 10), content(0, 10));
  });
});
