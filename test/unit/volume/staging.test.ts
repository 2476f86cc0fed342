/** At risk: uploads of many and of large things. Memory stays bounded, nothing is lost between writers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LodeError } from '../../../src/errors.ts';
import type { Store } from '../../../src/store/index.ts';
import { Budget } from '../../../src/volume/budget.ts';
import type { StageProgress } from '../../../src/volume/index.ts';
import { all, bedOf, blockKey, content, failure, onBoth, pointerKey, put, withPut } from './bed.ts';

/** The most puts of blocks, and bytes in them, that were under way at once. */
function watchedPuts(): { wrap: (store: Store) => Store; most: { puts: number; bytes: number } } {
  const most = { puts: 0, bytes: 0 };
  const now = { puts: 0, bytes: 0 };
  const wrap = (store: Store): Store =>
    withPut(store, async (...args) => {
      const bytes = args[1] instanceof Uint8Array ? args[1].length : 0;
      now.puts++;
      now.bytes += bytes;
      most.puts = Math.max(most.puts, now.puts);
      most.bytes = Math.max(most.bytes, now.bytes);
      // Several turns, so that whoever may start does.
      for (let i = 0; i < 50; i++) await Promise.resolve();
      try {
        return await store.put(...args);
      } finally {
        now.puts--;
        now.bytes -= bytes;
      }
    });
  return { wrap, most };
}

async function* chunks(offset: number, length: number, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < length; at += size) {
    const count = Math.min(size, length - at);
    // One buffer for all chunks, as many producers have it.
    buffer.set(content(offset + at, count));
    yield buffer.subarray(0, count);
  }
}

