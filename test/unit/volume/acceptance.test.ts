/** At risk: what any implementation of the format has to do. The acceptance cases of the specification for volumes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore } from '../../../src/store/index.ts';
import { openVolume } from '../../../src/volume/index.ts';
import {
  all,
  bedOf,
  block,
  blockKey,
  content,
  failure,
  manifestKey,
  onBoth,
  plant,
  pointerKey,
  put,
  text,
} from './bed.ts';

const id = '1767323045123456789';

describe('a volume', () => {
  onBoth('holds what was staged and committed, where the format says', async (bed) => {
    const volume = await bed.volume();
    const staged = await volume.stageWriteAt(0, 'hello world');
    assert.equal(staged.blocks[0]?.path, blockKey(0, 11));
    await failure('LODE_NO_SNAPSHOTS', volume.latest());
    const v = await volume.commit([staged], { step: 'boot' });
    assert.equal(Buffer.from(await volume.readAt(v.id, 0, 11)).toString(), 'hello world');
    assert.equal(await text(bed.store, pointerKey), v.id);
    assert.deepEqual((await volume.latest()).manifest.metadata, { step: 'boot' });
    assert.equal(v.complete, false);
    const w = await volume.commit([await volume.stageWriteAt(11, '!')]);
    assert.equal(w.cost.requests, 2);
  });

  onBoth('is cumulative: each snapshot holds all before it', async (bed) => {
    const volume = await bed.volume({ length: 90 });
    const ids = [];
    for (const offset of [0, 30, 60]) ids.push(await put(volume, [offset, 30]));
    const snapshots = await all(volume.snapshots());
    assert.deepEqual(
      snapshots.map((s) => [s.id, s.manifest.blocks.count, s.manifest.parentSnapshotId]),
      [
        [ids[2], 3, ids[1]],
        [ids[1], 2, ids[0]],
        [ids[0], 1, undefined],
      ],
    );
    assert.deepEqual(await volume.readAt(ids[2] ?? '', 0, 90), content(0, 90));
    assert.equal((await volume.latest()).complete, true);
    assert.equal(snapshots[1]?.complete, false);
  });

  onBoth('stores blocks in order, whatever the order of staging', async (bed) => {
    const volume = await bed.volume();
    const v = await put(volume, [20, 10], [0, 10], [10, 10]);
    const stored = JSON.parse((await text(bed.store, manifestKey(v))) ?? '') as {
      blocks: { offset: number }[];
    };
    assert.deepEqual(
      stored.blocks.map(({ offset }) => offset),
      [0, 10, 20],
    );
  });

  it('sorts blocks that somebody stored in another order', async () => {
    const bed = bedOf('guarded put');
    await plant(bed.store, id, { blocks: [block(20, 10), block(0, 10), block(10, 10)] });
    const volume = await bed.volume();
    const v = await volume.latest();
    assert.deepEqual(
      [...v.manifest.blocks.from(0)].map(({ offset }) => offset),
      [0, 10, 20],
    );
  });

  onBoth('names every gap, and never fills one', async (bed) => {
    const volume = await bed.volume();
    const v = await put(volume, [0, 10], [50, 10], [60, 5]);
    for (const [offset, length, gaps] of [
      [10, 40, [[10, 40]]],
      [0, 15, [[10, 5]]],
      [5, 10, [[10, 5]]],
      [
        5,
        95,
        [
          [10, 40],
          [65, 35],
        ],
      ],
    ] as const) {
      const error = await failure('LODE_RANGE_MISSING', volume.readAt(v, offset, length));
      assert.deepEqual(
        error.details.gaps,
        gaps.map(([at, count]) => ({ offset: at, length: count })),
      );
      await failure('LODE_RANGE_MISSING', all(volume.stream(v, { offset, length })));
    }
    assert.deepEqual(await volume.readAt(v, 0, 10), content(0, 10));
    assert.deepEqual(await volume.readAt(v, 50, 10), content(50, 10));
    assert.deepEqual(await volume.readAt(v, 55, 8), content(55, 8));
    const snapshot = await volume.snapshot(v);
    assert.deepEqual(volume.coverage(snapshot), [
      { offset: 0, length: 10 },
      { offset: 50, length: 15 },
    ]);
    assert.deepEqual(volume.missing(snapshot, { offset: 5, length: 50 }), [
      { offset: 10, length: 40 },
    ]);
    assert.deepEqual(volume.missing(undefined), [{ offset: 0, length: 100 }]);
  });

  onBoth('refuses blocks that overlap, within a commit and with what is there', async (bed) => {
    const volume = await bed.volume({ length: 2 ** 53 - 1 });
    const far = 2 ** 53 - 11;
    for (const ranges of [
      [
        [0, 10],
        [5, 10],
      ],
      [
        [0, 20],
        [5, 5],
      ],
      [
        [5, 5],
        [5, 10],
      ],
      [
        [0, 10],
        [0, 10],
      ],
      [
        [far, 10],
        [far + 5, 5],
      ],
    ] as const) {
      const error = await failure('LODE_OVERLAPPING_BLOCKS', put(volume, ...ranges));
      assert.equal(error.details.blocks.length, 2);
    }
    await put(volume, [0, 10], [10, 10], [far, 10]);
    const error = await failure('LODE_OVERLAPPING_BLOCKS', put(volume, [5, 10]));
    assert.deepEqual(error.details.blocks, [
      { offset: 0, length: 10 },
      { offset: 5, length: 10 },
    ]);
    assert.equal((await volume.latest()).manifest.blocks.count, 3);
  });

  onBoth('detects another writer when it is told not to go on top of it', async (bed) => {
    const [a, b] = [await bed.volume({ retry: { attempts: 0 } }), await bed.volume()];
    await put(a, [0, 10]);
    await put(b, [10, 10]);
    await failure('LODE_SNAPSHOT_CONFLICT', put(a, [20, 10]));
    await a.latest();
    await put(a, [30, 10]);
    assert.equal((await a.latest()).manifest.blocks.count, 3);
  });

  onBoth(
    'goes on top of disjoint blocks of another writer, not of overlapping ones',
    async (bed) => {
      const [a, b] = [await bed.volume({ length: 200 }), await bed.volume({ length: 200 })];
      await put(a, [0, 100]);
      await put(b, [100, 7]);
      const staged = await a.stageWriteAt(107, content(107, 3));
      const v = await a.commit([staged]);
      assert.equal(v.manifest.blocks.count, 3);
      assert.equal(v.retries, 1);
      await put(b, [110, 5]);
      await failure('LODE_OVERLAPPING_BLOCKS', put(a, [113, 2]));
      assert.deepEqual(await a.readAt(v, 0, 110), content(0, 110));
    },
  );

  onBoth('adopts a block that is staged already with the same bytes', async (bed) => {
    const volume = await bed.volume();
    const first = await volume.stageWriteAt(0, content(0, 10));
    const before = await bed.store.head(blockKey(0, 10));
    await bed.env.sleep(60_000);
    const seen: number[] = [];
    const again = await (
      await bed.volume()
    ).stageWriteAt(0, content(0, 10), {
      onProgress: ({ adopted }) => seen.push(adopted),
    });
    assert.deepEqual(again, first);
    assert.deepEqual(seen, [1]);
    const after = await bed.store.head(blockKey(0, 10));
    assert.ok((after?.lastModifiedMs ?? 0) > (before?.lastModifiedMs ?? 0), 'its age is refreshed');
  });

  onBoth('stages around a block that is there with other bytes, and leaves it', async (bed) => {
    await bed.store.put(blockKey(0, 11), 'other bytes');
    await bed.store.put(blockKey(0, 5), 'hello');
    await bed.store.put(blockKey(5, 6), 'worlds');
    const volume = await bed.volume();
    const staged = await volume.stageWriteAt(0, 'hello world');
    assert.deepEqual(
      staged.blocks.map(({ offset, length }) => [offset, length]),
      [
        [0, 5],
        [5, 3],
        [8, 3],
      ],
    );
    const v = await volume.commit([staged]);
    assert.equal(Buffer.from(await volume.readAt(v, 0, 11)).toString(), 'hello world');
    assert.equal(await text(bed.store, blockKey(0, 11)), 'other bytes');
    await bed.store.put(blockKey(20, 1), 'x');
    await failure('LODE_ALREADY_EXISTS', volume.stageWriteAt(20, 'y'));
  });

  it('takes null and no metadata for an empty object', async () => {
    const volume = await bedOf('guarded put').volume();
    const a = await volume.commit([await volume.stageWriteAt(0, 'a')], null);
    const b = await volume.commit([await volume.stageWriteAt(1, 'b')]);
    assert.deepEqual([a.manifest.metadata, b.manifest.metadata], [{}, {}]);
  });

  it('has a manifest of exactly the bytes that Go writes', async () => {
    const { encodeManifest } = await import('../../../src/volume/manifest/index.ts');
    const { BlockTable } = await import('../../../src/volume/block-table.ts');
    const bytes = encodeManifest({
      schemaName: 'lode-volume-manifest',
      formatVersion: '1.0.0',
      volumeId: 'disk',
      snapshotId: '1767323045323456789',
      createdAt: '2026-01-02T03:04:05.32346Z',
      metadata: { step: 'two' },
      totalLength: 100,
      blocks: BlockTable.of([
        { offset: 0, length: 10, checksum: '781e5e245d69b566979b86e28d23f2c7' },
        { offset: 50, length: 5, checksum: '2ecdde3959051d913f61b14579ea136d' },
      ]),
      parentSnapshotId: '1767323045123456789',
      checksumAlgorithm: 'md5',
    });
    assert.equal(Buffer.from(bytes).toString(), goManifest);
  });

  it('opens without a length where there is one, and finds its own', async () => {
    const store = memoryStore();
    await failure('LODE_NO_SNAPSHOTS', openVolume('vol', { store }));
    await put(await openVolume('vol', { store, length: 70 }), [0, 10]);
    assert.equal((await openVolume('vol', { store })).length, 70);
  });
});

const goManifest = `{
  "schema_name": "lode-volume-manifest",
  "format_version": "1.0.0",
  "volume_id": "disk",
  "snapshot_id": "1767323045323456789",
  "created_at": "2026-01-02T03:04:05.32346Z",
  "metadata": {
    "step": "two"
  },
  "total_length": 100,
  "blocks": [
    {
      "offset": 0,
      "length": 10,
      "path": "volumes/disk/data/0-10.bin",
      "checksum": "781e5e245d69b566979b86e28d23f2c7"
    },
    {
      "offset": 50,
      "length": 5,
      "path": "volumes/disk/data/50-5.bin",
      "checksum": "2ecdde3959051d913f61b14579ea136d"
    }
  ],
  "parent_snapshot_id": "1767323045123456789",
  "checksum_algorithm": "md5"
}`;
