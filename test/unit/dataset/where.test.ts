/** At risk: a record that matches and is not given, because its file was skipped. Pruning against filtering everything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultLayout, hive, openDataset } from '../../../src/dataset/index.ts';
import type { Comparable, Where } from '../../../src/dataset/index.ts';
import type { ManifestFile } from '../../../src/dataset/manifest/index.ts';
import { Selection } from '../../../src/dataset/where.ts';
import type { ColumnStatistics } from '../../../src/encoding/codec.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import { jsonText, parseJsonText } from '../../../src/encoding/json/index.ts';
import { compareTime, formatTime, parseTime } from '../../../src/encoding/time.ts';
import { compareUtf8 } from '../../../src/bytes/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { createMeter, memoryStore } from '../../../src/store/index.ts';
import { all, fails, onBoth } from './bed.ts';
import type { Row } from './bed.ts';

const times = [
  '2024-01-15T10:00:00Z',
  '2024-01-15T10:00:00.5Z',
  '2024-01-15T10:00:00.000001Z',
  '2024-01-15T12:00:00+02:00',
  '2024-01-15T10:00:01Z',
  '2024-01-15T10:30:00+14:00',
  '2024-01-14T23:59:59-12:00',
  '2024-01-17T10:00:00Z',
];
/** Bounds as Go states them: in the spelling that was given, be it stored as another instant. */
const goTimes = [
  '2024-01-15T12:30:00,5+02:00',
  '2024-01-15T9:00:00Z',
  '2024-01-16T10:00:00+24:00',
  '3000-01-01T00:00:00Z',
];
const singles = [0.1, 0.3, -0.7, 1, 16_777_217, 1e20, 1e300];
/** Their shortest digits are those of another integer. */
const doubles = [2 ** 60, 2 ** 60 + 256, -(2 ** 66), 123_456_789_012_345_680_000];
const strings = [
  '',
  'a',
  'b',
  'z',
  'ä',
  '\uffff',
  '😀',
  '\u{10ffff}',
  'ab',
  '2024-01-15',
  ...times,
];
const numbers = [-1.5, -0, 0, 1, 2, 2 ** 53, 1e300, -1e300, 0.1, 5e-324];
const bigints = [-1n, 0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];

