/** At risk: a snapshot that exists and is not listed, one that is listed twice, and data believed unread. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8Encode } from '../../../src/bytes/index.ts';
import type { Layout } from '../../../src/dataset/layout.ts';
import { defaultLayout, flat, hive } from '../../../src/dataset/layout.ts';
import type { DatasetManifest } from '../../../src/dataset/manifest/index.ts';
import { encodeManifest } from '../../../src/dataset/manifest/index.ts';
import { openReader } from '../../../src/dataset/reader.ts';
import { md5 } from '../../../src/encoding/checksums/index.ts';
import { parquet } from '../../../src/encoding/parquet/codec.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { ListOptions, Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { goVectors } from '../../interop/vectors.ts';

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const failing = (work: Promise<unknown>, code: LodeErrorCode): Promise<void> =>
  assert.rejects(work, (e) => isLodeError(e, code));

/** A snapshot as a writer leaves it: canonical manifest, a copy and a data file per partition. */
async function snapshot(
  store: Store,
  layout: Layout,
  id: string,
  options: {
    parent?: string;
    partitions?: readonly string[];
    dataset?: string;
    canonical?: boolean;
  } = {},
): Promise<DatasetManifest> {
  const { parent, partitions = [''], dataset = 'ds', canonical = true } = options;
  const manifest: DatasetManifest = {
    schemaName: 'lode-manifest',
    formatVersion: '1.0.0',
    datasetId: dataset,
    snapshotId: id,
    createdAt: '2026-01-02T03:04:05Z',
    metadata: {},
    files: partitions.map((partition) => ({
      path: layout.dataKey(dataset, id, partition, 'data'),
      sizeBytes: 2,
    })),
    ...(parent === undefined ? {} : { parentSnapshotId: parent }),
    rowCount: 1,
    codec: 'jsonl',
    compressor: 'noop',
    partitioner: layout.partitioner,
  };
  const bytes = encodeManifest(manifest);
  for (const { path } of manifest.files) await store.put(path, '1\n');
  for (const partition of partitions.filter((name) => name !== ''))
    await store.put(layout.manifestKey(dataset, id, partition), bytes);
  if (canonical) await store.put(layout.manifestKey(dataset, id), bytes);
  return manifest;
}

/** The store with its calls written down; `get` can be made to fail. */
function watched(target: Store): { store: Store; calls: string[]; failGets: () => void } {
  const calls: string[] = [];
  let failing = false;
  const noted = (call: string): Store => {
    calls.push(call);
    return target;
  };
  const store: Store = {
    capabilities: target.capabilities,
    put: (key, body, options) => noted(`put ${key}`).put(key, body, options),
    get: (key, options) =>
      failing ? Promise.reject(new Error('down')) : noted(`get ${key}`).get(key, options),
    head: (key, options) => noted(`head ${key}`).head(key, options),
    list: ((prefix: string, options: ListOptions) =>
      noted(`list ${prefix}`).list(prefix, options)) as Store['list'],
    delete: (keys, options) => noted('delete').delete(keys, options),
  };
  return { store, calls, failGets: () => (failing = true) };
}

describe('reader.datasets', () => {
  it('tells nothing, something and datasets apart (case 34)', async () => {
    const store = memoryStore();
    const reader = await openReader({ store });
    assert.deepEqual(await all(reader.datasets()), []);
    await store.put('datasets/test-ds/snapshots/snap-1/data/file.txt', 'x');
    await failing(all(reader.datasets()), 'LODE_NO_MANIFESTS');
    await snapshot(store, defaultLayout(), '1', { dataset: 'test-ds' });
    await snapshot(store, defaultLayout(), '1', { dataset: 'a' });
    await store.put('datasets/zz/latest', '1');
    assert.deepEqual(await all(reader.datasets()), ['a', 'test-ds']);
    const inFlat = await openReader({ store, layout: flat() });
    await failing(all(inFlat.datasets()), 'LODE_DATASETS_NOT_MODELED');
  });

  it('costs one listing, and one per dataset', async () => {
    const { store, calls } = watched(memoryStore());
    for (const dataset of ['a', 'b'])
      for (let id = 0; id < 20; id++)
        await snapshot(store, hive('k'), String(id), { dataset, partitions: ['k=1', 'k=2'] });
    calls.length = 0;
    const reader = await openReader({ store, layout: hive('k') });
    assert.deepEqual(await all(reader.datasets()), ['a', 'b']);
    assert.deepEqual(calls, [
      'list datasets/',
      'list datasets/a/segments/',
      'list datasets/b/segments/',
    ]);
  });
});

