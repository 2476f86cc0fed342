/** At risk: options that are mistyped, or of the wrong kind, and do nothing, or fail far from where they were given. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fsStore } from '../../../src/fs.ts';
import {
  gzip,
  hive,
  isLodeError,
  jsonl,
  memoryStore,
  openDataset,
  openReader,
  sha256,
  withCache,
  withPrefix,
  withRetry,
  zstd,
} from '../../../src/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { s3Store } from '../../../src/s3.ts';
import type { LodeError } from '../../../src/errors.ts';
import { bedOf, fails } from './bed.ts';

const store = memoryStore();
const codec = jsonl();

async function refused(work: () => unknown): Promise<LodeError> {
  try {
    await work();
  } catch (error) {
    if (isLodeError(error, 'LODE_INVALID_ARGUMENT')) return error;
    throw error;
  }
  return assert.fail('it was accepted');
}

const wrong: readonly (readonly [what: string, options: object, field: string])[] = [
  ['a layout by name', { layout: 'hive' }, 'layout'],
  ['a layout not called', { layout: hive }, 'layout'],
  ['a codec not called', { codec: jsonl }, 'codec'],
  ['a compressor not called', { compressor: gzip }, 'compressor'],
  ['a compressor by name', { compressor: 'zstd' }, 'compressor'],
  ['a checksum by name', { checksum: 'md5' }, 'checksum'],
  ['a checksum not called', { checksum: sha256 }, 'checksum'],
  ['no checksum, said wrongly', { checksum: null }, 'checksum'],
  ['retry as a number', { retry: 5 }, 'retry'],
  ['retry by another name', { retry: { retries: 3 } }, 'retry.retries'],
  ['limits by another name', { limits: { recordMax: 3 } }, 'limits.recordMax'],
  ['an option by another name', { compression: gzip() }, 'compression'],
  ['a timestamp by field', { timestamp: 'at' }, 'timestamp'],
  ['writers nobody knows', { writers: 'two' }, 'writers'],
  ['a store not called', { store: memoryStore }, 'store'],
];

describe('opening a dataset', () => {
  for (const [what, options, field] of wrong) {
    it(`refuses ${what}`, async () => {
      const open = { store, codec, ...options } as never;
      const { details, message } = await refused(() => openDataset('d', open));
      assert.equal(details.field, field, message);
    });
  }

  it('says how to pass a component', async () => {
    const { message } = await refused(() => openDataset('d', { store, codec: jsonl as never }));
    assert.match(message, /Call it: pass codec: jsonl\(\)/);
  });

  it('names the options there are', async () => {
    const retry = { retries: 3 } as never;
    const { message } = await refused(() => openDataset('d', { store, codec, retry }));
    assert.match(message, /attempts, baseDelayMs, maxDelayMs, jitter/);
  });
});

describe('opening a reader', () => {
  for (const [what, options] of [
    ['a layout by name', { layout: 'hive' }],
    ['a codec not called', { codecs: [parquet] }],
    ['an option by another name', { codec }],
  ] as [string, object][])
    void it(`refuses ${what}`, async () => {
      await refused(() => openReader({ store, ...options } as never));
    });
});

describe('a store in a directory', () => {
  for (const [what, root, options] of [
    ['no path', undefined, undefined],
    ['an empty path', '', undefined],
    ['a number', 5, undefined],
    ['another durability', '/tmp', { durability: 'fsync' }],
    ['an option by another name', '/tmp', { durable: true }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { message } = await refused(() => fsStore(root as never, options as never));
      assert.doesNotMatch(message, /undefined is not/);
    });
  }
});

describe('a store in a bucket', () => {
  const given = { bucket: 'flights', region: 'eu-west-1' };
  for (const [what, options] of [
    ['an endpoint by another name', { ...given, endPoint: 'http://127.0.0.1:9000' }],
    ['waits by another name', { ...given, backoff: { base: 5 } }],
    ['none at all', undefined],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await refused(() => s3Store(options as never));
      await refused(() => s3Store('s3://flights', { ...options, bukket: 'x' } as never));
    });
  }
});

describe('a wrapper', () => {
  for (const [what, wrap] of [
    ['retries by another name', () => withRetry(store, { attempt: 3 } as never)],
    ['retries as a number', () => withRetry(store, 3 as never)],
    ['a cache without its size', () => withCache(store, undefined as never)],
    ['a cache by another name', () => withCache(store, { bytesMax: 5, bytes: 5 } as never)],
    ['a prefix that is no text', () => withPrefix(store, undefined as never)],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await refused(wrap);
    });
  }
});

describe('components', () => {
  for (const [what, make] of [
    ['gzip', () => gzip({ levels: 3 } as never)],
    ['gzip by number', () => gzip(6 as never)],
    ['zstd', () => zstd({ quality: 3 } as never)],
    ['jsonl', () => jsonl({ integer: 'bigint' } as never)],
    ['parquet', () => parquet({ id: 'int64' }, { rowGroups: 3 } as never)],
  ] as const)
    void it(`refuse options they do not have: ${what}`, async () => {
      await refused(make);
    });
});

describe('calls on a dataset', () => {
  it('refuse options they do not have', async () => {
    const dataset = await bedOf('guarded put').records({ layout: hive('day') });
    const { id } = await dataset.write([{ day: 'a' }]);
    const calls: readonly (() => unknown)[] = [
      () => dataset.write([{ day: 'a' }], null, { parent: id } as never),
      () => dataset.streamWriteRecords([{ day: 'a' }], null, { openFiles: 3 } as never),
      () => dataset.read(id, { filter: 'day=a' } as never),
      () => dataset.read(id, null as never),
      () => dataset.records({ since: undefined, to: id } as never).next(),
      () => dataset.records(id, { column: ['day'] } as never).next(),
      () => dataset.read(id, { columns: 'day' as never }),
      () => dataset.streamWriteRecords([{ day: 'a' }], null, { openFilesMax: 0 }),
      () => dataset.streamWriteRecords([{ day: 'a' }], null, { openFilesMax: Number.NaN }),
      () => dataset.write([{ day: 'a' }], null, { signal: 5 as never }),
      () => dataset.latest({ signal: { aborted: false } as never }),
      () => dataset.snapshots({ oldestFirst: true } as never).next(),
      () => dataset.latest({ timeout: 5 } as never),
      () => dataset.verify({ snapshots: [id] } as never),
      () => dataset.repair({ dry: true } as never),
      () => dataset.copyTo(memoryStore(), { id } as never),
      () => dataset.copyTo('elsewhere' as never),
    ];
    for (const call of calls) await refused(call);
    assert.equal((await dataset.latest()).id, id);
  });

  it('refuse partitions that the layout cannot have', async () => {
    const bed = bedOf('guarded put');
    const dataset = await bed.records({ layout: hive('day', 'region') });
    const { id } = await dataset.write([{ day: 'a', region: 'eu' }]);
    for (const partition of ['regoin=eu', 'eu', 'day=a/regoin=eu', { regoin: 'eu' }]) {
      const error = await fails(dataset.read(id, { partition }), 'LODE_INVALID_ARGUMENT');
      assert.equal(error.details.expected, 'day, region');
    }
    assert.equal((await dataset.read(id, { partition: 'region=eu' })).length, 1);
    const plain = await openDataset('plain', { store: bed.store, codec });
    const written = await plain.write([{ day: 'a' }]);
    await fails(plain.read(written.id, { partition: 'day=a' }), 'LODE_INVALID_ARGUMENT');
  });
});
