/**
 * What an installed package does on any Node line: plain JavaScript, no test runner; prints one line, or fails.
 *
 * Datasets in memory and in a directory, with every codec, compressor and checksum (the surface test says which there have
 * to be), raw bytes, a lost race, damage found, and the reader.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lode from 'lode';
import { fsStore } from 'lode/fs';
import { parquet } from 'lode/parquet';

const { hive, isLodeError, jsonl, memoryStore, openDataset, openReader } = lode;
const present = new Map(Object.entries(lode));
const components = (...names) => names.map((name) => present.get(name)).filter(Boolean);
const checksums = components('md5', 'sha256', 'crc32c', 'blake3');
const compressors = components('none', 'gzip', 'zstd');
const codecs = [() => jsonl(), () => parquet({ day: 'string', n: 'int32' })];
const records = Array.from({ length: 100 }, (_, n) => ({ day: `2026-01-0${1 + (n % 3)}`, n }));
const byNumber = (a, b) => a.n - b.n;

const folder = mkdtempSync(join(tmpdir(), 'lode-smoke-'));
let datasets = 0;
try {
  for (const store of [memoryStore(), fsStore(folder)]) {
    for (const codec of codecs)
      for (const compressor of compressors.length > 0 ? compressors : [undefined])
        for (const checksum of checksums)
          await roundTrip(store, codec(), compressor?.(), checksum());
    await bytes(store);
    await race(store);
    await damage(store);
    await reader(store);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`ok on node ${process.version}: ${datasets} datasets`);

async function roundTrip(store, codec, compressor, checksum) {
  const options = { store, codec, layout: hive('day'), checksum };
  if (compressor !== undefined) options.compressor = compressor;
  const dataset = await openDataset(`d${datasets++}`, options);
  const { id } = await dataset.write(records, { source: 'smoke' });
  assert.deepEqual((await dataset.read(id)).sort(byNumber), records);
  const some = [];
  for await (const { n } of dataset.records(id, { partition: 'day=2026-01-02' })) some.push(n);
  assert.equal(some.length, 33);
  assert.equal((await dataset.latest()).id, id);
  await dataset.close();
}

async function bytes(store) {
  const blobs = await openDataset('blobs', { store });
  const writer = await blobs.streamWrite({ kind: 'text' });
  await writer.write(new TextEncoder().encode('hello '));
  await writer.write(new TextEncoder().encode('world'));
  const { id } = await writer.commit();
  assert.equal(new TextDecoder().decode((await blobs.read(id))[0]), 'hello world');
}

async function race(store) {
  const open = () => openDataset('race', { store, codec: jsonl() });
  const [a, b] = [await open(), await open()];
  await a.write([{ n: 1 }]);
  await b.write([{ n: 2 }]);
  await assert.rejects(a.write([{ n: 3 }]), (e) => isLodeError(e, 'LODE_SNAPSHOT_CONFLICT'));
}

async function damage(store) {
  const dataset = await openDataset('damage', { store, codec: jsonl() });
  const { id, manifest } = await dataset.write([{ n: 1 }]);
  await store.put(manifest.files[0].path, '{"n":2}\n', { mode: 'overwrite' });
  await assert.rejects(dataset.read(id), (e) => isLodeError(e, 'LODE_CHECKSUM_MISMATCH'));
}

async function reader(store) {
  const names = [];
  for await (const name of (await openReader({ store })).datasets()) names.push(name);
  assert.deepEqual(names, ['blobs', 'damage', 'race']); // and none of the other layout
}