describe('reader.manifests', () => {
  for (const layout of [defaultLayout(), hive('k'), flat()]) {
    it(`lists every snapshot once, in order: ${layout.name}`, async () => {
      const { store, calls } = watched(memoryStore());
      const partitions = layout.name === 'hive' ? ['k=1', 'k=2'] : [''];
      const expected: DatasetManifest[] = [];
      for (let id = 100; id < 130; id++)
        expected.push(await snapshot(store, layout, String(id), { partitions }));
      // A name that begins alike is another dataset (E-9); a folder without manifest is no snapshot.
      await snapshot(store, layout, '999', { dataset: 'ds2', partitions });
      await store.put(layout.dataKey('ds', '200', '', 'data'), 'x');
      await store.put(layout.pointerKey('ds'), '129');
      calls.length = 0;
      const reader = await openReader({ store, layout });
      const listed = await all(reader.manifests('ds'));
      assert.deepEqual(
        listed.map(({ manifest }) => manifest),
        expected,
      );
      assert.deepEqual(
        listed[0]?.ref,
        layout.name === 'hive'
          ? { dataset: 'ds', id: '100', partition: 'k=1' }
          : { dataset: 'ds', id: '100' },
      );
      assert.equal(calls.filter((call) => call.startsWith('list')).length, 1);
      assert.equal(calls.length, 1 + 31);
      const newest = await all(reader.manifests('ds', { newestFirst: true }));
      assert.deepEqual(newest, listed.toReversed());
      await failing(all(reader.manifests('other')), 'LODE_NOT_FOUND');
    });
  }

  it('finds a partition by its whole name (case 20, 19.21)', async () => {
    const { store, calls } = watched(memoryStore());
    const layout = hive('day', 'region');
    await snapshot(store, layout, '1', { partitions: ['day=2024-01-15/region=eu'] });
    await snapshot(store, layout, '2', { parent: '1', partitions: ['day=2024-01-16/region=us'] });
    const reader = await openReader({ store, layout: hive('anything') });
    const ids = async (partition: string): Promise<string[]> =>
      (await all(reader.manifests('ds', { partition }))).map(({ ref }) => ref.id);
    assert.deepEqual(await ids('day=2024-01-15/region=eu'), ['1']);
    assert.deepEqual(await ids(''), ['1', '2']);
    await failing(ids('day=2024-01-15'), 'LODE_NOT_FOUND');
    for await (const { ref } of reader.manifests('ds')) assert.ok(ref.partition);
    calls.length = 0;
    assert.deepEqual(await all(reader.partitions('ds')), [
      'day=2024-01-15/region=eu',
      'day=2024-01-16/region=us',
    ]);
    assert.equal(calls.filter((call) => call.startsWith('get')).length, 2);
    const inDefault = await openReader({ store });
    assert.deepEqual(await all(inDefault.manifests('ds', { partition: 'day=1' })), []);
  });

  it('finds hive snapshots from before canonical manifests, beside later ones (case 19)', async () => {
    const { store, calls } = watched(memoryStore());
    const layout = hive('k');
    const old = { canonical: false, partitions: ['k=1', 'k=2'] };
    await snapshot(store, layout, '1', old);
    await snapshot(store, layout, '2', { ...old, parent: '1' });
    const reader = await openReader({ store, layout });
    const ids = async (): Promise<string[]> =>
      (await all(reader.manifests('ds'))).map(({ ref }) => `${ref.id} ${ref.partition}`);
    assert.deepEqual(await ids(), ['1 k=1', '2 k=1']);
    await snapshot(store, layout, '3', { parent: '2', partitions: ['k=2'] });
    assert.deepEqual(await ids(), ['3 k=2', '1 k=1', '2 k=1']);
    assert.equal((await reader.manifest({ dataset: 'ds', id: '1' })).snapshotId, '1');
    assert.deepEqual(await all(reader.datasets()), ['ds']);
    calls.length = 0;
    await snapshot(store, layout, '1', { dataset: 'whole', partitions: ['k=1'] });
    await snapshot(store, layout, '2', { dataset: 'whole', parent: '1', partitions: ['k=1'] });
    calls.length = 0;
    await all(reader.manifests('whole'));
    assert.deepEqual(
      calls.filter((call) => call.startsWith('list')),
      ['list datasets/whole/segments/'],
    );
  });

  it('one bad manifest ends a strict listing, and is reported by a lenient one (E-18, case 33)', async () => {
    for (const layout of [defaultLayout(), hive('k')]) {
      const store = memoryStore();
      const partitions = layout.name === 'hive' ? ['k=1'] : [''];
      for (const id of ['1', '2', '3']) await snapshot(store, layout, id, { partitions });
      const bad = layout.manifestKey('ds', '2');
      await store.put(bad, '{"schema_name": "lode-manifest"', { mode: 'overwrite' });
      const reader = await openReader({ store, layout });
      await failing(all(reader.manifests('ds')), 'LODE_MANIFEST_INVALID');
      const problems: string[] = [];
      const listed = await all(
        reader.manifests('ds', {
          onInvalid: (ref, error) => problems.push(`${ref.id} ${error.code} ${error.details.key}`),
        }),
      );
      assert.deepEqual(
        listed.map(({ ref }) => ref.id),
        ['1', '3'],
      );
      assert.deepEqual(problems, [`2 LODE_MANIFEST_INVALID ${bad}`]);
      // A store that fails is no bad manifest.
      const { store: down, failGets } = watched(store);
      failGets();
      const failingReader = await openReader({ store: down, layout });
      await assert.rejects(all(failingReader.manifests('ds', { onInvalid: () => {} })), /down/);
    }
  });

  it('is ended by its signal', async () => {
    const store = memoryStore();
    for (const id of ['1', '2']) await snapshot(store, defaultLayout(), id);
    const reader = await openReader({ store });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const work of [
      all(reader.manifests('ds', { signal })),
      all(reader.datasets({ signal })),
      reader.manifest({ dataset: 'ds', id: '1' }, { signal }),
    ])
      await assert.rejects(work, (e) => e === reason);
  });
});