const scalar: fc.Arbitrary<Comparable> = fc.oneof(
  fc.constantFrom<Comparable>(
    ...singles,
    ...singles.map(Math.fround),
    ...doubles,
    ...goTimes.map(stored),
  ),
  fc.constantFrom<Comparable>(...strings),
  fc.constantFrom<Comparable>(...numbers),
  fc.constantFrom<Comparable>(...bigints),
  fc.boolean(),
  fc.constantFrom<Comparable>(
    ...times.map((time) => new Date(time)),
    new Date('2024-01-15T09:59:59Z'),
    new Date('2024-01-12'),
    new Date('2024-01-20'),
  ),
);
const condition = fc.oneof(
  scalar,
  fc.record(
    {
      eq: scalar,
      in: fc.array(scalar, { maxLength: 3 }),
      gt: scalar,
      gte: scalar,
      lt: scalar,
      lte: scalar,
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
);

/** As it is read back: integers exact. */
function inManifest(bound: unknown): string {
  return parseJsonText(jsonText(bound), { integers: 'exact' }, { key: 'm' }) as string;
}

/** The bounds a writer would give: of one type, by that type's order, nulls counted. */
function boundsOf(
  values: readonly unknown[],
  order: (a: never, b: never) => number,
): ColumnStatistics {
  const present = values.filter((value) => value !== null);
  const sorted = [...present].sort(order as (a: unknown, b: unknown) => number);
  return {
    name: 'v',
    nullCount: values.length - present.length,
    ...(sorted.length === 0 ? {} : { min: inManifest(sorted[0]), max: inManifest(sorted.at(-1)) }),
  };
}

const numeric = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0);
/** Columns by type: values as stored, how their type orders, and how records hold them when they are read. */
const columns: readonly {
  readonly values: readonly unknown[];
  readonly order: (a: never, b: never) => number;
  readonly read: (value: unknown) => unknown;
  readonly isTime?: true;
}[] = [
  { values: strings, order: compareUtf8, read: (v) => v },
  { values: numbers, order: numeric, read: (v) => v },
  { values: [...bigints, ...numbers.filter(Number.isSafeInteger)], order: numeric, read: (v) => v },
  { values: times, order: compareTime, read: utc },
  { values: times, order: compareTime, read: (v) => v && new Date(v as string) },
  { values: singles, order: numeric, read: (v) => v && Math.fround(v as number) },
  { values: doubles, order: numeric, read: (v) => v },
  { values: [...times, ...goTimes], order: (a, b) => numeric(goTime(a), goTime(b)), read: stored },
  { values: times, order: compareTime, read: utc, isTime: true },
  { values: times, order: compareTime, read: (v) => v && new Date(v as string), isTime: true },
];

/** A time column read as text: in UTC, with as many digits as it needs. */
function utc(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const fraction = /\.\d+/.exec(value)?.[0] ?? '';
  return `${new Date(Number((parseTime(value) ?? 0n) / 1_000_000n)).toISOString().slice(0, 19)}${fraction}Z`;
}

/** Nanoseconds since 1970, in the spellings that only Go takes too. */
function goTime(text: string): bigint {
  const usual = text.replace(',', '.').replace(/T(\d):/, 'T0$1:');
  const day = usual.endsWith('+24:00') ? 86_400n * 1_000_000_000n : 0n;
  return (parseTime(usual.replace('+24:00', 'Z')) ?? 0n) - day;
}

/** What is read from a column of 64-bit nanoseconds. */
function stored(text: unknown): string {
  return text === null ? (text as never) : formatTime(BigInt.asIntN(64, goTime(text as string)));
}

void describe('pruning', () => {
  void it('by statistics never skips a file that holds a match', () => {
    const file = fc.constantFrom(...columns).chain(({ values, order, read, isTime }) =>
      fc.array(fc.constantFrom(null, ...values), { minLength: 1, maxLength: 5 }).map((held) => ({
        held: held.map(read),
        stats: { ...boundsOf(held, order), ...(isTime && { isTime }) },
        rowCount: held.length,
      })),
    );
    let skipped = 0;
    fc.assert(
      fc.property(file, condition, ({ held, stats, rowCount }, where) => {
        const selection = new Selection(defaultLayout(), { v: where }, undefined);
        const entry: ManifestFile = {
          path: 'd/f',
          sizeBytes: 1,
          stats: { rowCount, columns: [stats] },
        };
        if (selection.mayHold(entry)) return;
        skipped++;
        const matches = selection.matches ?? (() => true);
        assert.deepEqual(
          held.filter((v) => matches({ v })),
          [],
        );
      }),
      { numRuns: 20_000, seed: 11 },
    );
    assert.ok(skipped > 2_000, `only ${skipped} skipped: nothing was tested`);
    const uncounted = { rowCount: 0, columns: [{ name: 'v', nullCount: 0 }] };
    const selection = new Selection(defaultLayout(), { v: true }, undefined);
    assert.ok(selection.mayHold({ path: 'd/f', sizeBytes: 1, stats: uncounted }));
  });

  void it('by partition never skips a record that matches, whoever wrote the path', async () => {
    const layout = hive('v');
    const value = fc.oneof(
      fc.constantFrom<unknown>(...strings, 0, 1, -5, 20_240_115, true, false, null),
      fc.constantFrom<unknown>(new Date('2024-01-15T10:00:00Z')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 5 }),
        condition,
        async (held, where) => {
          const dataset = await openDataset<Row>('ds', {
            store: memoryStore(),
            layout,
            codec: jsonl<Row>(),
          });
          const { id } = await dataset.write(held.map((v) => ({ v })));
          const everything = await dataset.read(id);
          const { matches = () => true } = new Selection(layout, { v: where }, undefined);
          const found = await dataset.read(id, { where: { v: where } as Where<Row> });
          assert.deepEqual(found, everything.filter(matches));
        },
      ),
      { numRuns: 400, seed: 3 },
    );
    // Paths as Go writes them for numbers.
    for (const [text, v] of [
      ['1e%2B06', 1_000_000],
      ['1e+06', 1_000_000],
      ['1.5', 1.5],
      ['1e-05', 0.00001],
      ['0.1', Math.fround(0.1)],
      ['16777217', 16_777_216],
    ] as const) {
      const selection = new Selection(layout, { v }, undefined);
      assert.ok(
        selection.mayHold({
          path: `datasets/ds/partitions/v=${text}/segments/1/data/x`,
          sizeBytes: 1,
        }),
        text,
      );
    }
    const skip = new Selection(layout, { v: 2 }, undefined);
    assert.ok(
      !skip.mayHold({ path: 'datasets/ds/partitions/v=1.5/segments/1/data/x', sizeBytes: 1 }),
    );
  });

  onBoth('saves the request for a file, and selects what filtering would', async (bed) => {
    const codec = parquet({ k: 'string', n: 'int64', at: 'timestamp?' });
    const dataset = await bed.records({ layout: hive('k'), codec: codec as never });
    const rows = Array.from({ length: 40 }, (_, n) => ({
      k: `k${n % 4}`,
      n,
      at: n % 3 === 0 ? null : `2024-01-15T10:00:${String(n).padStart(2, '0')}Z`,
    }));
    const { id } = await dataset.write(rows);
    const everything = await dataset.read(id);
    const cases: readonly (readonly [Where<Row>, (row: Row) => boolean, number])[] = [
      [{ k: 'k1' }, (row) => row['k'] === 'k1', 1],
      [{ k: { in: ['k1', 'k2', 'none'] } }, (row) => row['k'] === 'k1' || row['k'] === 'k2', 2],
      [{ n: { gt: 38 } }, (row) => (row['n'] as number) > 38, 1],
      [{ n: { lt: 0 } }, () => false, 0],
      [{ n: { gte: 3, lte: 3n } }, (row) => row['n'] === 3, 4],
      [{ at: new Date('2030-01-01') }, () => false, 0],
    ];
    for (const [where, matches, filesMax] of cases) {
      const meter = createMeter();
      assert.deepEqual(await dataset.read(id, { where, meter }), everything.filter(matches));
      const ranges = meter.snapshot().gets;
      if (filesMax === 0) assert.equal(ranges, 0, JSON.stringify(Object.keys(where)));
      const streamed = await all(dataset.records(id, { where, columns: ['n'] }));
      assert.deepEqual(
        streamed,
        everything.filter(matches).map(({ n }) => ({ n })),
      );
    }
    assert.deepEqual(
      await dataset.read(id, { partition: 'k=k3' }),
      everything.filter((row) => row['k'] === 'k3'),
    );
    assert.deepEqual(await dataset.read(id, { partition: { k: 'nope' } }), []);
  });

  onBoth('and projecting leaves out what a record lacks', async (bed) => {
    const dataset = await bed.records();
    const { id } = await dataset.write([{ a: 1, b: 2 }, { b: 2 }, { a: 1 }]);
    assert.deepEqual(await dataset.read(id, { where: { b: 2 }, columns: ['a'] }), [{ a: 1 }, {}]);
    assert.deepEqual(await dataset.read(id, { columns: ['a'] }), [{ a: 1 }, {}, { a: 1 }]);
  });

  onBoth(
    'by what is no condition is refused, instead of selecting everything or nothing',
    async (bed) => {
      const dataset = await bed.records({ layout: hive('k') });
      const { id } = await dataset.write([{ k: '', n: 0 }]);
      const bad: readonly unknown[] = [
        null,
        {}.constructor,
        Symbol('s'),
        { eq: null },
        { equals: 1 },
        { in: 1 },
        { in: [null] },
        new Date(Number.NaN),
        { gt: [] },
      ];
      for (const n of bad) {
        const error = await fails(
          dataset.read(id, { where: { n } as never }),
          'LODE_INVALID_ARGUMENT',
        );
        assert.match(String(error.details.field), /^where\.n/);
        await fails(dataset.records(id, { where: { n } as never }), 'LODE_INVALID_ARGUMENT');
      }
      for (const k of [1.5, Number.NaN, {}, undefined])
        await fails(dataset.read(id, { partition: { k } as never }), 'LODE_INVALID_ARGUMENT');
      assert.deepEqual(
        await dataset.read(id, { where: { toString: 'x', __proto__: null } as never }),
        [],
      );
      assert.equal((await dataset.read(id, { where: { n: undefined } as never })).length, 1);
    },
  );
});
