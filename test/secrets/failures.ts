/**
 * Operations that have to fail while a secret is at hand: in a record, in metadata, in bytes, in stored objects. Whatever
 * they throw is what logs and crash reports of users will hold.
 */
import { utf8Encode } from '../../src/bytes/index.ts';
import {
  defaultLayout,
  hive,
  openDataset,
  openReader,
  type Dataset,
  type DatasetOptions,
} from '../../src/dataset/index.ts';
import { jsonl, sha256, type Codec } from '../../src/encoding/index.ts';
import { parquet } from '../../src/parquet.ts';
import { memoryStore, type Store } from '../../src/store/index.ts';

export interface Failure {
  readonly name: string;
  /** Has to reject. */
  readonly run: () => Promise<unknown>;
}

type Row = Record<string, unknown>;

/** Every failure we know how to cause with `secret` inside what is handled. */
export function failuresWith(secret: string): Failure[] {
  return [
    ...badRecords(secret),
    ...badMetadata(secret),
    ...badCalls(secret),
    ...damagedData(secret),
    ...damagedManifests(secret),
  ];
}

const parquetSchema = { name: 'string', n: 'int32', at: 'timestamp', raw: 'bytes?' } as const;

function open(
  codec: Codec<never>,
  extra: Partial<DatasetOptions<Row>> = {},
): Promise<Dataset<Row>> {
  return openDataset<Row>('d', {
    store: memoryStore(),
    codec: codec as unknown as Codec<Row>,
    checksum: sha256(),
    ...extra,
  });
}

function badRecords(secret: string): Failure[] {
  const cyclic: Row = { secret };
  cyclic['self'] = cyclic;
  const jsonRows: Record<string, unknown> = {
    'a cycle': cyclic,
    NaN: { secret, n: Number.NaN },
    'a function': { secret, [secret.slice(0, 0) + 'f']: () => secret },
    'a symbol': { secret, s: Symbol(secret) },
    'a lone surrogate': { secret: `${secret}\ud800`, n: Number.POSITIVE_INFINITY },
    'an invalid date': { secret, at: new Date(Number.NaN) },
    'toJSON that throws': {
      secret,
      toJSON() {
        throw new RangeError('no JSON for this');
      },
    },
    'a long line': { secret: secret.repeat(2_000_000) },
  };
  const good = { name: secret, n: 1, at: new Date(0), raw: null };
  const parquetRows: Record<string, unknown> = {
    'a string for an int32': { ...good, n: secret },
    'a fraction for an int32': { ...good, n: 1.5 },
    'an object for a string': { ...good, name: { secret } },
    'a string for a time': { ...good, at: secret },
    'an object for bytes': { ...good, raw: { secret } },
    'a missing field': { name: secret },
    'no record': secret,
  };
  const write = (kind: string, codec: () => unknown, rows: Record<string, unknown>): Failure[] =>
    Object.entries(rows).flatMap(([what, row]) => [
      {
        name: `${kind}: write ${what}`,
        run: async () => (await open(codec() as Codec<never>)).write([good, row] as Row[]),
      },
      {
        name: `${kind}: stream ${what}`,
        run: async () => (await open(codec() as Codec<never>)).streamWriteRecords([row] as Row[]),
      },
    ]);
  return [
    ...write('jsonl', () => jsonl(), jsonRows),
    ...write('parquet', () => parquet(parquetSchema), parquetRows),
    {
      name: 'hive: no value to partition by',
      run: async () => (await open(jsonl(), { layout: hive('day') })).write([{ secret }]),
    },
    {
      name: 'timestamp: not a time',
      run: async () =>
        (await open(jsonl(), { timestamp: (row) => row['secret'] as string })).write([{ secret }]),
    },
  ];
}

function badMetadata(secret: string): Failure[] {
  const deep: Row = {};
  let at = deep;
  for (let i = 0; i < 5_000; i++) at = at['x'] = { secret };
  const values: Record<string, unknown> = {
    NaN: { secret, n: Number.NaN },
    'a bigint': { secret, n: [secret, Symbol(secret)] },
    'a function': { secret, f: () => secret },
    depth: deep,
    'an array': [secret],
    'a string': secret,
  };
  return Object.entries(values).map(([what, metadata]) => ({
    name: `metadata: ${what}`,
    run: async () => (await open(jsonl())).write([{ secret }], metadata as Row),
  }));
}

