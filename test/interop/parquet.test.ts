/** At risk: Parquet files that Go or DuckDB reads as something else, or that Go wrote and we do. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { parquet } from '../../src/parquet.ts';
import { decode, encode, rangedFile } from '../unit/encoding/parquet-files.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import type { GoField, GoSession, GoSnapshot } from './go-peer.ts';
import { exact, plainFloats, tagged } from './records.ts';
import type { Row } from './records.ts';
import { goVectors, objectsOf, readVectorFile } from './vectors.ts';

interface ParquetVector {
  readonly about: string;
  readonly schema: readonly GoField[];
  readonly decoded: {
    readonly count: number;
    readonly records?: readonly Row[];
    readonly last?: Row;
  };
  readonly base64: string;
}

describe('Parquet files of Go', () => {
  const check = async (
    schema: readonly GoField[],
    bytes: Uint8Array,
    said: ParquetVector['decoded'],
  ): Promise<void> => {
    for (const file of [bytes, rangedFile(bytes)]) {
      const records = await decode(parquet(exact(schema)), file);
      assert.equal(records.length, said.count);
      const ours = records.map((record) => tagged(schema, record));
      if (said.records !== undefined) assert.deepEqual(ours, said.records.map(plainFloats));
      if (said.last !== undefined) assert.deepEqual(ours.at(-1), plainFloats(said.last));
    }
    assert.equal((await decode(parquet(), bytes)).length, said.count);
  };

  it('alone are read as Go reads them', async () => {
    const files = (await readVectorFile('parquet-files.json')) as ParquetVector[];
    assert.equal(files.length, 3);
    for (const { schema, base64, decoded } of files)
      await check(schema, new Uint8Array(Buffer.from(base64, 'base64')), decoded);
  });

  it('in datasets are read as Go reads them', async () => {
    let files = 0;
    for (const vector of await goVectors()) {
      const { codec, compressor = 'noop', schema } = vector.dataset;
      if (codec !== 'parquet' || compressor !== 'noop' || schema === undefined) continue;
      const objects = objectsOf(vector);
      for (const { read, manifest } of vector.snapshots) {
        const data = (manifest.files ?? []).map(({ path }) => objects.get(path) as Uint8Array);
        if (data.length !== 1 || read === undefined) continue;
        await check(schema, data[0] as Uint8Array, read as ParquetVector['decoded']);
        files++;
      }
    }
    assert.ok(files >= 8, `${files} files`);
  });

  it('at the ends of every type', async () => {
    const folder = new URL('../../../test/vectors/parquet/', import.meta.url);
    const bytes = new Uint8Array(await readFile(new URL('go-edges.parquet', folder)));
    assert.deepEqual(await decode(parquet(), bytes), [
      {
        b: new Uint8Array(),
        f32: Infinity,
        f64: -Infinity,
        i32: -(2 ** 31),
        i64: -(2n ** 63n),
        s: '',
        t: '1677-09-21T00:12:43.145224192Z',
      },
      {
        b: new Uint8Array([0, 1, 2, 255]),
        f32: -0,
        f64: Number.NaN,
        i32: 2 ** 31 - 1,
        i64: 2n ** 63n - 1n,
        s: '\0\uffff\u{1f600}',
        t: '2262-04-11T23:47:16.854775807Z',
      },
      {
        b: new TextEncoder().encode('text'),
        f32: 3.4028234663852886e38,
        f64: 5e-324,
        i32: 0,
        i64: 0,
        s: 'plain',
        t: '1969-12-31T23:59:59.999999999Z',
      },
    ]);
  });
});

const schema: readonly GoField[] = [
  { name: 'zeta', type: 'int32' },
  { name: 'name', type: 'string', nullable: true },
  { name: 'id', type: 'int64' },
  { name: 'big', type: 'int64', nullable: true },
  { name: 'f', type: 'float32', nullable: true },
  { name: 'd', type: 'float64' },
  { name: 'ok', type: 'bool' },
  { name: 'maybe', type: 'bool', nullable: true },
  { name: 'raw', type: 'bytes', nullable: true },
  { name: 'at', type: 'timestamp' },
  { name: 'late', type: 'timestamp', nullable: true },
  { name: 'few', type: 'string' },
  { name: 'never', type: 'string', nullable: true },
  { name: 'nothing', type: 'int64', nullable: true },
];

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { freq: 2 });
/** Finite, because JSON has to carry it back. */
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    zeta: fc.integer(),
    name: orNull(fc.string({ unit: 'binary', maxLength: 30 })),
    id: int64,
    big: orNull(int64),
    f: orNull(fc.float({ noNaN: true, noDefaultInfinity: true })),
    d: double,
    ok: fc.boolean(),
    maybe: orNull(fc.boolean()),
    raw: orNull(fc.uint8Array({ maxLength: 20 })),
    at: int64,
    late: orNull(int64),
    few: fc.constantFrom('a', 'bb', 'ccc', ''),
    never: fc.constant(null),
    nothing: fc.constant(null),
  }),
  { minLength: 1, maxLength: 300, size: 'max' },
);

