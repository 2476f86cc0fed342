/** At risk: records that come back different, columns mixed up, more read than needed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLodeError } from '../../../src/errors.ts';
import { parquet } from '../../../src/parquet.ts';
import type { ParquetField } from '../../../src/parquet.ts';
import { decode, encode, rangedFile, wholeFile } from './parquet-files.ts';

const violation = (field: string, record?: number) => (error: unknown) =>
  isLodeError(error, 'LODE_SCHEMA_VIOLATION') &&
  error.details.field === field &&
  error.details.record === record;

describe('a Parquet file', () => {
  it('of no records is valid', async () => {
    const codec = parquet({ a: 'int32' });
    const { bytes, statistics } = await encode(codec, []);
    assert.deepEqual(await decode(codec, bytes), []);
    assert.deepEqual(await decode(parquet(), bytes), []);
    assert.deepEqual(statistics, { rowCount: 0, columns: [{ name: 'a', nullCount: 0 }] });
  });

  it('holds 10,000 records, a row group at a time', async () => {
    const codec = parquet({ name: 'string?', id: 'int64' }, { rowGroupRows: 1000 });
    const records = Array.from({ length: 10_000 }, (_, id) => ({
      name: id % 3 === 0 ? null : `n${id}`,
      id,
    }));
    const { bytes, parts } = await encode(codec, records);
    assert.equal(parts.length, 11);
    assert.deepEqual(await decode(codec, bytes), records);
    assert.deepEqual(await decode(codec, rangedFile(bytes)), records);
  });

  for (const compression of ['snappy', 'gzip', 'zstd', 'none'] as const) {
    it(`compressed by ${compression} is read`, async () => {
      const codec = parquet({ text: 'string', few: 'string?', no: 'int32?' }, { compression });
      const rows = Array.from({ length: 3000 }, (_, i) => ({
        text: `some text ${i}`,
        few: i % 7 === 0 ? null : `${i % 5}`,
        no: null,
      }));
      const { bytes } = await encode(codec, rows);
      assert.deepEqual(await decode(codec, bytes), rows);
      assert.ok(compression === 'none' || bytes.length < 40_000, `${bytes.length}`);
    });
  }

  it('closes a row group by bytes', async () => {
    const codec = parquet({ text: 'string' }, { rowGroupBytes: 10_000 });
    const { parts } = await encode(
      codec,
      Array.from({ length: 50 }, () => ({ text: 'x'.repeat(1000) })),
    );
    assert.equal(parts.length, 6);
  });

  it('puts columns in ascending byte order of names, whatever the schema says', async () => {
    const codec = parquet({
      '\u{10000}': 'int32',
      '\uffee': 'int32',
      name: 'string',
      id: 'int64',
      Z: 'bool',
    });
    const { bytes } = await encode(codec, [
      { '\u{10000}': 1, '\uffee': 2, name: 'x', id: 3, Z: true },
    ]);
    const [record] = await decode(parquet(), bytes);
    assert.deepEqual(Object.keys(record ?? {}), ['Z', 'id', 'name', '\uffee', '\u{10000}']);
  });

  it('keeps the sign of zero', async () => {
    const codec = parquet({ a: 'float64', b: 'float32' });
    const rows = Array.from({ length: 100 }, (_, i) => ({
      a: i % 2 === 0 ? -0 : 0,
      b: i % 2 === 0 ? 0 : -0,
    }));
    assert.deepEqual(await decode(codec, (await encode(codec, rows)).bytes), rows);
  });

  it('comes back as it went in', async () => {
    const codec = parquet(
      {
        i: 'int32?',
        l: { type: 'int64', as: 'bigint', nullable: true },
        f: 'float32?',
        d: 'float64',
        s: 'string',
        t: 'string?',
        o: 'bool?',
        b: 'bytes?',
        at: 'timestamp?',
        ns: { type: 'timestamp', as: 'bigint' },
      },
      { rowGroupRows: 40 },
    );
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { freq: 3 });
    const record = fc.record(
      {
        i: orNull(fc.integer()),
        l: orNull(int64),
        f: orNull(fc.float()),
        d: fc.double(),
        s: fc.string({ unit: 'binary' }),
        t: orNull(fc.constantFrom('', 'few', 'values', 'ünïcode')),
        o: orNull(fc.boolean()),
        b: orNull(fc.uint8Array({ maxLength: 40 })),
        at: orNull(
          fc.date({
            min: new Date('1678-01-01'),
            max: new Date('2262-01-01'),
            noInvalidDate: true,
          }),
        ),
        ns: int64,
      },
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 120 }), async (records) => {
        const { bytes } = await encode(codec, records);
        assert.deepEqual(await decode(codec, bytes), records);
      }),
      { numRuns: 60 },
    );
  });
});

describe('reading Parquet', () => {
  it('refuses what is not Parquet', async () => {
    for (const text of ['', 'PAR', 'not parquet data at all', 'PAR1PAR1', 'PAR1\0\0\0\0PAR1']) {
      await assert.rejects(
        decode(parquet({ a: 'int32' }), new TextEncoder().encode(text)),
        (error) => isLodeError(error, 'LODE_INVALID_FORMAT') && error.details.key === 'd/data',
        JSON.stringify(text),
      );
    }
  });

  it('finds columns by name, and refuses another type', async () => {
    const { bytes } = await encode(parquet({ a: 'int64', b: 'string', c: 'float64?' }), [
      { a: 1, b: 'x', c: null },
    ]);
    assert.deepEqual(await decode(parquet({ b: 'string', added: 'bool?' }), bytes), [
      { b: 'x', added: null },
    ]);
    const cases: readonly [ParquetField, string][] = [
      [{ name: 'a', type: 'int32' }, 'INT64 (signed 64 bits)'],
      [{ name: 'a', type: 'timestamp' }, 'INT64 (signed 64 bits)'],
      [{ name: 'b', type: 'bytes' }, 'BYTE_ARRAY (string)'],
      [{ name: 'c', type: 'float32', nullable: true }, 'DOUBLE'],
    ];
    for (const [field, actual] of cases) {
      await assert.rejects(
        decode(parquet([field]), bytes),
        (error) =>
          isLodeError(error, 'LODE_SCHEMA_VIOLATION') &&
          error.details.field === field.name &&
          error.details.expected === field.type &&
          error.details.actual === actual,
      );
    }
    await assert.rejects(decode(parquet({ missing: 'int32' }), bytes), violation('missing'));
    await assert.rejects(decode(parquet({ c: 'float64' }), bytes), violation('c', 0));
  });

  it('is never lossy: what a number or a Date cannot hold is an error that says how to read it', async () => {
    const wide = parquet([
      { name: 'a', type: 'int64', as: 'bigint' },
      { name: 't', type: 'timestamp', as: 'bigint' },
    ]);
    const { bytes } = await encode(wide, [{ a: 2n ** 53n + 1n, t: 1n }]);
    await assert.rejects(decode(parquet({ a: 'int64' }), bytes), violation('a'));
    await assert.rejects(decode(parquet({ t: 'timestamp' }), bytes), violation('t'));
    assert.deepEqual(await decode(parquet(), bytes), [
      { a: 2n ** 53n + 1n, t: '1970-01-01T00:00:00.000000001Z' },
    ]);
  });

  it('fetches the footer and the wanted columns of the wanted row groups only', async () => {
    const codec = parquet(
      { a: 'float64', b: 'float64', c: 'float64', d: 'float64', e: 'float64' },
      { rowGroupRows: 20_000, compression: 'none' },
    );
    const rows = Array.from({ length: 100_000 }, (_, i) => ({
      a: i,
      b: i / 3,
      c: i / 5,
      d: -i,
      e: i / 7,
    }));
    const { bytes } = await encode(codec, rows);
    const one = rangedFile(bytes);
    const column = await decode(codec, one, { columns: ['c'] });
    assert.deepEqual(column.slice(0, 2), [{ c: 0 }, { c: 1 / 5 }] as never);
    assert.ok(one.read.bytes / bytes.length < 0.25, `${one.read.bytes} of ${bytes.length}`);
    const all = rangedFile(bytes);
    assert.deepEqual(await decode(codec, all), rows);
    assert.equal(all.read.calls, 0, 'read whole, in one stream');
    const group = rangedFile(bytes);
    const found: unknown[] = [];
    const mayHold = ({
      columns,
    }: {
      columns: readonly { name: string; min?: unknown }[];
    }): boolean => columns.find(({ name }) => name === 'a')?.min === 40_000;
    for await (const record of codec.decode(group, { mayHold })) found.push(record);
    assert.deepEqual(found, rows.slice(40_000, 60_000));
    assert.equal(group.read.calls, 2);
    await assert.rejects(decode(codec, bytes, { columns: ['z' as never] }), (error) =>
      isLodeError(error, 'LODE_INVALID_ARGUMENT'),
    );
  });

  it('stops between row groups when told to', async () => {
    const codec = parquet({ a: 'int32' }, { rowGroupRows: 10 });
    const { bytes } = await encode(
      codec,
      Array.from({ length: 100 }, (_, a) => ({ a })),
    );
    const stop = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    await assert.rejects(
      async () => {
        for await (const record of codec.decode(wholeFile(bytes), { signal: stop.signal })) {
          seen++;
          if (record.a === 15) stop.abort(reason);
        }
      },
      (error) => error === reason,
    );
    assert.equal(seen, 20);
  });
});

describe('file statistics', () => {
  it('are in the order declared, for ordered types, from the records given', async () => {
    const codec = parquet({
      id: 'int64',
      name: 'string',
      score: 'float64',
      note: 'string?',
      ok: 'bool',
      raw: 'bytes?',
      at: 'timestamp',
    });
    const { statistics } = await encode(codec, [
      { id: 10, name: 'alice', score: 95.5, ok: true, at: '2024-01-15T12:00:00+02:00' },
      {
        id: 1,
        name: 'bob',
        score: 87.3,
        ok: false,
        raw: 'x',
        at: new Date('2024-01-16T00:00:00.5Z'),
      },
      { id: 5, name: 'carol', score: 99, ok: true, at: '2024-01-15T11:00:00Z' },
    ]);
    assert.deepEqual(statistics, {
      rowCount: 3,
      columns: [
        { name: 'id', min: 1, max: 10, nullCount: 0 },
        { name: 'name', min: 'alice', max: 'carol', nullCount: 0 },
        { name: 'score', min: 87.3, max: 99, nullCount: 0 },
        { name: 'note', nullCount: 3 },
        { name: 'ok', nullCount: 0 },
        { name: 'raw', nullCount: 2 },
        {
          name: 'at',
          min: '2024-01-15T12:00:00+02:00',
          max: '2024-01-16T00:00:00.5Z',
          nullCount: 0,
        },
      ],
    });
  });

  it('pass over NaN, leave the side of an infinity open, and count a float32 as it is stored', async () => {
    const codec = parquet({ n: 'float64', i: 'float64', m: 'float64', f: 'float32' });
    const { statistics } = await encode(codec, [
      { n: Number.NaN, i: 1, m: -Infinity, f: 0.1 },
      { n: 2, i: Infinity, m: 3, f: 0.1 },
    ]);
    assert.deepEqual(statistics.columns, [
      { name: 'n', min: 2, max: 2, nullCount: 0 },
      { name: 'i', min: 1, nullCount: 0 },
      { name: 'm', max: 3, nullCount: 0 },
      { name: 'f', min: Math.fround(0.1), max: Math.fround(0.1), nullCount: 0 },
    ]);
  });

  it('compare text by bytes', async () => {
    const { statistics } = await encode(parquet({ s: 'string' }), [
      { s: '\u{10000}' },
      { s: '\uffee' },
      { s: 'a' },
    ]);
    assert.deepEqual(statistics.columns, [{ name: 's', min: 'a', max: '\u{10000}', nullCount: 0 }]);
  });
});
