/**
 * At risk: a record that a filtered read leaves out. Whatever is skipped, by path, by manifest or by row group, a read with
 * conditions gives what filtering everything gives, to a process that has only the stored bytes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultLayout, flat, hive, openDataset } from '../../../src/dataset/index.ts';
import type { Comparable, Layout, Where } from '../../../src/dataset/index.ts';
import { Selection } from '../../../src/dataset/where.ts';
import { gzip, jsonl } from '../../../src/encoding/index.ts';
import type { Codec } from '../../../src/encoding/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { all } from './bed.ts';
import type { Row } from './bed.ts';

const texts = [
  '',
  'a',
  'ab',
  'ä',
  '\uffff',
  '😀',
  'x'.repeat(300),
  `${'x'.repeat(299)}😀`,
  'a/b %',
];
const floats = [0, -0, 1.5, 0.1, -1, 2 ** 53, 2 ** 60, 123_456_789_012_345_680_000, 1e21, -1e300];
const special = [Number.NaN, Infinity, -Infinity];
const integers = [0n, -1n, 7n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const times = [
  '2024-01-15T10:00:00Z',
  '2024-01-15T12:00:00+02:00',
  '2024-01-15T12:00:00,5+02:00',
  '2024-01-15T10:00:00.000000001Z',
  '1969-12-31T23:59:59.999999999Z',
  '2262-04-11T23:47:16.854775807Z',
];

const orNull = <T>(of: readonly T[]): fc.Arbitrary<T | null> =>
  fc.option(fc.constantFrom(...of), { freq: 4 });
const record = fc.record({
  k: fc.constantFrom('a', 'ä', 'a/b %', ''),
  n: fc.nat(9),
  i: orNull(integers),
  f: orNull([...floats, ...special, 16_777_217, 1e39]),
  d: orNull([...floats, ...special]),
  s: orNull(texts),
  t: orNull(times),
  b: orNull([true, false]),
});
const names = ['k', 'n', 'i', 'f', 'd', 's', 't', 'b'];

/** What conditions compare a field with: mostly values that it has. */
const compared: Readonly<Record<string, readonly Comparable[]>> = {
  k: ['a', 'ä', 'a/b %', '', 'b'],
  n: [0, 3, 9, 3.5, 4n],
  i: [...integers, 2 ** 53, 1e300],
  f: [...floats, ...floats.map(Math.fround), 16_777_216, Infinity],
  d: [...floats, 2n ** 60n, Infinity],
  s: [...texts, 'b'],
  t: [...times, '2024-01-15T10:00:00.5Z', '2025', new Date('2024-01-15T10:00:00Z'), new Date(0)],
  b: [true, false],
};
const condition = fc.constantFrom(...names).chain((name) => {
  const value = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...(compared[name] ?? [])) },
    { weight: 1, arbitrary: fc.constantFrom<Comparable>('a', 1, 1n, true, new Date(0)) },
  );
  const one = fc
    .constantFrom('eq', 'gt', 'gte', 'lt', 'lte')
    .chain((is) => fc.record({ [is]: value }, { noNullPrototype: true }));
  const any = fc.record({ in: fc.array(value, { maxLength: 3 }) }, { noNullPrototype: true });
  return fc.oneof(value, one, any).map((is) => [name, is] as const);
});
const where = fc.array(condition, { minLength: 1, maxLength: 2 }).map(Object.fromEntries);

const layouts: readonly (() => Layout)[] = [
  defaultLayout,
  flat,
  () => hive('k'),
  () => hive('n', 'k'),
];
/** Row groups are only passed over in files larger than what is read at once. */
const padding = 'p'.repeat(4_000);

function codecOf(isParquet: boolean, rowGroupRows: number): Codec<Row> {
  if (!isParquet) return jsonl<Row>({ integers: 'bigint' });
  const schema = {
    k: 'string',
    n: 'int32',
    i: { type: 'int64', as: 'bigint', nullable: true },
    f: 'float32?',
    d: 'float64?',
    s: 'string?',
    t: { type: 'timestamp', as: 'string', nullable: true },
    b: 'bool?',
    padding: 'string',
  } as const;
  return parquet(schema, { rowGroupRows, compression: 'none' }) as unknown as Codec<Row>;
}

/** What JSON cannot hold is left out of JSONL. */
function storable(row: Row, isParquet: boolean, at: number): Row {
  if (isParquet) return { ...row, padding: `${at}${padding}` };
  return Object.fromEntries(Object.entries(row).filter(([, v]) => !special.includes(v as number)));
}

void describe('a read with conditions', () => {
  void it('gives what filtering everything gives', async () => {
    let [found, left] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 60, size: 'max' }),
        fc.array(fc.tuple(where, fc.option(fc.subarray(names))), { minLength: 6, maxLength: 6 }),
        fc.record({
          layout: fc.constantFrom(...layouts),
          isParquet: fc.boolean(),
          rowGroupRows: fc.integer({ min: 1, max: 20 }),
          streamed: fc.boolean(),
          zipped: fc.boolean(),
        }),
        async (given, reads, { layout, isParquet, rowGroupRows, streamed, zipped }) => {
          const store = memoryStore();
          const open = (): ReturnType<typeof openDataset<Row>> =>
            openDataset<Row>('ds', {
              store,
              layout: layout(),
              codec: codecOf(isParquet, rowGroupRows),
              ...(zipped && !isParquet && { compressor: gzip() }),
            });
          const rows = given.map((row, at) => storable(row, isParquet, at));
          const writer = await open();
          const { id } = await (streamed ? writer.streamWriteRecords(rows) : writer.write(rows));
          const dataset = await open();
          const everything = await dataset.read(id);
          assert.equal(everything.length, rows.length);
          for (const [conditions, columns] of reads) {
            const { matches = () => true } = new Selection(layout(), conditions, undefined);
            const expected = everything.filter((row) => matches(row));
            found += expected.length;
            left += everything.length - expected.length;
            const options = { where: conditions as Where<Row>, ...(columns && { columns }) };
            const picked = (row: Row): Row =>
              Object.fromEntries(
                (columns ?? Object.keys(row)).flatMap((c) => (c in row ? [[c, row[c]]] : [])),
              );
            const selected = streamed
              ? await all(dataset.records(id, options))
              : await dataset.read(id, options);
            assert.deepEqual(selected, expected.map(picked));
          }
        },
      ),
      { numRuns: 40, seed: 5 },
    );
    assert.ok(found > 600 && left > 4_000, `${found} found, ${left} left out`);
  });
});