describe('reader.manifest', () => {
  it('reads the copy asked for, or the canonical one where that is missing (E-10)', async () => {
    const { store, calls } = watched(memoryStore());
    const layout = hive('k');
    const expected = await snapshot(store, layout, '1', { partitions: ['k=1', 'k=2'] });
    await store.delete(layout.manifestKey('ds', '1', 'k=2'));
    const reader = await openReader({ store, layout });
    calls.length = 0;
    const ref = { dataset: 'ds', id: '1' };
    assert.deepEqual(await reader.manifest(ref), expected);
    assert.deepEqual(await reader.manifest({ ...ref, partition: 'k=1' }), expected);
    assert.equal(calls.length, 2);
    assert.deepEqual(await reader.manifest({ ...ref, partition: 'k=2' }), expected);
  });

  it('tells an unknown snapshot from a mistaken layout', async () => {
    const store = memoryStore();
    await snapshot(store, hive('k'), '1', { partitions: ['k=1'] });
    const reader = await openReader({ store });
    await failing(reader.manifest({ dataset: 'ds', id: '1' }), 'LODE_LAYOUT_MISMATCH');
    await failing(reader.manifest({ dataset: 'ds', id: '2' }), 'LODE_NOT_FOUND');
    await failing(reader.manifest({ dataset: '..', id: '2' }), 'LODE_INVALID_ARGUMENT');
    await failing(reader.manifest({ dataset: 'ds', id: 'a/b' }), 'LODE_INVALID_ARGUMENT');
  });

  it('does not take the manifest of another snapshot for the one asked for', async () => {
    const store = memoryStore();
    await snapshot(store, defaultLayout(), '1');
    const object = await store.get('datasets/ds/snapshots/1/manifest.json');
    await store.put('datasets/ds/snapshots/2/manifest.json', (await object?.bytes()) ?? '');
    const reader = await openReader({ store });
    await failing(reader.manifest({ dataset: 'ds', id: '2' }), 'LODE_MANIFEST_INVALID');
    const limited = await openReader({ store, limits: { manifest: { bytesMax: 10 } } });
    await failing(limited.manifest({ dataset: 'ds', id: '1' }), 'LODE_LIMIT_EXCEEDED');
  });
});

