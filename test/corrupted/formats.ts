/** The persisted formats that are attacked: valid files to start from, and the reader that has to stand them. */
import { decodeManifest } from '../../src/dataset/manifest/index.ts';
import { encodeManifest } from '../../src/dataset/manifest/index.ts';
import { utf8Encode } from '../../src/bytes/index.ts';
import { defaultLayout, flat, hive } from '../../src/dataset/layout.ts';
import { goVectors } from '../interop/vectors.ts';
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

export const corruptedFormats: readonly CorruptedFormat[] = [manifests];
