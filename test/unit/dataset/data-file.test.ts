/** At risk: bytes that are not those committed reach a reader who believes them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { collect, utf8Encode } from '../../../src/bytes/index.ts';
import { openDataFile } from '../../../src/dataset/data-file.ts';
import type { DataFileOptions } from '../../../src/dataset/data-file.ts';
import type { ManifestFile } from '../../../src/dataset/manifest/index.ts';
import type { Checksum } from '../../../src/encoding/checksum.ts';
import type { Compressor } from '../../../src/encoding/compressor.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { memoryStore } from '../../../src/store/index.ts';
import type { Store } from '../../../src/store/index.ts';

const path = 'datasets/ds/snapshots/1/data/blob';
const sha256: Checksum = {
  name: 'sha256',
  hasher() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },
};
const noop: Compressor = {
  name: 'noop',
  extension: '',
  compress: (chunks) => chunks,
  decompress: (chunks) => chunks,
};
/** Every byte plus one: enough to see that it ran, and on what. */
const shifted: Compressor = {
  ...noop,
  name: 'shift',
  async *decompress(chunks) {
    for await (const chunk of chunks) yield chunk.map((byte) => byte + 1);
  },
};
const small = utf8Encode('hello world');
const large = new Uint8Array(3 * 1024 * 1024).map((_, i) => i * 7);

async function stored(bytes: Uint8Array): Promise<{ store: Store; file: ManifestFile }> {
  const store = memoryStore();
  await store.put(path, bytes);
  const checksum = createHash('sha256').update(bytes).digest('hex');
  return { store, file: { path, sizeBytes: bytes.length, checksum } };
}
const read = (
  store: Store,
  file: ManifestFile,
  options: Partial<DataFileOptions> = {},
): Promise<Uint8Array> =>
  collect(
    openDataFile(store, file, { compressor: noop, checksum: sha256, ...options }).stream(),
    2 ** 30,
    { key: path },
  );
const failing = async (
  work: Promise<unknown>,
  code: LodeErrorCode,
  details: Record<string, unknown> = {},
): Promise<void> => {
  await assert.rejects(
    work,
    (e) =>
      isLodeError(e, code) &&
      e.details.key === path &&
      Object.entries(details).every(
        ([name, value]) =>
          e.toJSON()['details'] !== undefined &&
          (e.details as Record<string, unknown>)[name] === value,
      ),
  );
};

for (const [size, content] of [
  ['small', small],
  ['large', large],
] as const) {
  describe(`a ${size} data file`, () => {
    it('is read whole', async () => {
      const { store, file } = await stored(content);
      assert.deepEqual(await read(store, file), content);
      assert.deepEqual(await read(store, file, { checksum: undefined }), content);
      assert.deepEqual(await read(store, file, { verify: false }), content);
    });

    it('with one other bit is not believed, unless asked to', async () => {
      const { store, file } = await stored(content);
      const damaged = content.slice();
      damaged[content.length >> 1] = (damaged[content.length >> 1] ?? 0) ^ 1;
      await store.put(path, damaged, { mode: 'overwrite' });
      await failing(read(store, file), 'LODE_CHECKSUM_MISMATCH', { expected: file.checksum });
      assert.deepEqual(await read(store, file, { verify: false }), damaged);
    });

    it('that is cut, longer or missing is said to be', async () => {
      const { store, file } = await stored(content);
      const { length } = content;
      await store.put(path, content.subarray(0, length - 1), { mode: 'overwrite' });
      await failing(read(store, file, { verify: false }), 'LODE_TRUNCATED', {
        expected: length,
        actual: length - 1,
        offset: length - 1,
      });
      await store.put(path, new Uint8Array(length + 1), { mode: 'overwrite' });
      await failing(read(store, file, { verify: false }), 'LODE_CHECKSUM_MISMATCH', {
        actual: length + 1,
      });
      const { readRange } = openDataFile(store, file, { compressor: noop });
      assert.ok(readRange !== undefined);
      await failing(readRange(0, 1), 'LODE_CHECKSUM_MISMATCH', { actual: length + 1 });
      await store.delete(path);
      await failing(read(store, file), 'LODE_NOT_FOUND');
      await failing(readRange(0, 1), 'LODE_NOT_FOUND');
    });

    it('is decompressed after it is verified', async () => {
      const { store, file } = await stored(content);
      const expected = content.map((byte) => byte + 1);
      assert.deepEqual(await read(store, file, { compressor: shifted }), expected);
      const open = openDataFile(store, file, { compressor: shifted });
      assert.equal(open.size, undefined);
      assert.equal(open.readRange, undefined);
    });

    it('gives ranges, all of one version', async () => {
      const { store, file } = await stored(content);
      const { readRange, size } = openDataFile(store, file, { compressor: noop });
      assert.ok(readRange !== undefined);
      assert.equal(size, content.length);
      assert.deepEqual(await readRange(3, 5), content.subarray(3, 8));
      assert.deepEqual(await readRange(content.length - 2, 100), content.subarray(-2));
      assert.deepEqual(await readRange(content.length, 1), new Uint8Array(0));
      assert.deepEqual(await readRange(0, 0), new Uint8Array(0));
      await store.put(path, new Uint8Array(content.length), { mode: 'overwrite' });
      await failing(readRange(0, 1), 'LODE_OBJECT_CHANGED');
    });

    it('stops when it is told to', async () => {
      const { store, file } = await stored(content);
      const reason = new Error('enough');
      await assert.rejects(
        read(store, file, { signal: AbortSignal.abort(reason) }),
        (e) => e === reason,
      );
    });
  });
}

it('a small damaged file hands out no byte, a large one fails at its end', async () => {
  for (const [content, before] of [
    [small, 0],
    [large, large.length],
  ] as const) {
    const { store, file } = await stored(content);
    await store.put(
      path,
      content.map((byte) => byte ^ 1),
      { mode: 'overwrite' },
    );
    let seen = 0;
    await assert.rejects(async () => {
      const data = openDataFile(store, file, { compressor: noop, checksum: sha256 });
      for await (const chunk of data.stream()) seen += chunk.length;
    });
    assert.equal(seen, before);
  }
});
