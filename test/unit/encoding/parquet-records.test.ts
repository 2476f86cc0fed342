/** At risk: records and schemas that should have been refused, and members stored as something else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLodeError } from '../../../src/errors.ts';
import { parquet } from '../../../src/parquet.ts';
import type { ParquetField, ParquetSchema } from '../../../src/parquet.ts';
import { decode, encode } from './parquet-files.ts';

const violation = (field: string, record?: number) => (error: unknown) =>
  isLodeError(error, 'LODE_SCHEMA_VIOLATION') &&
  error.details.field === field &&
  error.details.record === record;

describe('a Parquet schema', () => {
  const refused = (schema: unknown, why: string): void => {
    it(`refuses ${why}`, () => {
      assert.throws(
        () => parquet(schema as ParquetSchema as readonly ParquetField[]),
        (error) => isLodeError(error, 'LODE_SCHEMA_VIOLATION'),
      );
    });
  };
  refused([{ name: 'a', type: 'int128' }], 'an unknown type');
  refused([{ name: 'a', type: 999 }], 'a type that is no name');
  refused([{ name: 'a', type: -1 }], 'a negative type');
  refused([{ name: 'a', type: 'constructor' }], 'a type by the name of an inherited member');
  refused([{ name: '', type: 'int32' }], 'an empty name');
  refused({ '': 'int32' }, 'an empty name in an object');
  refused(
    [
      { name: 'a', type: 'int32' },
      { name: 'a', type: 'string' },
    ],
    'two fields of one name',
  );
  refused({ a: 'int32??' }, 'a doubled question mark');
  refused({ a: { type: 'string', as: 'bigint' } }, 'a way of reading the type does not have');
  refused([{ name: '\ud800', type: 'int32' }], 'a name that has no bytes');

  it('has fields, or is left out: then nothing can be written', () => {
    for (const none of [{}, [], null, 'id', 5]) {
      assert.throws(
        () => parquet(none as never),
        (error) => isLodeError(error, 'LODE_SCHEMA_VIOLATION'),
      );
    }
    assert.throws(
      () => parquet().encoder(),
      (error) => isLodeError(error, 'LODE_SCHEMA_VIOLATION'),
    );
  });
});

describe('a record', () => {
  const refused = (
    type: ParquetField['type'],
    value: unknown,
    why: string,
    nullable = false,
  ): void => {
    it(`${type} refuses ${why}`, async () => {
      const codec = parquet([
        { name: 'n', type: 'int32' },
        { name: 'f', type, nullable },
      ]);
      const encoder = codec.encoder();
      await encoder.write({ n: 1, f: good[type] } as never, 0);
      assert.throws(() => encoder.write({ n: 2, f: value } as never, 1), violation('f', 1));
      // Nothing of the refused record stays behind.
      await encoder.write({ n: 3, f: good[type] } as never, 2);
      const records = await decode(codec, await encoder.finish());
      assert.deepEqual(
        records.map((record) => record.n),
        [1, 3],
      );
    });
  };
  const good: Readonly<Record<ParquetField['type'], unknown>> = {
    int32: 0,
    int64: 0n,
    float32: 0,
    float64: 0,
    string: '',
    bool: false,
    bytes: new Uint8Array(),
    timestamp: new Date(0),
  };
  refused('int32', 3e9, 'too large a number');
  refused('int32', -3e9, 'too small a number');
  refused('int32', 2n ** 31n, 'too large a bigint');
  refused('int32', 42.5, 'a fraction');
  refused('int32', '1', 'a string');
  refused('int32', Number.NaN, 'NaN');
  refused('int64', 1e18, 'a number past 2^53');
  refused('int64', 2n ** 63n, 'a bigint past 64 bits');
  refused('int64', 2n ** 53n, 'a bigint that no number can be, where numbers are declared');
  refused('int64', -(2n ** 60n), 'the same below zero', true);
  refused('int64', 'one', 'a string');
  refused('int64', undefined, 'a missing member');
  refused('int64', null, 'null when required');
  refused('float32', 1n, 'a bigint');
  refused('float64', '1.5', 'a string');
  refused('string', 5, 'a number');
  refused('string', '\udc00', 'text without bytes', true);
  refused('bool', 1, 'a number');
  refused('bytes', [1, 2], 'an array');
  refused('timestamp', 'yesterday', 'text that is no time');
  refused('timestamp', '2024-02-30T00:00:00Z', 'a day that does not exist');
  refused('timestamp', '2024-01-01 00:00:00Z', 'a time without its T');
  refused('timestamp', '2024-01-01T00:00:00', 'a time without its zone');
  refused('timestamp', new Date(Number.NaN), 'an invalid Date');
  refused('timestamp', new Date('2262-04-12T00:00:00Z'), 'a Date past 64-bit nanoseconds');
  refused('timestamp', '1600-01-01T00:00:00Z', 'a time before 64-bit nanoseconds');
  refused('timestamp', 5, 'a number');

  for (const value of [null, undefined, 7, 'x', [1], new Date(), new Uint8Array(2)])
    it(`is not ${Object.prototype.toString.call(value)}`, () => {
      const encoder = parquet({ a: 'int32?' }).encoder();
      assert.throws(
        () => encoder.write(value as never, 0),
        (error) => isLodeError(error, 'LODE_SCHEMA_VIOLATION') && error.details.record === 0,
      );
    });

  it('takes everything that fits its type', async () => {
    const codec = parquet({
      i: 'int64',
      big: { type: 'int64', as: 'bigint' },
      at: { type: 'timestamp', as: 'string' },
      ns: { type: 'timestamp', as: 'bigint' },
      b: 'bytes',
    });
    const { bytes } = await encode(codec, [
      { i: 2 ** 53 - 1, big: 5, at: new Date(5), ns: '1970-01-01T00:00:00.000000001Z', b: 'é' },
      { i: -5n, big: 2n ** 63n - 1n, at: '2024-01-01T10:00:00.1+09:00', ns: -1n, b: 'x' },
      { i: -0, big: -(2 ** 53), at: 1n, ns: new Date(1), b: new Uint8Array([0]) },
    ]);
    assert.deepEqual(await decode(codec, bytes), [
      {
        i: 2 ** 53 - 1,
        big: 5n,
        at: '1970-01-01T00:00:00.005Z',
        ns: 1n,
        b: new Uint8Array([195, 169]),
      },
      {
        i: -5,
        big: 2n ** 63n - 1n,
        at: '2024-01-01T01:00:00.1Z',
        ns: -1n,
        b: new Uint8Array([120]),
      },
      {
        i: 0,
        big: -(2n ** 53n),
        at: '1970-01-01T00:00:00.000000001Z',
        ns: 1_000_000n,
        b: new Uint8Array([0]),
      },
    ]);
  });

  it('loses extra members, and null and missing both read as null', async () => {
    const codec = parquet({ a: 'int32', b: 'string?' });
    const { bytes } = await encode(codec, [{ a: 1, b: null, extra: 1 }, { a: 2 }, { a: 3, b: '' }]);
    assert.deepEqual(await decode(codec, bytes), [
      { a: 1, b: null },
      { a: 2, b: null },
      { a: 3, b: '' },
    ]);
  });

  it('may have members named like those every object inherits', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const codec = parquet(names.map((name) => ({ name, type: 'string' as const, nullable: true })));
    const one = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}') as object;
    const { bytes } = await encode(codec, [one, {}]);
    const [first, second] = (await decode(codec, bytes)) as [object, object];
    assert.deepEqual(
      Object.entries(first).sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['hasOwnProperty', null],
        ['toString', 't'],
      ],
    );
    assert.equal(Object.getPrototypeOf(first), Object.prototype);
    assert.deepEqual(Object.values(second), [null, null, null, null]);
  });
});
