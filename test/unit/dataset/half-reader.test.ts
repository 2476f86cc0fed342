/** At risk: streams into a store that stops reading: a disk that is full is reported as something else, or half a file committed. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { byteSource } from '../../../src/bytes/index.ts';
import { gzip, none } from '../../../src/encoding/index.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import type { PutResult, Store } from '../../../src/store/index.ts';
import { fails, keysOf, onBoth } from './bed.ts';

/** Does not compress. */
const noise = new Uint8Array(300_000).map((_, i) => (Math.imul(i + 1, 2_654_435_761) >>> 13) & 255);

void describe('a stream into a store that reads half of it', () => {
  for (const compressor of [none(), gzip()]) {
    onBoth(`says why a store gave up half way, ${compressor.name}`, async (bed) => {
      const full = new LodeError('LODE_STORAGE_FULL', 'no space', {});
      const store = halfReader(bed.store, () => {
        throw full;
      });
      const writer = await (await bed.blobs({ store, compressor })).streamWrite();
      await assert.rejects(
        async () => {
          for (let n = 0; n < 100; n++) await writer.write(noise);
        },
        (error) => error === full,
      );
      await assert.rejects(writer.commit(), (error) => error === full);
      const rows = Array.from({ length: 100 }, (_, n) => ({ n, text: noise.toString() }));
      const records = await bed.records({ store, compressor });
      await assert.rejects(records.streamWriteRecords(rows), (error) => error === full);
      assert.deepEqual(await keysOf(bed.store), []);
    });

    onBoth(`does not believe a store that read half, ${compressor.name}`, async (bed) => {
      const store = halfReader(bed.store, () => ({ outcome: 'stored', etag: '"half"' }));
      const writer = await (await bed.blobs({ store, compressor })).streamWrite();
      await assert.rejects(async () => {
        await writer.write(noise);
        await writer.write(noise);
        await writer.commit();
      }, isLodeError);
      await writer.close();
      await fails((await bed.blobs()).latest(), 'LODE_NO_SNAPSHOTS');
    });
  }
});

/** Reads one chunk of each data file that is streamed into it. */
function halfReader(store: Store, then: () => PutResult): Store {
  const put: Store['put'] = async (key, body, options) => {
    const source = byteSource(body);
    if (source.bytes !== undefined) return store.put(key, body, options);
    for await (const _ of source.stream()) break;
    return then();
  };
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (name === 'put') return put;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
