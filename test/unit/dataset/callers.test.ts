/** At risk: a snapshot that depends on what its writer does with its own objects meanwhile, and calls that wait for it for ever. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { hive } from '../../../src/dataset/index.ts';
import { jsonl } from '../../../src/encoding/index.ts';
import { openVolume } from '../../../src/index.ts';
import { fails, keysOf, onBoth } from './bed.ts';
import type { Row } from './bed.ts';

void describe('what a caller goes on using', () => {
  for (const layout of [undefined, hive('k')])
    onBoth(`is a list emptied for the next batch, ${layout?.partitioner}`, async (bed) => {
      const dataset = await bed.records(layout === undefined ? {} : { layout });
      const batch: Row[] = Array.from({ length: 40 }, (_, n) => ({
        k: String(n).padStart(2, '0'),
      }));
      const whole = [...batch];
      const writing = dataset.write(batch);
      batch.length = 0;
      batch.push({ k: 'of the next one' });
      const { id, manifest } = await writing;
      assert.equal(manifest.rowCount, 40);
      assert.deepEqual(await dataset.read(id), whole);
    });

  onBoth('is a list that grows while a large file is encoded', async (bed) => {
    const dataset = await bed.records();
    const batch: Row[] = Array.from({ length: 40 }, (_, n) => ({ n, text: 'x'.repeat(100_000) }));
    const writing = dataset.write(batch);
    batch.length = 1;
    const { id, manifest } = await writing;
    assert.equal(manifest.rowCount, 40);
    assert.equal((await dataset.read(id)).length, 40);
  });

  onBoth('is metadata', async (bed) => {
    const dataset = await bed.records();
    const metadata = { step: 1, at: new Date(0), lone: '\ud800', tags: ['a'] };
    const { id, manifest } = await dataset.write([{ n: 1 }], metadata);
    metadata.step = 2;
    metadata.tags.push('b');
    const stored = (await (await bed.records()).snapshot(id)).manifest.metadata;
    assert.deepEqual(stored, { step: 1, at: '1970-01-01T00:00:00Z', lone: '\ufffd', tags: ['a'] });
    assert.deepEqual(manifest.metadata, stored);
    assert.deepEqual((await dataset.latest()).manifest.metadata, stored);
  });

  onBoth('is metadata of a volume', async (bed) => {
    const volume = await openVolume('v', { store: bed.store, env: bed.env, length: 10 });
    const metadata = { step: 1 };
    await volume.commit([await volume.stageWriteAt(0, 'x')], metadata);
    metadata.step = 2;
    assert.deepEqual((await volume.latest()).manifest.metadata, { step: 1 });
  });

  onBoth('is the date that its timestamps are given in', async (bed) => {
    const one = new Date(0);
    const timestamp = ({ ms }: Row): Date => {
      one.setTime(ms as number);
      return one;
    };
    const dataset = await bed.records({ timestamp });
    const { manifest } = await dataset.write([
      { ms: 5000 },
      { ms: 1000 },
      { ms: 9000 },
      { ms: 2000 },
    ]);
    assert.equal(manifest.minTimestamp, '1970-01-01T00:00:01Z');
    assert.equal(manifest.maxTimestamp, '1970-01-01T00:00:09Z');
  });
});

void describe('what the code of a caller throws', () => {
  onBoth('comes back as it is, and nothing stays', async (bed) => {
    const reason = new Error('mine');
    const throws = (): never => {
      throw reason;
    };
    const getter = Object.defineProperty({}, 'n', { enumerable: true, get: throws }) as Row;
    const codec = { ...jsonl<Row>(), encoder: () => ({ write: throws, finish: throws }) };
    for (const [options, record] of [
      [{}, getter],
      [{ layout: hive('n') }, getter],
      [{ codec }, { n: 1 }],
      [{ timestamp: throws }, { n: 1 }],
    ] as const) {
      const write = (await bed.records(options)).write([record]);
      await assert.rejects(write, (error) => error === reason);
      assert.deepEqual(await keysOf(bed.store), []);
    }
  });
});

void describe('metadata that cannot be written', () => {
  onBoth('is refused before anything is uploaded for it', async (bed) => {
    const bad = { n: Number.NaN };
    const records = await bed.records();
    let asked = 0;
    const counted = (function* (): Generator<Row> {
      asked++;
      yield { n: 1 };
    })();
    await fails(records.streamWriteRecords(counted, bad), 'LODE_INVALID_RECORD');
    await fails((await bed.blobs()).streamWrite(bad), 'LODE_INVALID_RECORD');
    assert.equal(asked, 0);
  });

  onBoth(
    'because the manifest could not be read again leaves the history as it was',
    async (bed) => {
      const dataset = await bed.records({
        layout: hive('k'),
        limits: { manifest: { bytesMax: 3000, filesMax: 4 } },
      });
      const { id } = await dataset.write([{ k: 'a' }]);
      const before = await keysOf(bed.store);
      const long = await fails(
        dataset.write([{ k: 'a' }], { x: 'y'.repeat(3000) }),
        'LODE_LIMIT_EXCEEDED',
      );
      assert.equal(long.details.expected, 3000);
      const many = await fails(
        dataset.write(['a', 'b', 'c', 'd', 'e'].map((k) => ({ k }))),
        'LODE_LIMIT_EXCEEDED',
      );
      assert.equal(many.details.field, 'files');
      assert.deepEqual(await keysOf(bed.store), before);
      assert.equal((await dataset.write([{ k: 'b' }])).manifest.parentSnapshotId, id);
    },
  );
});

/** Yields and then never again; `return()` waits behind that, as in every async generator. */
async function* stuck<T>(item: T): AsyncGenerator<T> {
  yield item;
  await new Promise(() => {});
}

void describe('a source that hangs', () => {
  onBoth('of records is left alone at an abort', async (bed) => {
    for (const item of [{ k: 'held' }, { k: 'x'.repeat(300_000) }]) {
      const stop = new AbortController();
      const writing = (await bed.records()).streamWriteRecords(
        stuck(item),
        {},
        { signal: stop.signal },
      );
      setImmediate(() => stop.abort('enough'));
      await assert.rejects(writing, (error) => error === 'enough');
      assert.deepEqual(await keysOf(bed.store), []);
    }
  });

  for (const how of ['signal', 'abort', 'close'] as const)
    onBoth(`of bytes is left alone at an abort: ${how}`, async (bed) => {
      for (const size of [10, 300_000]) {
        const stop = new AbortController();
        const dataset = await bed.blobs();
        const writer = await dataset.streamWrite({}, { signal: stop.signal });
        const writing = writer.write(stuck(new Uint8Array(size)));
        setImmediate(() => {
          if (how === 'signal') stop.abort('enough');
          else void (how === 'abort' ? writer.abort() : dataset.close());
        });
        if (how === 'signal') await assert.rejects(writing, (error) => error === 'enough');
        else await fails(writing, 'LODE_CLOSED');
        await writer.close();
        assert.deepEqual(await keysOf(bed.store), []);
      }
    });
});
