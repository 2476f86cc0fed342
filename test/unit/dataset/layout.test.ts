/** At risk: a key that differs by one byte is data that a Go process, or a later release, cannot find. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  assertDatasetId,
  defaultLayout,
  flat,
  hive,
  manifestKeysElsewhere,
} from '../../../src/dataset/layout.ts';
import { isLodeError } from '../../../src/errors.ts';
import { assertSnapshotId } from '../../../src/history/index.ts';

const id = '1767323045123456789';
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => !/[/\\\p{Cc}]/u.test(text) && text !== '.' && text !== '..');
const invalid = (error: unknown): boolean => isLodeError(error, 'LODE_INVALID_ARGUMENT');

describe('layout keys', () => {
  it('default', () => {
    const layout = defaultLayout();
    assert.equal(layout.partitioner, 'noop');
    assert.equal(layout.pointerKey('ds'), 'datasets/ds/latest');
    assert.equal(layout.manifestKey('ds', id), `datasets/ds/snapshots/${id}/manifest.json`);
    assert.equal(
      layout.dataKey('ds', id, '', 'data.gz'),
      `datasets/ds/snapshots/${id}/data/data.gz`,
    );
    assert.equal(layout.snapshotsPrefix('ds'), 'datasets/ds/snapshots/');
    assert.equal(layout.datasetsPrefix, 'datasets/');
    assert.equal(layout.partitionPrefix('ds', 'day=1'), undefined);
    assert.equal(layout.copiesPrefix('ds'), undefined);
  });

  it('hive', () => {
    const layout = hive('day', 'region');
    const partition = 'day=2024-01-15/region=eu%2Fwest';
    const home = `datasets/events/partitions/${partition}/segments/${id}`;
    assert.equal(layout.partitioner, 'hive');
    assert.deepEqual(layout.partitionKeys, ['day', 'region']);
    assert.equal(layout.pointerKey('events'), 'datasets/events/latest');
    assert.equal(layout.manifestKey('events', id, partition), `${home}/manifest.json`);
    assert.equal(layout.manifestKey('events', id), `datasets/events/segments/${id}/manifest.json`);
    assert.equal(layout.manifestKey('events', id, ''), layout.manifestKey('events', id));
    assert.equal(layout.dataKey('events', id, partition, 'data.gz'), `${home}/data/data.gz`);
    assert.equal(
      layout.dataKey('events', id, '', 'data'),
      `datasets/events/segments/${id}/data/data`,
    );
    assert.equal(layout.snapshotsPrefix('events'), 'datasets/events/segments/');
    assert.equal(layout.copiesPrefix('events'), 'datasets/events/partitions/');
    assert.equal(
      layout.partitionPrefix('events', partition),
      `datasets/events/partitions/${partition}/segments/`,
    );
    assert.equal(layout.partitionOf(`${home}/data/data.gz`), partition);
    assert.equal(layout.partitionOf(`datasets/events/segments/${id}/data/data`), '');
    assert.equal(
      layout.partitionOf('datasets/partitions/partitions/k=v/segments/1/data/data'),
      'k=v',
    );
  });

  it('flat (case 42)', () => {
    const layout = flat();
    assert.equal(layout.pointerKey('myds'), 'myds/latest');
    assert.equal(layout.manifestKey('myds', 'snap-abc'), 'myds/snap-abc/manifest.json');
    assert.equal(layout.dataKey('myds', 'snap-abc', '', 'blob'), 'myds/snap-abc/data/blob');
    assert.equal(layout.snapshotsPrefix('myds'), 'myds/');
    assert.equal(layout.datasetsPrefix, undefined);
  });

  it('every manifest key parses back to its parts', () => {
    const partition = fc
      .array(fc.tuple(fc.constantFrom('day', 'partitions', 'k'), name), { maxLength: 3 })
      .map((pairs) => pairs.map(([k, v]) => `${k}=${v}`).join('/'));
    fc.assert(
      fc.property(name, name, partition, (dataset, snapshot, part) => {
        for (const layout of [defaultLayout(), flat(), hive('day')]) {
          const expected = { dataset, snapshot, partition: layout.name === 'hive' ? part : '' };
          assert.deepEqual(
            layout.parseManifestKey(layout.manifestKey(dataset, snapshot, part)),
            expected,
          );
          assert.equal(
            layout.partitionOf(layout.dataKey(dataset, snapshot, part, 'data')),
            expected.partition,
          );
        }
      }),
    );
  });

  it('rejects whatever is not exactly a manifest key', () => {
    const junk = [
      '',
      'manifest.json',
      'datasets/ds/latest',
      'datasets/ds/latest.lock',
      `datasets/ds/snapshots/${id}/data/manifest.json`,
      `datasets//snapshots/${id}/manifest.json`,
      'datasets/ds/snapshots//manifest.json',
      `datasets/a/b/snapshots/${id}/manifest.json`,
      `datasets/ds/snapshots/${id}/manifest.json/`,
      `datasets/ds/snapshots/${id}/manifest.json.tmp`,
      `data/ds/snapshots/${id}/manifest.json`,
      `datasets/ds/segments/${id}/data/manifest.json`,
      'datasets/ds/segments//manifest.json',
      `datasets/ds/partitions/segments/${id}/manifest.json`,
      `datasets/ds/partitions//segments/${id}/manifest.json`,
      `datasets/ds/other/k=v/segments/${id}/manifest.json`,
      `datasets/ds/segments/${id}/segments/${id}/manifest.json`,
    ];
    for (const key of junk) {
      assert.equal(defaultLayout().parseManifestKey(key), undefined, key);
      assert.equal(hive('k').parseManifestKey(key), undefined, key);
    }
    for (const key of ['/x/manifest.json', 'ds//manifest.json', 'ds/x/y/manifest.json', 'ds/x/y'])
      assert.equal(flat().parseManifestKey(key), undefined, key);
  });

  it('a parsed key is always the key it came from', () => {
    const part = fc.constantFrom(
      'datasets',
      'ds',
      'snapshots',
      'segments',
      'partitions',
      'k=v',
      '',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const key = [...parts, 'manifest.json'].join('/');
        const file = [...parts, 'data', 'x'].join('/');
        for (const layout of [defaultLayout(), flat(), hive('k')]) {
          const data = layout.parseDataKey(file);
          if (data !== undefined)
            assert.equal(
              layout.dataKey(data.dataset, data.snapshot, data.partition, data.file),
              file,
              layout.name,
            );
          const found = layout.parseManifestKey(key);
          if (found !== undefined)
            assert.equal(
              layout.manifestKey(found.dataset, found.snapshot, found.partition),
              key,
              layout.name,
            );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('tells data files from everything else', () => {
    for (const layout of [defaultLayout(), flat(), hive('k')]) {
      for (const partition of layout.name === 'hive' ? ['', 'k=v', 'k=v/l=w'] : ['']) {
        const address = { dataset: 'ds', snapshot: id, partition, file: 'data.gz' };
        const key = layout.dataKey('ds', id, partition, 'data.gz');
        assert.deepEqual(layout.parseDataKey(key), address);
        for (const other of [`${key}/`, `x/${key}`, key.replace('/data/', '/dat/'), 'ds/latest'])
          assert.equal(layout.parseDataKey(other), undefined, other);
        assert.equal(layout.parseDataKey(layout.manifestKey('ds', id, partition)), undefined);
      }
    }
  });

  it('names where other layouts would keep a manifest', () => {
    assert.deepEqual(manifestKeysElsewhere(defaultLayout(), 'ds', id), [
      { layout: 'hive', key: `datasets/ds/segments/${id}/manifest.json` },
      { layout: 'flat', key: `ds/${id}/manifest.json` },
    ]);
  });
});

describe('names', () => {
  const hostile = ['', '.', '..', 'a/b', 'a\\b', 'a\0', 'a\n', '\x7f', '\x9f', '\ud800', '../up'];

  it('ids that a path could interpret are refused (E-21)', () => {
    for (const bad of hostile) {
      assert.throws(() => assertDatasetId(bad), invalid, JSON.stringify(bad));
      assert.throws(() => assertSnapshotId(bad), invalid, JSON.stringify(bad));
      assert.throws(() => hive(bad), invalid, JSON.stringify(bad));
    }
    assert.throws(() => assertSnapshotId('latest'), invalid);
    assert.throws(() => assertDatasetId(7 as unknown as string), invalid);
  });

  it('ordinary ids pass', () => {
    for (const good of ['events', 'a.b', '...', 'é', '日本', '😀', 'a b', '__proto__', 'latest'])
      assertDatasetId(good);
    assertSnapshotId(id);
  });

  it('hive keys are named, single and unambiguous', () => {
    assert.throws(() => (hive as (...keys: string[]) => unknown)(), invalid);
    assert.throws(() => hive('a=b'), invalid);
    assert.throws(() => hive('a', 'b', 'a'), invalid);
  });
});