const peer = await goPeer();

describe(
  'our Parquet files, read by Go',
  { skip: 'missing' in peer ? peer.missing : false },
  () => {
    let go: GoSession;
    let root: string;
    before(async () => {
      assert.ok(peer instanceof GoPeer);
      go = peer.serve();
      root = await mkdtemp(join(tmpdir(), 'lode-parquet-'));
    });
    after(async () => {
      await go[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    });

    it('hold what was written, in any number of row groups and both compressions', async () => {
      const one = {
        ...Object.fromEntries(schema.map(({ name }) => [name, null])),
        zeta: 1,
        id: 1,
        d: 1,
        ok: true,
        at: '2024-01-01T00:00:00Z',
        few: '',
      };
      const dataset = { root, dataset: 'ours', codec: 'parquet', schema };
      const { id, manifest } = await go.request<GoSnapshot>('write', {
        ...dataset,
        records: [one],
      });
      const path = join(root, manifest.files?.[0]?.path ?? '');
      await fc.assert(
        fc.asyncProperty(
          rows,
          fc.integer({ min: 1, max: 400 }),
          fc.constantFrom('snappy' as const, 'gzip' as const, 'zstd' as const, 'none' as const),
          async (records, rowGroupRows, compression) => {
            const codec = parquet(exact(schema), { rowGroupRows, compression });
            const { bytes } = await encode(codec, records);
            const ours = (await decode(codec, bytes)).map((record) => tagged(schema, record));
            await writeFile(path, bytes);
            const read = await go.request<{ records: Row[] }>('read', { ...dataset, id });
            assert.deepEqual(read.records.map(plainFloats), ours);
          },
        ),
        { numRuns: 40 },
      );
      const long = Array.from({ length: 30_000 }, (_, i) => ({
        ...one,
        id: i,
        few: `${i % 90}`,
        name: `n${i}`,
      }));
      const { bytes } = await encode(parquet(exact(schema)), long);
      await writeFile(path, bytes);
      const { count, last } = await go
        .request<{ count?: number; last?: Row; records?: Row[] }>('read', {
          ...dataset,
          id,
        })
        .then((read) => ({
          count: read.count ?? read.records?.length,
          last: read.last ?? read.records?.at(-1),
        }));
      assert.equal(count, 30_000);
      assert.deepEqual(last?.['id'], { $int64: '29999' });
      assert.equal(last?.['few'], `${29_999 % 90}`);
    });
  },
);

const duckdb = await import('@duckdb/node-api').catch(() => undefined);

/** DuckDB keeps instants with a zone in microseconds. */
function micros(name: string, value: unknown): unknown {
  return typeof value === 'bigint' && (name === 'at' || name === 'late') ? value / 1000n : value;
}

function plainDuck(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('micros' in value) return value.micros;
  return 'bytes' in value ? new Uint8Array(value.bytes as Uint8Array) : value;
}

describe('our Parquet files, read by DuckDB', { skip: duckdb === undefined }, () => {
  it('hold what was written', async () => {
    assert.ok(duckdb !== undefined);
    const folder = await mkdtemp(join(tmpdir(), 'lode-duckdb-'));
    const instance = await duckdb.DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      const codec = parquet(exact(schema), { rowGroupRows: 50 });
      const [records] = fc.sample(rows, { numRuns: 1, seed: 7 });
      const { bytes } = await encode(codec, records ?? []);
      const path = join(folder, 'ours.parquet');
      await writeFile(path, bytes);
      const reader = await connection.runAndReadAll(`select * from read_parquet('${path}')`);
      const theirs = reader.getRowObjects();
      const ours = await decode(
        parquet(
          exact(schema).map((f) => (f.type === 'timestamp' ? { ...f, as: 'bigint' as const } : f)),
        ),
        bytes,
      );
      assert.equal(theirs.length, ours.length);
      for (const [i, record] of ours.entries()) {
        for (const [name, value] of Object.entries(record))
          assert.deepEqual(plainDuck(theirs[i]?.[name]), micros(name, value), `${name} of ${i}`);
      }
      const types = await connection.runAndReadAll(
        `describe select * from read_parquet('${path}')`,
      );
      assert.deepEqual(
        types
          .getRows()
          .map(([name, type]) => `${String(name)} ${String(type)}`)
          .sort(),
        [
          'at TIMESTAMP WITH TIME ZONE',
          'big BIGINT',
          'd DOUBLE',
          'f FLOAT',
          'few VARCHAR',
          'id BIGINT',
          'late TIMESTAMP WITH TIME ZONE',
          'maybe BOOLEAN',
          'name VARCHAR',
          'never VARCHAR',
          'nothing BIGINT',
          'ok BOOLEAN',
          'raw BLOB',
          'zeta INTEGER',
        ],
      );
    } finally {
      connection.closeSync();
      instance.closeSync();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
