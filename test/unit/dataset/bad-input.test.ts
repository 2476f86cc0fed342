/** At risk: an untyped error, half a snapshot, a hang, or silence, where somebody hands in what cannot be right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hive, openDataset } from '../../../src/dataset/index.ts';
import { gzip, jsonl, zstd } from '../../../src/encoding/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { parquet } from '../../../src/parquet.ts';
import { memoryStore } from '../../../src/store/index.ts';
import { hostileKeys } from '../../../src/testing/index.ts';
import { all, fails, keysOf, manifestKey, onBoth, replace, textOf, typed } from './bed.ts';
import type { Row } from './bed.ts';

void describe('names', () => {
  void it('of datasets that are hostile are refused, and nothing is stored', async () => {
    const bad = ['', '.', '..', 'a/b', '../x', 'a\\b', 'a\0b', 'a\nb', '\ud800', '/etc', 'x\u0085'];
    const store = memoryStore();
    for (const id of bad)
      await fails(openDataset(id, { store, codec: jsonl() }), 'LODE_INVALID_ARGUMENT');
    for (const id of [undefined, null, 7, {}])
      await fails(openDataset(id as never, { store, codec: jsonl() }), 'LODE_INVALID_ARGUMENT');
    for (const { key } of hostileKeys) {
      const verdict = await typed(
        openDataset<Row>(key, { store, codec: jsonl() }).then((d) => d.write([{ n: 1 }])),
      );
      const stored = await keysOf(store);
      for (const name of stored) assert.ok(name.startsWith('datasets/'), `${name} by ${key}`);
      if (verdict !== 'fine') assert.deepEqual(stored, [], key);
      await store.delete(stored);
    }
  });

  onBoth('of snapshots that are hostile are refused before they become a key', async (bed) => {
    const dataset = await bed.records();
    const { id } = await dataset.write([{ n: 1 }]);
    for (const bad of ['', '.', '..', '../..', 'a/b', 'latest', '\0', '\ud800', `${id}/../${id}`]) {
      for (const call of [
        () => dataset.snapshot(bad),
        () => dataset.read(bad),
        () => all(dataset.records(bad)),
        () => dataset.verify({ snapshot: bad }),
        () => dataset.copyTo(memoryStore(), { snapshot: bad }),
      ]) {
        await fails(call() as Promise<unknown>, 'LODE_INVALID_ARGUMENT');
      }
      await fails(dataset.records({ since: bad }), 'LODE_NOT_FOUND');
      await fails(dataset.write([], {}, { expectedParent: bad }), 'LODE_SNAPSHOT_CONFLICT');
    }
  });
});

void describe('records', () => {
  const cyclic: Row = { n: 1 };
  cyclic['self'] = cyclic;
  const bad: readonly (readonly [string, unknown])[] = [
    ['NaN', { n: Number.NaN }],
    ['Infinity', { n: Infinity }],
    ['a cycle', cyclic],
    ['a function', { n: () => 1 }],
    ['a symbol', { n: Symbol('s') }],
    ['undefined itself', undefined],
    ['a lone surrogate in a key', { '\ud800': 1 }],
  ];
  for (const [name, record] of bad) {
    onBoth(`that are ${name} are named by their place, and nothing is kept`, async (bed) => {
      const dataset = await bed.records();
      for (const start of [
        () => dataset.write([{ n: 1 }, record as Row]),
        () => dataset.streamWriteRecords([{ n: 1 }, record as Row]),
      ]) {
        const write = start();
        const code = await typed(write);
        if (code === 'fine') {
          // Accepted: then it has to read back as itself.
          const { id } = await dataset.latest();
          assert.equal((await dataset.read(id)).length, 2);
          continue;
        }
        assert.equal(code, 'LODE_INVALID_RECORD');
        const error = await fails(write, 'LODE_INVALID_RECORD');
        assert.equal(error.details.record, 1);
        assert.deepEqual(await keysOf(bed.store), []);
      }
    });
  }

  onBoth('a schema refuses are named, and nothing is kept', async (bed) => {
    const codec = parquet({ id: 'int32', name: 'string' });
    const dataset = await bed.records({ codec: codec as never });
    for (const row of [
      { id: 3e9, name: 'x' },
      { id: 1 },
      { id: 1.5, name: 'x' },
      { id: 1, name: 5 },
    ]) {
      const error = await fails(
        dataset.write([{ id: 1, name: 'ok' }, row]),
        'LODE_SCHEMA_VIOLATION',
      );
      assert.equal(error.details.record, 1);
      assert.ok(error.details.field);
    }
    assert.deepEqual(await keysOf(bed.store), []);
  });

  onBoth('without their partition value are named, and nothing is kept', async (bed) => {
    const dataset = await bed.records({ layout: hive('k') });
    for (const k of [undefined, 1.5, {}, [], Number.NaN, '\ud800', () => 1]) {
      const error = await fails(dataset.write([{ k: 'a' }, { k }]), 'LODE_INVALID_RECORD');
      assert.deepEqual([error.details.record, error.details.field], [1, 'k']);
      await fails(dataset.streamWriteRecords([{ k: 'a' }, { k }]), 'LODE_INVALID_RECORD');
    }
    for (const record of [null, 7, 'text']) {
      await fails(dataset.write([record as never]), 'LODE_INVALID_RECORD');
    }
    assert.deepEqual(await keysOf(bed.store), []);
  });

  onBoth('that are no array, or no iterable, are refused', async (bed) => {
    const dataset = await bed.records();
    for (const records of [null, undefined, 7, 'text', {}, new Map()]) {
      await fails(dataset.write(records as never), 'LODE_INVALID_ARGUMENT');
      if (!(records instanceof Map))
        await fails(dataset.streamWriteRecords(records as never), 'LODE_INVALID_ARGUMENT');
    }
    assert.deepEqual(await keysOf(bed.store), []);
  });
});

void describe('a data file', () => {
  const rows = Array.from({ length: 500 }, (_, n) => ({ n, text: 'some text' }));
  for (const compressor of [undefined, gzip(), zstd()]) {
    const name = compressor?.name ?? 'noop';
    for (const verify of [true, false]) {
      onBoth(
        `(${name}) that is cut or altered is named${verify ? '' : ', or read as it is, unverified'}`,
        async (bed) => {
          const options = { verify, ...(compressor === undefined ? {} : { compressor }) };
          const dataset = await bed.records(options);
          const { id, manifest } = await dataset.write(rows);
          const [file] = manifest.files;
          const whole =
            (await (await bed.store.get(file?.path ?? ''))?.bytes()) ?? new Uint8Array(0);
          const flipped = whole.slice();
          flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 0x20;
          const longer = new Uint8Array([...whole, 0x20]);
          const damages = [
            whole.slice(0, 10),
            whole.slice(0, -1),
            new Uint8Array(0),
            longer,
            flipped,
          ];
          for (const [n, damage] of damages.entries()) {
            await replace(bed.store, file?.path ?? '', damage);
            for (const start of [() => dataset.read(id), () => all(dataset.records(id))]) {
              const read = start();
              const code = await typed(read);
              const isFlip = n === 4;
              if (!isFlip || verify)
                assert.match(code, /TRUNCATED|CHECKSUM_MISMATCH/, `damage ${n}`);
              const error = await read.catch((e: unknown) => e);
              if (isLodeError(error)) assert.equal(error.details.key, file?.path);
            }
          }
          await bed.store.delete(file?.path ?? '');
          const gone = await fails(dataset.read(id), 'LODE_NOT_FOUND');
          assert.equal(gone.details.key, file?.path);
        },
      );
    }
  }

  onBoth('that a manifest names outside the store is not read', async (bed) => {
    const dataset = await bed.records({ manifestChecksum: false, checksum: false });
    const { id, manifest } = await dataset.write([{ n: 1 }]);
    const text = (await textOf(bed.store, manifestKey(id))) ?? '';
    for (const path of ['../../etc/passwd', '/etc/passwd', 'a\\\\b', '']) {
      await replace(bed.store, manifestKey(id), text.replace(manifest.files[0]?.path ?? '', path));
      const reader = await bed.records();
      assert.match(await typed(reader.read(id)), /INVALID_KEY|MANIFEST_INVALID/);
      const { problems } = await reader.verify();
      assert.equal(problems.length, 1, path);
    }
  });
});