function badCalls(secret: string): Failure[] {
  const row = { secret };
  return [
    {
      name: 'write on another parent',
      run: async () => (await open(jsonl())).write([row], row, { expectedParent: '1' }),
    },
    {
      name: 'write records where bytes belong',
      run: async () =>
        (await openDataset('d', { store: memoryStore() })).write([row, row] as never, row),
    },
    {
      name: 'bytes to a dataset with a codec',
      run: async () => {
        const writer = await (await open(jsonl())).streamWrite(row);
        await writer.write(utf8Encode(secret));
        await writer.commit();
      },
    },
    {
      name: 'a closed dataset',
      run: async () => {
        const dataset = await open(jsonl());
        await dataset.close();
        return dataset.write([row], row);
      },
    },
    {
      name: 'a store that is none',
      run: () => openDataset('d', { store: { secret } as unknown as Store }),
    },
    {
      name: 'a body that is none',
      run: () => memoryStore().put('k', { secret } as unknown as string),
    },
    { name: 'a key that is none', run: () => memoryStore().put('../k', secret) },
    {
      name: 'an etag that is not the present one',
      run: async () => {
        const store = memoryStore();
        await store.put('k', secret);
        return store.get('k', { ifMatch: 'other' });
      },
    },
  ];
}

/** Data files replaced by others of the same or another size, read with and without verification. */
function damagedData(secret: string): Failure[] {
  const texts: Record<string, string> = {
    'text that is no JSON': secret,
    'an open string': `{"secret":"${secret}`,
    'an open object': `{"secret":"${secret}"`,
    'two values': `{"secret":"${secret}"} {"secret":"${secret}"}\n`,
    'a bare word': `{"secret":${secret}}\n`,
    'an escape that is none': `{"secret":"${secret}\\x"}\n`,
    'a Parquet head': `PAR1${secret}PAR1`,
    'a Parquet footer': `PAR1${secret}${'\u0010\u0000\u0000\u0000'}PAR1`,
    nothing: '',
  };
  const kinds = { jsonl: () => jsonl(), parquet: () => parquet(parquetSchema) };
  return Object.entries(kinds).flatMap(([kind, codec]) =>
    Object.entries(texts).flatMap(([what, text]) =>
      [true, false]
        .filter((verify) => verify || kind === 'parquet' || text !== '')
        .map((verify) => ({
          name: `${kind}: read ${what}, verify ${verify}`,
          run: async () => {
            const store = memoryStore();
            const rows = [{ name: secret, n: 1, at: new Date(0) }];
            const options = { store, verify };
            const dataset = await open(codec() as unknown as Codec<never>, options);
            const { id, manifest } = await dataset.write(rows, { secret });
            for (const { path } of manifest.files)
              await store.put(path, text, { mode: 'overwrite' });
            return dataset.read(id);
          },
        })),
    ),
  );
}

/** Manifests in which one member is replaced by something that holds the secret. */
function damagedManifests(secret: string): Failure[] {
  const edits: Record<string, (unsealed: Row, sealed: Row) => unknown> = {
    'text that is no JSON': () => secret,
    'metadata that is text': (manifest) => ({ ...manifest, metadata: secret }),
    'a row count that is text': (manifest) => ({ ...manifest, row_count: '1' }),
    'files that are text': (manifest) => ({ ...manifest, files: ['x'] }),
    'a time that is none': (manifest) => ({ ...manifest, created_at: { secret } }),
    'no files': (manifest) => ({ ...manifest, files: undefined }),
    'a digest that is not its own': (_, sealed) => ({ ...sealed, metadata: { secret: [secret] } }),
  };
  return Object.entries(edits).flatMap(([what, edit]) => {
    const damaged = async (): Promise<{ dataset: Dataset<Row>; store: Store; id: string }> => {
      const store = memoryStore();
      const dataset = await open(jsonl(), { store });
      const { id } = await dataset.write([{ secret }], { secret });
      const key = defaultLayout().manifestKey('d', id);
      const stored = await store.get(key);
      const text = new TextDecoder().decode(await stored?.bytes());
      const sealed = JSON.parse(text) as Row;
      const { manifest_checksum: _, ...unsealed } = sealed;
      const edited = edit(unsealed, sealed);
      const next = typeof edited === 'string' ? edited : JSON.stringify(edited, undefined, 2);
      await store.put(key, next, { mode: 'overwrite' });
      return { dataset: await open(jsonl(), { store }), store, id };
    };
    return [
      {
        name: `manifest: ${what}, by the dataset`,
        run: async () => {
          const { dataset, id } = await damaged();
          return dataset.read(id);
        },
      },
      {
        name: `manifest: ${what}, by the reader`,
        run: async () => {
          const { store, id } = await damaged();
          const reader = await openReader({ store });
          return reader.manifest({ dataset: 'd', id });
        },
      },
    ];
  });
}
