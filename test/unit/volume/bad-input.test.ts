/** At risk: hostile or mistaken input. Typed errors, nothing lost, no half-visible commit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { md5, sha256 } from '../../../src/encoding/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { openVolume } from '../../../src/volume/index.ts';
import type { VolumeBlock } from '../../../src/volume/index.ts';
import { decodeManifest } from '../../../src/volume/manifest/index.ts';
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
} from './bed.ts';

const id = '1767323045123456789';
const notOffsets = [-1, 0.5, 2 ** 53, 2 ** 63 - 1, NaN, Infinity, -Infinity, '0', null, 100];
const notLengths = [-1, 0, 0.5, 2 ** 53, 2 ** 63 - 1, NaN, Infinity, '1', null, 101];

describe('ranges', () => {
  onBoth('outside of the volume, or no ranges at all, are refused everywhere', async (bed) => {
    const volume = await bed.volume();
    const v = await put(volume, [0, 100]);
    const wrong = async (offset: unknown, length: unknown): Promise<void> => {
      const [o, n] = [offset as number, length as number];
      await failure('LODE_INVALID_ARGUMENT', volume.readAt(v, o, n));
      await failure('LODE_INVALID_ARGUMENT', all(volume.stream(v, { offset: o, length: n })));
      assert.throws(
        () => volume.missing(undefined, { offset: o, length: n }),
        (error) => isLodeError(error, 'LODE_INVALID_ARGUMENT'),
      );
      const given = { offset: o, length: n, path: blockKey(o, n) };
      await failure('LODE_INVALID_ARGUMENT', volume.commit([given]));
    };
    for (const offset of notOffsets) await wrong(offset, 1);
    for (const length of notLengths) await wrong(0, length);
    await wrong(95, 10);
    for (const offset of notOffsets)
      await failure('LODE_INVALID_ARGUMENT', volume.stageWriteAt(offset as number, 'x'));
    await failure('LODE_INVALID_ARGUMENT', volume.stageWriteAt(95, content(95, 10)));
    assert.equal((await volume.latest()).id, v);
  });

  onBoth('of sources: empty, too long and of another length than declared', async (bed) => {
    const volume = await bed.volume();
    async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
      for (const part of parts) yield Buffer.from(part);
    }
    for (const [source, length] of [
      ['', undefined],
      [chunks(), undefined],
      [chunks('x'.repeat(101)), undefined],
      ['x'.repeat(101), undefined],
      [chunks('hello'), 6],
      [chunks('hello'), 4],
      ['hello', 6],
      ['hello', -1],
      [chunks('hello'), 101],
    ] as const) {
      const options = length === undefined ? {} : { length };
      await failure('LODE_INVALID_ARGUMENT', volume.stageWriteAt(0, source, options));
    }
    assert.deepEqual(await all(bed.store.list('')), []);
    assert.equal((await volume.stageWriteAt(95, 'exact')).length, 5);
  });

  onBoth('of a source that breaks off or is aborted never become a block', async (bed) => {
    const volume = await bed.volume();
    const broken = new Error('cable');
    async function* breaks(): AsyncGenerator<Uint8Array> {
      yield content(0, 10);
      throw broken;
    }
    await assert.rejects(volume.stageWriteAt(0, breaks()), broken);
    const stop = new AbortController();
    async function* hangs(): AsyncGenerator<Uint8Array> {
      yield content(0, 10);
      stop.abort(broken);
      await new Promise<never>(() => {});
    }
    await assert.rejects(volume.stageWriteAt(0, hangs(), { signal: stop.signal }), broken);
    assert.deepEqual(await all(bed.store.list('')), []);
  });
});

describe('blocks', () => {
  onBoth('that are none, of another volume or another key, are refused', async (bed) => {
    const volume = await bed.volume();
    const other = await openVolume('other', { store: bed.store, env: bed.env, length: 100 });
    const staged = await other.stageWriteAt(0, 'hello');
    const nothing = { offset: 0, length: 10, blocks: [] };
    const hollow = [null, undefined, 5, 'x', { blocks: 5 }, { blocks: [null] }];
    for (const blocks of [
      [],
      [nothing],
      [nothing, nothing],
      ...hollow.map((one) => [one as unknown as VolumeBlock]),
      [staged],
      [{ ...block(0, 10), path: '' }],
      [{ ...block(0, 10), path: '../../etc/passwd' }],
      [{ ...block(0, 10), checksum: 'a"\n' }],
      [{ ...block(0, 10), checksum: 'x'.repeat(1000) }],
    ])
      await failure('LODE_INVALID_ARGUMENT', volume.commit(blocks));
    await failure('LODE_INVALID_ARGUMENT', volume.commit('blocks' as unknown as []));
    await failure(
      'LODE_INVALID_ARGUMENT',
      volume.commit([await volume.stageWriteAt(0, 'a')], { 'lode.fence': true }),
    );
    await failure('LODE_NO_SNAPSHOTS', volume.latest());
  });

  onBoth('that are committed already are refused, alone and with others', async (bed) => {
    const volume = await bed.volume();
    const [a, b] = [await volume.stageWriteAt(0, 'a'), await volume.stageWriteAt(1, 'b')];
    const v = await volume.commit([a]);
    await failure('LODE_ALREADY_EXISTS', volume.commit([a]));
    await failure('LODE_OVERLAPPING_BLOCKS', volume.commit([a, b]));
    assert.equal((await volume.latest()).id, v.id);
  });

  onBoth('whose objects are gone or cut are not committed', async (bed) => {
    const volume = await bed.volume();
    await failure('LODE_NOT_FOUND', volume.commit([block(0, 10)]));
    const staged = await (await bed.volume()).stageWriteAt(0, content(0, 10));
    await bed.store.put(blockKey(0, 10), 'short', { mode: 'overwrite' });
    await failure('LODE_TRUNCATED', volume.commit([staged]));
    // A long while later this process's own blocks may have been collected.
    const own = await volume.stageWriteAt(20, content(20, 10));
    await bed.env.sleep(13 * 3_600_000);
    await bed.store.delete(blockKey(20, 10));
    await failure('LODE_NOT_FOUND', volume.commit([own]));
    await failure('LODE_NO_SNAPSHOTS', volume.latest());
  });

  onBoth('whose objects are gone, cut or altered fail to be read', async (bed) => {
    const volume = await bed.volume();
    const v = await put(volume, [0, 10], [10, 10]);
    const damage = async (bytes: string | undefined): Promise<void> => {
      if (bytes === undefined) await bed.store.delete(blockKey(0, 10));
      else await bed.store.put(blockKey(0, 10), bytes, { mode: 'overwrite' });
    };
    const reads = (): Promise<unknown>[] => [
      volume.readAt(v, 0, 10),
      volume.readAt(v, 0, 20),
      volume.readAt(v, 2, 3, { verified: true }),
      all(volume.stream(v, { offset: 0, length: 20 })),
    ];
    await damage('altered!!!');
    for (const read of reads()) await failure('LODE_CHECKSUM_MISMATCH', read);
    assert.equal(Buffer.from(await volume.readAt(v, 2, 3)).toString(), 'ter');
    await damage('too long to be it');
    for (const read of [...reads(), volume.readAt(v, 2, 3)])
      await failure('LODE_CHECKSUM_MISMATCH', read);
    await damage('short');
    for (const read of [...reads(), volume.readAt(v, 2, 3)]) await failure('LODE_TRUNCATED', read);
    await damage(undefined);
    for (const read of [...reads(), volume.readAt(v, 2, 3)]) await failure('LODE_NOT_FOUND', read);
    assert.deepEqual(await volume.readAt(v, 10, 10), content(10, 10));
  });

  onBoth('keep the algorithm they were written with, whoever commits on top', async (bed) => {
    const go = await bed.volume({ checksum: md5() });
    await put(go, [0, 10]);
    const ours = await bed.volume({ checksum: sha256() });
    await put(ours, [10, 10]);
    const plain = await bed.volume({ checksum: false });
    const v = await put(plain, [20, 10]);
    const { manifest } = await plain.snapshot(v);
    const found = [...manifest.blocks.from(0)].map(({ checksum = '' }) => checksum);
    assert.match(found[0] ?? '', /^[0-9a-f]{32}$/);
    assert.match(found[1] ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(found[2], '');
    assert.equal(manifest.checksumAlgorithm, 'sha256');
    for (const offset of [0, 10]) {
      await bed.store.put(blockKey(offset, 10), 'altered!!!', { mode: 'overwrite' });
      await failure('LODE_CHECKSUM_MISMATCH', plain.readAt(v, offset, 10));
    }
    const odd = [{ ...block(40, 10), checksum: 'xxh3:0123' }];
    await bed.store.put(blockKey(40, 10), content(40, 10));
    const w = await plain.commit(odd);
    await failure('LODE_UNSUPPORTED', plain.readAt(w.id, 40, 10));
    assert.deepEqual(await plain.readAt(w, 41, 9), content(41, 9));
  });
});

describe('manifests', () => {
  const faults: readonly (readonly [field: string, changes: Record<string, unknown>])[] = [
    ...['schema_name', 'format_version', 'volume_id', 'snapshot_id', 'created_at'].flatMap(
      (name) => [
        [name, { [name]: undefined }] as const,
        [name, { [name]: '' }] as const,
        [name, { [name]: 7 }] as const,
      ],
    ),
    ['metadata', { metadata: null }],
    ['metadata', { metadata: [] }],
    ['blocks', { blocks: null }],
    ['blocks', { blocks: undefined }],
    ['blocks', { blocks: {} }],
    ['total_length', { total_length: 0 }],
    ['total_length', { total_length: -1 }],
    ['total_length', { total_length: undefined }],
    ['total_length', { total_length: 1.5 }],
    ['created_at', { created_at: '0001-01-01T00:00:00Z' }],
    ['volume_id', { volume_id: 'other' }],
    ['snapshot_id', { snapshot_id: 'other' }],
    ['parent_snapshot_id', { parent_snapshot_id: id }],
    ['blocks[0]', { blocks: [7] }],
    ['blocks[0].offset', { blocks: [{ ...block(0, 10), offset: -1 }] }],
    ['blocks[0].offset', { blocks: [{ ...block(0, 10), offset: 0.5 }] }],
    ['blocks[0].length', { blocks: [{ ...block(0, 10), length: -1 }] }],
    ['blocks[0].length', { blocks: [{ ...block(0, 10), length: 0 }] }],
    ['blocks[0].length', { blocks: [block(95, 10)] }],
    ['blocks[0].length', { blocks: [block(0, 2 ** 53 - 1)] }],
    ['blocks[0].path', { blocks: [{ ...block(0, 10), path: '' }] }],
    ['blocks[0].path', { blocks: [{ ...block(0, 10), path: '../secret' }] }],
    ['blocks[0].checksum', { blocks: [{ ...block(0, 10), checksum: 7 }] }],
    ['blocks', { blocks: [block(0, 10), block(5, 10)] }],
    ['blocks', { blocks: [block(5, 10), block(0, 10)] }],
    ['blocks', { blocks: [block(0, 10), block(0, 10)] }],
  ];
  for (const [field, changes] of faults) {
    it(`are refused for ${field}: ${JSON.stringify(changes)}`, async () => {
      const bed = bedOf('guarded put');
      await plant(bed.store, id, changes);
      const volume = await bed.volume({ settleMs: 0 });
      for (const work of [volume.latest(), volume.snapshot(id), volume.readAt(id, 0, 1)]) {
        const error = await failure('LODE_MANIFEST_INVALID', work);
        assert.equal(error.details.field, field);
      }
      // Nothing is committed on top of what cannot be read: the blocks below would be lost.
      await failure('LODE_MANIFEST_INVALID', put(volume, [0, 10]));
    });
  }

  it('of a later version or another length are told apart from damage', async () => {
    const bed = bedOf('guarded put');
    await plant(bed.store, id, { format_version: '9.0.0' });
    await failure('LODE_FORMAT_TOO_NEW', (await bed.volume()).latest());
    await plant(bed.store, id, { total_length: 200 });
    const error = await failure('LODE_INVALID_ARGUMENT', (await bed.volume()).latest());
    assert.deepEqual([error.details.expected, error.details.actual], [200, 100]);
  });

  it('with more blocks or bytes than the limits are refused', async () => {
    const bed = bedOf('guarded put');
    await plant(bed.store, id, { blocks: [block(0, 1), block(1, 1), block(2, 1)] });
    for (const limits of [{ blocksMax: 2 }, { bytesMax: 100 }])
      await failure('LODE_LIMIT_EXCEEDED', (await bed.volume({ limits })).latest());
  });

  it('of a million hostile blocks are refused in no more time than it takes to read them', () => {
    const blocks = Array.from(
      { length: 1_000_000 },
      (_, i) => `{"offset":${i},"length":2,"path":"volumes/vol/data/${i}-2.bin"}`,
    );
    const text =
      `{"schema_name":"lode-volume-manifest","format_version":"1.0.0","volume_id":"vol","snapshot_id":"${id}",` +
      `"created_at":"2026-01-02T03:04:05Z","metadata":{},"total_length":2000000,"blocks":[${blocks.join()}]}`;
    assert.throws(
      () => decodeManifest(Buffer.from(text), { key: 'k' }),
      (error) => isLodeError(error, 'LODE_MANIFEST_INVALID') && error.details.field === 'blocks',
    );
  });

  it('cut or altered anywhere are refused, or mean the same', async () => {
    const bed = bedOf('guarded put');
    const v = await put(await bed.volume(), [0, 10], [20, 10]);
    const object = await bed.store.get(manifestKey(v));
    const bytes = (await object?.bytes()) ?? new Uint8Array(0);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(254), fc.boolean(), (at, change, cut) => {
        const damaged = cut ? bytes.slice(0, at) : new Uint8Array(bytes);
        if (!cut) damaged[at] = (damaged[at] ?? 0) ^ (change + 1);
        assert.throws(
          () => decodeManifest(damaged, { key: 'k', volume: 'vol', snapshot: v }),
          (error) =>
            isLodeError(error) &&
            (error.kind === 'corrupt' || error.code === 'LODE_FORMAT_TOO_NEW'),
        );
      }),
      { numRuns: 2000 },
    );
  });

  onBoth('that are fences carry the blocks before them on', async (bed) => {
    const volume = await bed.volume({ settleMs: 0 });
    await put(volume, [0, 10]);
    // A writer that moved the pointer and died.
    await bed.store.put(pointerKey, String(BigInt(id) * 2n), { mode: 'overwrite' });
    const next = await bed.volume({ settleMs: 0 });
    await put(next, [10, 10]);
    const v = await next.latest();
    assert.equal(v.manifest.blocks.count, 2);
    assert.deepEqual(await next.readAt(v, 0, 20), content(0, 20));
    const ids = (await all(next.snapshots())).map(({ manifest }) => manifest.blocks.count);
    assert.deepEqual(ids, [2, 1]);
  });
});

describe('opening a volume', () => {
  it('refuses what cannot be', async () => {
    const store = memoryStore();
    for (const [name, options] of [
      ['', { store, length: 1 }],
      ['a/b', { store, length: 1 }],
      ['..', { store, length: 1 }],
      ['v', { length: 1 }],
      ['v', { store, length: 0 }],
      ['v', { store, length: -1 }],
      ['v', { store, length: 1.5 }],
      ['v', { store, length: 2 ** 53 }],
      ['v', { store, length: 1, blockBytes: 0 }],
      ['v', { store, length: 1, limits: { blocks: 5 } }],
      ['v', { store, length: 1, limits: { blocksMax: NaN } }],
      ['v', { store, length: 1, limits: 5 }],
      ['v', { store, length: 1, checksum: 'md5' }],
      ['v', { store, length: 1, layout: {} }],
      ['v', { store, length: 1, codec: {} }],
      ['v', { store, length: 1, retry: { attempts: -1 } }],
      ['v', { store, length: 1, writers: 'me' }],
      ['v', { store, length: 1, peers: 'rust' }],
    ] as const) {
      const given = options as unknown as Parameters<typeof openVolume>[1];
      await failure('LODE_INVALID_ARGUMENT', openVolume(name, given));
    }
    assert.deepEqual(await all(store.list('')), []);
  });

  it('is over once it is closed', async () => {
    const volume = await bedOf('guarded put').volume();
    await volume.close();
    await failure('LODE_CLOSED', volume.latest());
    await failure('LODE_CLOSED', volume.stageWriteAt(0, 'x'));
    const other = await bedOf('guarded put').volume();
    const v = await other.snapshot(await put(other, [0, 1]));
    const another = await openVolume('another', { store: memoryStore(), length: 100 });
    await failure('LODE_INVALID_ARGUMENT', another.readAt(v, 0, 1));
    const text: VolumeBlock = JSON.parse(JSON.stringify(block(0, 1))) as VolumeBlock;
    assert.equal(text.offset, 0);
  });
});
