/** At risk: manifests that name runs of blocks instead of listing all. The same volume, at a price that does not grow with it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Encode } from '../../../src/bytes/index.ts';
import { crc32c } from '../../../src/encoding/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { BlockTable } from '../../../src/volume/block-table.ts';
import { volumeKeys } from '../../../src/volume/keys.ts';
import { decodeRun, encodeRun } from '../../../src/volume/run.ts';
import type { VolumeBlock } from '../../../src/volume/index.ts';
import {
  all,
  bedOf,
  block,
  content,
  failure,
  manifestKey,
  onBoth,
  plant,
  pointerKey,
  put,
  text,
} from './bed.ts';
import type { Bed } from './bed.ts';

const id = '1767323045123456789';
const day = 24 * 3_600_000;
const length = 1_000_000;
const hexDigits = '0123456789abcdef'.split('');
const compact = { length, manifests: 'compact', checksum: false } as const;

/** Blocks of one byte that need not be staged: the commit takes them as they are. */
async function putMany(bed: Bed, count: number, each: number, first = 0): Promise<void> {
  const volume = await bed.volume(compact);
  for (let at = first; at < first + count; at += each) {
    const blocks: VolumeBlock[] = [];
    for (let i = at; i < Math.min(at + each, first + count); i++) {
      await bed.store.put(block(i * 2, 1).path, content(i * 2, 1));
      blocks.push(block(i * 2, 1));
    }
    await volume.commit(blocks);
  }
}

const runsOf = async (bed: Bed): Promise<string[]> =>
  (await all(bed.store.list('volumes/vol/runs/'))).map(({ key }) => key);

describe('compact manifests', () => {
  onBoth('hold the same blocks as compatible ones, whoever reads them', async (bed) => {
    const volume = await bed.volume(compact);
    for (let n = 0; n < 70; n++) await put(volume, [((n * 37) % 70) * 10, 5 + (n % 6)]);
    const cold = await bed.volume({ length });
    const v = await cold.latest();
    assert.equal(v.manifest.formatVersion, '2.0.0');
    assert.equal(v.manifest.blocks.count, 70);
    const covered = Array.from({ length: 70 }, (_, n) => ({
      offset: ((n * 37) % 70) * 10,
      length: 5 + (n % 6),
    })).sort((a, b) => a.offset - b.offset);
    assert.deepEqual(
      [...v.manifest.blocks.from(0)].map(({ offset, length: bytes }) => ({
        offset,
        length: bytes,
      })),
      covered,
    );
    for (const { offset, length: bytes } of covered)
      assert.deepEqual(await cold.readAt(v, offset, bytes), content(offset, bytes));
    await failure('LODE_OVERLAPPING_BLOCKS', put(cold, [3, 3]));
    assert.equal((await all(cold.snapshots())).length, 70);
    assert.deepEqual((await cold.verify()).problems, []);
  });

  it('are left and taken up again, at the price of one long commit', async () => {
    const bed = bedOf('guarded put');
    const plain = await bed.volume({ length });
    await put(plain, [0, 5], [10, 5]);
    await put(await bed.volume(compact), [20, 5]);
    // As the volume has it.
    const next = await bed.volume({ length });
    const v = await put(next, [30, 5]);
    assert.equal((await next.snapshot(v)).manifest.formatVersion, '2.0.0');
    assert.doesNotMatch((await text(bed.store, manifestKey(v))) ?? '', /"blocks"/);
    const back = await put(await bed.volume({ length, manifests: 'compatible' }), [40, 5]);
    const manifest = (await next.snapshot(back)).manifest;
    assert.equal(manifest.formatVersion, '1.0.0');
    assert.deepEqual(
      [...manifest.blocks.from(0)].map(({ offset }) => offset),
      [0, 10, 20, 30, 40],
    );
    await failure('LODE_INVALID_ARGUMENT', bed.volume({ manifests: 'compact', peers: 'go' }));
    await failure('LODE_INVALID_ARGUMENT', bed.volume({ manifests: 'small' as 'compact' }));
  });

  it('cost a commit about the same at 60 blocks and at 60,000', async () => {
    const bed = bedOf('guarded put');
    /** Bytes of 64 commits of one block each. */
    const price = async (first: number): Promise<number> => {
      const volume = await bed.volume(compact);
      let bytes = 0;
      for (let i = first; i < first + 64; i++) {
        await bed.store.put(block(i * 2, 1).path, content(i * 2, 1));
        bytes += (await volume.commit([block(i * 2, 1)])).cost.bytesUp;
      }
      return bytes / 64;
    };
    await putMany(bed, 60, 60);
    const small = await price(100);
    await putMany(bed, 60_000, 10_000, 200);
    const large = await price(100_000);
    assert.ok(large < small * 1.5 && large < 8192, `${large} bytes a commit, not ${small}`);
  });

  it('name few runs, however the blocks came', async () => {
    const bed = bedOf('guarded put');
    await putMany(bed, 3000, 1);
    const volume = await bed.volume({ length });
    const v = await volume.latest();
    const { runs } = JSON.parse((await text(bed.store, manifestKey(v.id))) ?? '') as { runs: [] };
    assert.ok(runs.length <= 3 * 3, `${runs.length} runs`);
    assert.equal(v.manifest.blocks.count, 3000);
    assert.equal(v.coveredBytes, 3000);
  });

  onBoth('by many writers at once lose no block', async (bed) => {
    await putMany(bed, 64, 64, 1000);
    await Promise.all(
      [0, 1, 2, 3].map(async (w) => {
        const volume = await bed.volume(compact);
        for (let i = 0; i < 20; i++) await put(volume, [(w * 20 + i) * 5, 3]);
      }),
    );
    const v = await (await bed.volume({ length })).latest();
    assert.equal(v.manifest.blocks.count, 144);
    assert.deepEqual(
      await all((await bed.volume({ length })).snapshots({ unreachable: true })),
      [],
    );
  });

  it('keep their runs from being collected, and let go of those nobody names', async () => {
    const bed = bedOf('guarded put');
    await putMany(bed, 300, 10);
    const stray = `volumes/vol/runs/${'0'.repeat(32)}.run`;
    await bed.store.put(stray, 'lost race');
    await bed.env.sleep(8 * day);
    const before = await runsOf(bed);
    const volume = await bed.volume({ length });
    const report = await volume.gc({ dryRun: false });
    assert.deepEqual(
      report.orphans.map(({ key }) => key),
      [stray],
    );
    assert.deepEqual(
      await runsOf(bed),
      before.filter((key) => key !== stray),
    );
    assert.deepEqual((await volume.verify()).problems, []);
  });

  it('are fenced, and repaired, like others', async () => {
    const bed = bedOf('compare-and-swap');
    await putMany(bed, 100, 10);
    await bed.store.put(pointerKey, '9223372036854775806', { mode: 'overwrite' });
    const volume = await bed.volume({ length, settleMs: 0 });
    await volume.repair();
    await put(volume, [5001, 3]);
    assert.equal((await volume.latest()).manifest.blocks.count, 101);
  });
});

