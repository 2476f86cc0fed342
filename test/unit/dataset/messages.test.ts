/** At risk: errors that are typed, and leave the caller none the wiser. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flat, hive, jsonl, openDataset } from '../../../src/index.ts';
import { bedOf, fails, onBoth, pointerKey, replace, manifestKey } from './bed.ts';

describe('errors say what to do', () => {
  onBoth('after a lost race of a stream: its bytes are gone', async (bed) => {
    const dataset = await bed.blobs();
    const writer = await dataset.streamWrite();
    await writer.write(new Uint8Array([1, 2, 3]));
    const { id } = await (await bed.blobs()).write([new Uint8Array([9])]);
    await dataset.latest();
    const late = await dataset.streamWrite(null, { expectedParent: null });
    await late.write(new Uint8Array([4]));
    const { message, details } = await fails(late.commit(), 'LODE_SNAPSHOT_CONFLICT');
    assert.match(message, /bytes are gone.*write them again/);
    assert.equal(details.actualHead, id);
    await writer.abort();
  });

  onBoth('about a parent that is not the head', async (bed) => {
    const dataset = await bed.records();
    await dataset.write([{ n: 1 }]);
    const write = dataset.write([{ n: 2 }], null, { expectedParent: '1234' });
    const { message } = await fails(write, 'LODE_SNAPSHOT_CONFLICT');
    assert.match(message, /not the snapshot given as expectedParent.*no snapshot ever had that id/);
  });

  it('about records where bytes are, and bytes where records are', async () => {
    const bed = bedOf('guarded put');
    const blobs = await bed.blobs();
    const streamed = blobs.streamWriteRecords([new Uint8Array(1)]);
    assert.match((await fails(streamed, 'LODE_INVALID_ARGUMENT')).message, /streamWrite\(\)/);
    const text = await fails(blobs.write(['text'] as never), 'LODE_INVALID_ARGUMENT');
    assert.equal(text.details.actual, '[string]');
    assert.match(text.message, /TextEncoder/);
    const records = await openDataset('rows', { store: bed.store, codec: jsonl() });
    const { id } = await records.write([{ n: 1 }]);
    const streaming = await fails(records.stream(id), 'LODE_INVALID_ARGUMENT');
    assert.match(streaming.message, /records\(\)/);
  });

  it('about a member without a value', async () => {
    const dataset = await bedOf('guarded put').records();
    const error = await fails(dataset.write([{ a: undefined }]), 'LODE_INVALID_RECORD');
    assert.match(error.message, /Leave it out, or use null/);
    const nan = await fails(dataset.write([{ a: Number.NaN }]), 'LODE_INVALID_RECORD');
    assert.doesNotMatch(nan.message, /Leave it out/);
  });

  it('about a time that is none', async () => {
    const dataset = await bedOf('guarded put').records({ timestamp: () => 'yesterday' });
    const { message } = await fails(dataset.write([{ a: 1 }]), 'LODE_INVALID_RECORD');
    assert.match(message, /RFC 3339.*nanoseconds/);
  });

  it('about a snapshot of another layout', async () => {
    const bed = bedOf('guarded put');
    const { id } = await (await bed.records({ layout: hive('day') })).write([{ day: 'a' }]);
    for (const layout of [undefined, flat()]) {
      const other = await bed.records(layout && { layout });
      await fails(other.read(id), 'LODE_LAYOUT_MISMATCH');
      await fails(other.snapshot(id), 'LODE_LAYOUT_MISMATCH');
      await fails(other.snapshot('1234'), 'LODE_NOT_FOUND');
    }
  });
});

describe('verification', () => {
  onBoth('says that there is nothing to verify', async (bed) => {
    await fails((await bed.records()).verify(), 'LODE_NO_SNAPSHOTS');
  });

  for (const [what, text] of [
    ['missing', undefined],
    ['empty', ''],
  ] as const) {
    onBoth(`reports a pointer that is ${what}, and repair restores it`, async (bed) => {
      const dataset = await bed.records();
      await dataset.write([{ n: 1 }]);
      if (text === undefined) await bed.store.delete([pointerKey]);
      else await replace(bed.store, pointerKey, text);
      const fresh = await bed.records();
      const { problems } = await fresh.verify();
      assert.deepEqual(
        problems.map(({ key, error }) => [key, error.code]),
        [[pointerKey, 'LODE_NOT_FOUND']],
      );
      await fresh.repair();
      assert.deepEqual((await fresh.verify()).problems, []);
    });
  }

  onBoth('lists a damaged head once', async (bed) => {
    const dataset = await bed.records();
    await dataset.write([{ n: 1 }]);
    const { id } = await dataset.write([{ n: 2 }]);
    for (const text of ['{', '{"schema_name":"lode-manifest"}', '']) {
      await replace(bed.store, manifestKey(id), text);
      const { problems } = await (await bed.records()).verify();
      assert.deepEqual(
        problems.map(({ key }) => key),
        [manifestKey(id)],
        text,
      );
    }
  });

  onBoth('lists a pointer that names junk once', async (bed) => {
    const dataset = await bed.records();
    await dataset.write([{ n: 1 }]);
    for (const text of ['junk', 'a/b', '\u0000', 'x'.repeat(2000), '1234']) {
      await replace(bed.store, pointerKey, text);
      const { problems } = await dataset.verify();
      assert.deepEqual(
        problems.map(({ key }) => key),
        [pointerKey],
        text.slice(0, 20),
      );
    }
  });
});