describe('reader of data', () => {
  const layout = hive('k');
  const written = async (): Promise<{ store: Store; manifest: DatasetManifest }> => {
    const store = memoryStore();
    const partitions = ['k=1', 'k=2'];
    const manifest = await snapshot(store, layout, '1', { partitions });
    const sealed = {
      ...manifest,
      checksumAlgorithm: 'md5',
      files: manifest.files.map((file) => ({
        ...file,
        checksum: md5().hash?.(utf8Encode('1\n')) ?? '',
      })),
    };
    await store.put(layout.manifestKey('ds', '1'), encodeManifest(sealed), { mode: 'overwrite' });
    return { store, manifest: sealed };
  };
  const ref = { dataset: 'ds', id: '1' };

  it('decodes by the names in the manifest, from a manifest or its reference', async () => {
    const { store, manifest } = await written();
    const reader = await openReader({ store, layout });
    assert.deepEqual(await all(reader.records(ref)), [1, 1]);
    assert.deepEqual(await all(reader.records(manifest)), [1, 1]);
    assert.deepEqual(await all(reader.records(ref, { partition: 'k=2' })), [1]);
    assert.deepEqual(await all(reader.records(ref, { partition: 'k=3' })), []);
  });

  it('verifies what it opens, by the algorithm the manifest named', async () => {
    const { store, manifest } = await written();
    const [file] = manifest.files;
    assert.ok(file);
    await store.put(file.path, '2\n', { mode: 'overwrite' });
    const reader = await openReader({ store, layout });
    const [known] = (await reader.manifest(ref)).files;
    assert.ok(known);
    await failing(all(reader.records(ref)), 'LODE_CHECKSUM_MISMATCH');
    await failing(all(reader.open(known)), 'LODE_CHECKSUM_MISMATCH');
    await failing(all(reader.open(file, { checksumAlgorithm: 'md5' })), 'LODE_CHECKSUM_MISMATCH');
    const trusting = await openReader({ store, layout, verify: false });
    assert.deepEqual(await all(trusting.records(ref)), [2, 1]);
    assert.deepEqual(await all(reader.open(file)), [utf8Encode('2\n')]);
    assert.deepEqual(await reader.readerAt(file).read(0, 1), utf8Encode('2'));
  });

  it('names the component it was not given', async () => {
    const { store, manifest } = await written();
    const reader = await openReader({ store, layout });
    for (const change of [{ codec: 'avro' }, { compressor: 'lz4' }])
      await failing(all(reader.records({ ...manifest, ...change })), 'LODE_COMPONENT_MISMATCH');
    const unknown = { ...manifest, checksumAlgorithm: 'sum' };
    await failing(all(reader.records(unknown)), 'LODE_UNSUPPORTED');
    const trusting = await openReader({ store, layout, verify: false });
    assert.deepEqual(await all(trusting.records(unknown)), [1, 1]);
    const sum = { ...md5(), name: 'sum' };
    const given = await openReader({ store, layout, checksums: [sum] });
    assert.deepEqual(await all(given.records(unknown)), [1, 1]);
  });
});

describe('reader over what Go wrote', () => {
  it('lists what the Go reader lists', async () => {
    for (const vector of await goVectors()) {
      const store = memoryStore();
      const objects = Object.entries(vector.objects).filter(([key]) => !key.endsWith('.lock'));
      for (const [key, { text, base64 }] of objects)
        await store.put(
          key,
          text === undefined ? Buffer.from(base64 ?? '', 'base64') : utf8Encode(text),
        );
      const { layout = 'default', dataset } = vector.dataset;
      const reader = await openReader({
        store,
        codecs: [parquet()],
        layout: layout === 'hive' ? hive('any') : layout === 'flat' ? flat() : defaultLayout(),
      });
      const { datasets, manifests, partitions } = vector.reader;
      if (datasets.ok !== undefined)
        assert.deepEqual(await all(reader.datasets()), datasets.ok, vector.case);
      const listed = await all(reader.manifests(dataset));
      for (const { manifest } of listed) {
        const expected = vector.snapshots.find(({ id }) => id === manifest.snapshotId)?.read;
        const records = await all(reader.records(manifest));
        assert.equal(records.length, expected?.count, vector.case);
      }
      assert.deepEqual(
        listed.map(({ ref }) => ref.id).sort(),
        vector.snapshots.map(({ id }) => id).sort(),
        vector.case,
      );
      for (const { id, partition } of manifests.ok ?? []) {
        const found = listed.find(({ ref }) => ref.id === id);
        assert.equal(found?.ref.partition ?? '', partition, vector.case);
      }
      if (partitions.ok !== undefined)
        assert.deepEqual(
          (await all(reader.partitions(dataset))).sort(),
          [...partitions.ok].sort(),
          vector.case,
        );
    }
  });
});
