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
import type { Mutation } from './mutate.ts';
import { byteMutations, jsonMutations } from './mutate.ts';

export interface CorruptedFormat {
  readonly name: string;
  readonly mutations: readonly Mutation[];
  goldens(): Promise<readonly Uint8Array[]>;
  /** Returns when the bytes pass, throws what a user would see. `original` is the golden they come from. */
  read(bytes: Uint8Array, original: Uint8Array): void | Promise<void>;
}

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
async function chain(): Promise<{ readonly store: Store; readonly keys: readonly string[] }> {
  const store = memoryStore();
  // Without a seal, which would end most attacks at once: sealed manifests are attacked by themselves.
  const options = { store, codec: jsonl(), settleMs: 0, manifestChecksum: false };
  const dataset = await openDataset('d', options);
  for (const n of [1, 2, 3])
    await dataset.write([{ n, text: 'é'.repeat(n), list: [null, { a: 1.5 }] }, { n: -n }]);
  const keys: string[] = [];
  for await (const { key: name } of store.list('')) keys.push(name);
  return { store, keys };
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

async function exhaust(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** Damages the objects of one kind of a dataset that is otherwise whole. */
function inDataset(name: string, pattern: RegExp, mutations: readonly Mutation[]): CorruptedFormat {
  let turn = 0;
  const origins = new WeakMap<Uint8Array, { readonly store: Store; readonly key: string }>();
  return {
    name,
    mutations,
    async goldens() {
      const { store, keys } = await chain();
      const goldens: Uint8Array[] = [];
      for (const path of keys.filter((one) => pattern.test(one))) {
        const bytes = (await (await store.get(path))?.bytes()) ?? new Uint8Array();
        origins.set(bytes, { store, key: path });
        goldens.push(bytes);
      }
      return goldens;
    },
    async read(bytes, original) {
      const origin = origins.get(original);
      if (origin === undefined) throw new TypeError('a golden of another format');
      const { store, key: path } = origin;
      await store.put(path, bytes, { mode: 'overwrite' });
      try {
        await readers[turn++ % readers.length]?.(store);
      } finally {
        await store.put(path, original, { mode: 'overwrite' });
      }
    },
  };
}

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
  inDataset('manifest in a chain', /manifest\.json$/, [
    parents,
    ...byteMutations,
    ...jsonMutations,
  ]),
  inDataset('pointer', /latest$/, byteMutations),
  inDataset('JSONL data file', /data\/data$/, byteMutations),
  parquetFiles,
];
