/** The persisted formats that are attacked: valid files to start from, and the reader that has to stand them. */
import { readFile, readdir } from 'node:fs/promises';
import { utf8Decode, utf8Encode } from '../../src/bytes/index.ts';
import { defaultLayout, flat, hive, openDataset, openReader } from '../../src/dataset/index.ts';
import type { Dataset } from '../../src/dataset/index.ts';
import { decodeManifest, encodeManifest } from '../../src/dataset/manifest/index.ts';
import { jsonl } from '../../src/encoding/index.ts';
import { parquet } from '../../src/parquet.ts';
import { memoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/index.ts';
import { goVectors } from '../interop/vectors.ts';
import { smallParquetFiles } from '../unit/encoding/parquet-bombs.ts';
import { exhaust, inStore } from './in-store.ts';
import type { CorruptedFormat } from './in-store.ts';
import { journalFormats } from './journals.ts';
import type { Mutation } from './mutate.ts';
import { byteMutations, jsonMutations } from './mutate.ts';
import { volumeFormats } from './volumes.ts';

const key = 'datasets/d/snapshots/1/manifest.json';

async function manifestGoldens(): Promise<readonly Uint8Array[]> {
  const layouts = [defaultLayout(), hive('any'), flat()];
  const goldens: Uint8Array[] = [];
  for (const { objects } of await goVectors()) {
    for (const [path, { text }] of Object.entries(objects)) {
      if (text === undefined || !layouts.some((layout) => layout.parseManifestKey(path))) continue;
      const bytes = utf8Encode(text);
      goldens.push(bytes, encodeManifest(decodeManifest(bytes, { key }), { seal: true }));
    }
  }
  return goldens;
}

const names = new WeakMap<Uint8Array, { readonly dataset: string; readonly snapshot: string }>();

const manifests: CorruptedFormat = {
  name: 'dataset manifest',
  mutations: [...byteMutations, ...jsonMutations],
  goldens: manifestGoldens,
  read(bytes, original) {
    let origin = names.get(original);
    if (origin === undefined) {
      const { datasetId, snapshotId } = decodeManifest(original, { key });
      origin = { dataset: datasetId, snapshot: snapshotId };
      names.set(original, origin);
    }
    const manifest = decodeManifest(bytes, { key, ...origin });
    // What passes is usable: it can be written again, and counts can be added up.
    if (bytes.length < 100_000) encodeManifest(manifest);
    for (const { sizeBytes } of manifest.files)
      if (!Number.isSafeInteger(sizeBytes)) throw new TypeError('a size is not a size');
  },
};

/** A chain of three snapshots, of records of a few shapes. */
async function chain(): Promise<Store> {
  const store = memoryStore();
  // Without a seal, which would end most attacks at once: sealed manifests are attacked by themselves.
  const options = { store, codec: jsonl(), settleMs: 0, manifestChecksum: false };
  const dataset = await openDataset('d', options);
  for (const n of [1, 2, 3])
    await dataset.write([{ n, text: 'é'.repeat(n), list: [null, { a: 1.5 }] }, { n: -n }]);
  return store;
}

/** What reads a dataset, each by itself. */
const readers: readonly ((store: Store) => Promise<unknown>)[] = [
  async (store) => (await damaged(store)).latest(),
  async (store) => exhaust((await damaged(store)).snapshots()),
  async (store) => exhaust((await damaged(store)).snapshots({ unreachable: true })),
  async (store) => exhaust((await openReader({ store, verify: false })).manifests('d')),
  async (store) => exhaust((await damaged(store)).records({ since: undefined })),
  async (store) => (await damaged(store)).verify(),
];

function damaged(store: Store): Promise<Dataset<unknown>> {
  return openDataset('d', { store, codec: jsonl(), settleMs: 0, verify: false });
}

const dataset = { fill: chain, readers };

const parents: Mutation = {
  name: 'parents in a circle',
  apply(bytes, others, d) {
    const idOf = (json: Uint8Array): string =>
      /"snapshot_id": "(\d+)"/.exec(utf8Decode(json) ?? '')?.[1] ?? '';
    const text = utf8Decode(bytes) ?? '';
    const parent = `"parent_snapshot_id": "${idOf(d.pick(others))}"`;
    const unsealed = text.replace(/,\n {2}"manifest_checksum": "[^"]*"/, '');
    return utf8Encode(
      unsealed.includes('parent_snapshot_id')
        ? unsealed.replace(/"parent_snapshot_id": "\d*"/, parent)
        : unsealed.replace('"row_count"', `${parent}, "row_count"`),
    );
  },
};

/** Files of ours and of Go, in every compression, read with and without a schema. */
const parquetFiles: CorruptedFormat = {
  name: 'Parquet file',
  mutations: byteMutations,
  async goldens() {
    const folder = new URL('../../../test/vectors/parquet/', import.meta.url);
    const files = (await readdir(folder)).filter((name) => name.endsWith('.parquet'));
    const ofGo = await Promise.all(files.map((name) => readFile(new URL(name, folder))));
    const ours = await smallParquetFiles();
    return [...ours, ...ofGo.map((bytes) => new Uint8Array(bytes))];
  },
  async read(bytes) {
    for (const codec of [parquet(), parquet({ id: 'int64', name: 'string?' })])
      await exhaust(
        codec.decode({ key: 'd/data', size: bytes.length, stream: () => once(bytes) }, {}),
      );
  },
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const corruptedFormats: readonly CorruptedFormat[] = [
  manifests,
  inStore(dataset, 'manifest in a chain', /manifest\.json$/, [
    parents,
    ...byteMutations,
    ...jsonMutations,
  ]),
  inStore(dataset, 'pointer', /latest$/, byteMutations),
  inStore(dataset, 'JSONL data file', /data\/data$/, byteMutations),
  parquetFiles,
  ...volumeFormats,
  ...journalFormats,
];