describe('a damaged compact volume', () => {
  it('is refused with the run that is at fault', async () => {
    const bed = bedOf('guarded put');
    await putMany(bed, 100, 100);
    const [run = ''] = await runsOf(bed);
    const good = (await (await bed.store.get(run))?.bytes()) ?? new Uint8Array(0);
    const read = async (): Promise<unknown> => (await bed.volume({ length })).latest();
    for (const at of [0, 8, 10, good.length - 1]) {
      const bad = new Uint8Array(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      await bed.store.put(run, bad, { mode: 'overwrite' });
      assert.equal((await failure('LODE_CHECKSUM_MISMATCH', read())).details.key, run);
    }
    await bed.store.put(run, good.subarray(1), { mode: 'overwrite' });
    await failure('LODE_TRUNCATED', read());
    const { problems } = await (await bed.volume({ length })).verify();
    assert.ok(problems.some(({ key }) => key === run));
    await bed.store.delete(run);
    assert.equal((await failure('LODE_NOT_FOUND', read())).details.key, run);
    await failure('LODE_NOT_FOUND', put(await bed.volume({ length }), [9000, 3]));
  });

  const runId = 'a'.repeat(32);
  const sum = 'crc32c:00000000';
  const faults: readonly (readonly [field: string, changes: Record<string, unknown>])[] = [
    ['blocks', { blocks: [] }],
    ['runs', { runs: undefined }],
    ['recent', { recent: undefined }],
    ['runs[0]', { runs: ['x'] }],
    ['runs[0]', { runs: [['../../x', 1, 1, 1, sum]] }],
    ['runs[0]', { runs: [[runId, 0, 1, 1, sum]] }],
    ['runs[0]', { runs: [[runId, 1, -1, 1, sum]] }],
    ['runs[0]', { runs: [[runId, 1, 1, 0.5, sum]] }],
    ['runs[0]', { runs: [[runId, 1, 1, 1, 'md5']] }],
    [
      'runs',
      {
        runs: [
          [runId, 1, 9, 1, sum],
          [runId, 1, 9, 1, sum],
        ],
      },
    ],
    ['runs', { runs: [[runId, 1, 9, 101, sum]] }],
    ['recent[0]', { recent: [[0]] }],
    ['recent[0]', { recent: [[-1, 1]] }],
    ['recent[0]', { recent: [[95, 10]] }],
    ['recent[0]', { recent: [[0, 10, 7]] }],
    ['recent[1]', { recent: [[0, 1], 7] }],
    [
      'recent',
      {
        recent: [
          [0, 10],
          [5, 10],
        ],
      },
    ],
  ];
  for (const [field, changes] of faults) {
    it(`is refused for ${field}: ${JSON.stringify(changes)}`, async () => {
      const bed = bedOf('guarded put');
      await plant(bed.store, id, {
        format_version: '2.0.0',
        blocks: undefined,
        runs: [],
        recent: [],
        ...changes,
      });
      const error = await failure(
        'LODE_MANIFEST_INVALID',
        (await bed.volume({ settleMs: 0 })).latest(),
      );
      assert.equal(error.details.field, field);
    });
  }

  it('is refused where its runs overlap, or are more than the limits allow', async () => {
    const bed = bedOf('guarded put');
    const ref = async (n: number, ...ranges: (readonly [number, number])[]): Promise<unknown[]> => {
      const table = BlockTable.of(ranges.map(([offset, bytes]) => ({ offset, length: bytes })));
      const bytes = encodeRun(table);
      const name = n.toString(16).padStart(32, '0');
      await bed.store.put(volumeKeys('vol').run(name), bytes);
      return [name, table.count, bytes.length, table.bytes, `crc32c:${crc32c().hash?.(bytes)}`];
    };
    const planted = async (runs: unknown[], recent: unknown[] = []): Promise<void> =>
      plant(bed.store, id, { format_version: '2.0.0', blocks: undefined, runs, recent });
    const [a, b, c] = [
      await ref(1, [0, 10], [20, 10]),
      await ref(2, [5, 2]),
      await ref(3, [12, 8]),
    ];
    const open = async (): Promise<unknown> => (await bed.volume({ settleMs: 0 })).latest();
    await planted([a, b]);
    await failure('LODE_MANIFEST_INVALID', open());
    await planted([a], [[25, 10]]);
    await failure('LODE_MANIFEST_INVALID', open());
    await planted([a, c], [[10, 2]]);
    const volume = await bed.volume({ limits: { blocksMax: 3 } });
    await failure('LODE_LIMIT_EXCEEDED', volume.latest());
    const good = await bed.volume();
    assert.equal((await good.latest()).coveredBytes, 30);
    // Runs known by now do not hide one that is new.
    await planted([a, c, b]);
    await failure('LODE_MANIFEST_INVALID', (await bed.volume({ settleMs: 0 })).latest());
  });
});

describe('a run', () => {
  const spans = fc.array(
    fc.tuple(
      fc.nat(2 ** 40),
      fc.integer({ min: 1, max: 2 ** 30 }),
      fc.option(
        fc.oneof(
          fc.string({ unit: fc.constantFrom(...hexDigits), minLength: 32, maxLength: 32 }),
          fc
            .string({ unit: fc.constantFrom(...hexDigits), minLength: 64, maxLength: 64 })
            .map((hex) => `sha256:${hex}`),
          fc.string({ minLength: 1, maxLength: 80 }).map((odd) => `x:${odd}`),
        ),
      ),
    ),
    { maxLength: 50 },
  );
  const tableOf = (given: readonly (readonly [number, number, string | null])[]): BlockTable => {
    let end = 0;
    return BlockTable.of(
      given.map(([gap, bytes, checksum]) => {
        const offset = end + gap;
        end = offset + bytes;
        return checksum === null ? { offset, length: bytes } : { offset, length: bytes, checksum };
      }),
    );
  };

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(spans, (given) => {
        const table = tableOf(given);
        const back = decodeRun(encodeRun(table), {
          key: 'k',
          count: table.count,
          totalLength: 2 ** 53 - 1,
        });
        assert.deepEqual([...back.from(0)], [...table.from(0)]);
      }),
    );
  });

  it('of other bytes is refused, or is another run: never a crash, never a block outside', () => {
    fc.assert(
      fc.property(spans, fc.uint8Array({ maxLength: 40 }), fc.nat(), (given, noise, at) => {
        const bytes = encodeRun(tableOf(given));
        bytes.set(noise.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length);
        try {
          const table = decodeRun(bytes, { key: 'k', count: given.length, totalLength: 2 ** 45 });
          for (const span of table.from(0)) assert.ok(span.offset + span.length <= 2 ** 45);
        } catch (error) {
          assert.ok(isLodeError(error, 'LODE_MANIFEST_INVALID'), String(error));
        }
      }),
      { numRuns: 500 },
    );
    assert.throws(() =>
      decodeRun(utf8Encode('lodeRUN1'), { key: 'k', count: 4_000_000, totalLength: 1 }),
    );
  });
});
