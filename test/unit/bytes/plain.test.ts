/** At risk: stored bytes that change afterwards, because a Buffer's `slice` shares memory where a Uint8Array's copies. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { byteSource } from '../../../src/bytes/index.ts';
import { gzip, memoryStore, openDataset } from '../../../src/index.ts';
import { parquet } from '../../../src/parquet.ts';
import { decode, encode } from '../encoding/parquet-files.ts';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe('a Buffer', () => {
  it('is a copy once it is stored', async () => {
    const store = memoryStore();
    const given = Buffer.from('hello');
    await store.put('whole', given);
    await store.put('streamed', [given]);
    await store.put('source', { ...byteSource('hello'), bytes: given });
    given.fill(0);
    for (const key of ['whole', 'streamed', 'source'])
      assert.equal(text(await (await store.get(key))?.bytes()), 'hello');
  });

  it('is a copy once its record is written', async () => {
    const codec = parquet({ raw: 'bytes' });
    const given = Buffer.from('hello');
    const encoder = codec.encoder();
    await encoder.write({ raw: given }, 0);
    given.fill(0);
    const [record] = await decode(codec, await encoder.finish());
    assert.equal(text(record?.raw), 'hello');
  });

  it('given as a file is read for what it shows, not for the pool it lies in', async () => {
    const codec = parquet({ n: 'int64', raw: 'bytes' });
    const records = [{ n: 1, raw: new Uint8Array([1, 2, 3]) }];
    const { bytes } = await encode(codec, records);
    assert.deepEqual(await decode(codec, Buffer.from(bytes)), records);
  });

  it('never comes back', async () => {
    const blobs = await openDataset('d', { store: memoryStore(), compressor: gzip() });
    const { id } = await blobs.write([Buffer.from('hello')]);
    const [blob] = await blobs.read(id);
    assert.equal(blob?.constructor, Uint8Array);
    for await (const chunk of byteSource(Readable.from([Buffer.from('hello')])).stream())
      assert.equal(chunk.constructor, Uint8Array);
  });
});