describe('staging', () => {
  it('cuts a long source into blocks, puts several at once, and holds no more than it may', async () => {
    const { wrap, most } = watchedPuts();
    const bed = bedOf('guarded put', wrap);
    const volume = await bed.volume({ length: 100_000, blockBytes: 1000, stagingBytesMax: 3000 });
    const seen: StageProgress[] = [];
    const staged = await volume.stageWriteAt(5, chunks(5, 10_500, 333), {
      onProgress: (progress) => seen.push(progress),
    });
    assert.equal(staged.length, 10_500);
    assert.equal(staged.blocks.length, 11);
    assert.deepEqual(seen.at(-1), { stagedBytes: 10_500, blocks: 11, adopted: 0 });
    assert.deepEqual(most, { puts: 3, bytes: 3000 });
    const v = await volume.commit([staged]);
    assert.deepEqual(await volume.readAt(v, 5, 10_500), content(5, 10_500));
    assert.deepEqual(await volume.readAt(v, 1500, 2000), content(1500, 2000));
    const parts = await all(volume.stream(v, { offset: 7, length: 5000 }));
    assert.deepEqual(Buffer.concat(parts), Buffer.from(content(7, 5000)));
  });

  it('takes many ranges at once, bounded over all of them', async () => {
    const { wrap, most } = watchedPuts();
    const bed = bedOf('compare-and-swap', wrap);
    const width = bed.store.capabilities.concurrency;
    const volume = await bed.volume({
      length: 1_000_000,
      stagingBytesMax: 16_000,
      blockBytes: 4000,
    });
    const offsets = Array.from({ length: 500 }, (_, i) => i * 1000);
    const staged = await Promise.all(
      offsets.map((offset) =>
        offset % 2000 === 0
          ? volume.stageWriteAt(offset, content(offset, 500))
          : volume.stageWriteAt(offset, chunks(offset, 500, 100)),
      ),
    );
    assert.ok(most.puts > 1 && most.puts <= width, `${most.puts} puts at once, of ${width}`);
    const v = await volume.commit(staged);
    assert.equal(v.manifest.blocks.count, 500);
    assert.deepEqual(await volume.readAt(v, 499_100, 300), content(499_100, 300));
  });

  it('stops at the first failure, once what was under way has ended', async () => {
    const full = new LodeError('LODE_STORAGE_FULL', 'no space', {});
    let puts = 0;
    const bed = bedOf('guarded put', (store) =>
      withPut(store, (...args) => (puts++ === 3 ? Promise.reject(full) : store.put(...args))),
    );
    const volume = await bed.volume({ length: 100_000, blockBytes: 1000, stagingBytesMax: 2000 });
    await failure('LODE_STORAGE_FULL', volume.stageWriteAt(0, chunks(0, 50_000, 500)));
    assert.ok(puts < 12, `${puts} puts`);
    // What is there is adopted, the rest is staged.
    const staged = await volume.stageWriteAt(0, chunks(0, 50_000, 500));
    const v = await volume.commit([staged]);
    assert.deepEqual(await volume.readAt(v, 0, 50_000), content(0, 50_000));
  });

  onBoth('and committing by many writers at once loses no block', async (bed) => {
    const writers = await Promise.all(Array.from({ length: 6 }, () => bed.volume()));
    await Promise.all(
      writers.map(async (volume, w) => {
        for (let i = 0; i < 5; i++) await put(volume, [(w * 5 + i) * 3, 3]);
      }),
    );
    const volume = await bed.volume();
    const v = await volume.latest();
    assert.equal(v.manifest.blocks.count, 30);
    assert.deepEqual(await volume.readAt(v, 0, 90), content(0, 90));
    assert.equal((await all(volume.snapshots())).length, 30);
    assert.deepEqual(await all(volume.snapshots({ unreachable: true })), []);
  });

  onBoth('on top of an old block of other writers leaves no hole', async (bed) => {
    await bed.store.put(blockKey(0, 10), content(0, 10));
    await bed.env.sleep(20 * 3_600_000);
    const volume = await bed.volume();
    const staged = await volume.stageWriteAt(0, content(0, 10));
    // Under a lock it is adopted; elsewhere a collector may be about to take it.
    assert.equal(staged.blocks.length, bed.kind === 'guarded put' ? 1 : 2);
    const v = await volume.commit([staged]);
    assert.deepEqual(await volume.readAt(v, 0, 10), content(0, 10));
  });

  it('commits again when somebody replaced the pointer while it was held', async () => {
    let victim: string | undefined;
    const bed = bedOf('compare-and-swap', (store) =>
      withPut(store, async (...args) => {
        const result = await store.put(...args);
        if (victim !== undefined && args[0].endsWith('manifest.json')) {
          await store.put(pointerKey, victim, { mode: 'overwrite' });
          victim = undefined;
        }
        return result;
      }),
    );
    const volume = await bed.volume({ peers: 'go' });
    victim = await put(volume, [0, 10]);
    const first = victim;
    const v = await put(volume, [10, 10]);
    assert.notEqual(v, first);
    assert.equal((await (await bed.volume()).latest()).id, v);
    assert.equal((await volume.latest()).manifest.blocks.count, 2);
    const hasty = await bed.volume({ peers: 'go', retry: { attempts: 0 } });
    await hasty.latest();
    victim = v;
    const staged = await hasty.stageWriteAt(20, content(20, 10));
    await failure('LODE_SUPERSEDED', hasty.commit([staged]));
  });
});

describe('a budget', () => {
  it('serves in order, lets nobody wait for ever, and forgets who gave up', async () => {
    const budget = new Budget(10);
    const order: string[] = [];
    const one = await budget.take(8, undefined);
    const stop = new AbortController();
    const large = budget.take(100, undefined).then((back) => (order.push('large'), back));
    const gone = budget.take(1, stop.signal);
    const small = budget.take(2, undefined).then((back) => (order.push('small'), back));
    stop.abort(new Error('left'));
    await assert.rejects(gone, /left/);
    one();
    one();
    const back = await large;
    assert.deepEqual(order, ['large']);
    back();
    (await small)();
    assert.deepEqual(order, ['large', 'small']);
    (await budget.take(10, undefined))();
  });
});
