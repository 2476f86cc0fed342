/** The persisted formats of volumes: manifests in both forms, runs, pointers. */
import { utf8Decode, utf8Encode } from '../../src/bytes/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/index.ts';
import { BlockTable, overlapIn } from '../../src/volume/block-table.ts';
import { openVolume } from '../../src/volume/index.ts';
import type { Volume, VolumeOptions } from '../../src/volume/index.ts';
import { decodeManifest, encodeManifest } from '../../src/volume/manifest/index.ts';
import { decodeRun, encodeRun } from '../../src/volume/run.ts';
import { goVolumeVectors } from '../interop/vectors.ts';
import { exhaust, inStore } from './in-store.ts';
import type { CorruptedFormat, Whole } from './in-store.ts';
import { byteMutations, jsonMutations } from './mutate.ts';
import type { Mutation } from './mutate.ts';

const length = 2_000;

function open(store: Store, options: Partial<VolumeOptions> = {}): Promise<Volume> {
  // Without a seal, which would end most attacks at once: sealed manifests are attacked by themselves.
  const more = { settleMs: 0, manifestChecksum: false, ...options };
  return openVolume('vol', { store, length, blockBytes: 5, ...more });
}

/** Three snapshots; of a compact one the last two share a run. */
async function filled(options: Partial<VolumeOptions> = {}): Promise<Store> {
  const store = memoryStore();
  const volume = await open(store, options);
  for (const [offset, size] of [
    [0, 20],
    [500, 350],
    [100, 15],
  ] as const) {
    const staged = await volume.stageWriteAt(offset, new Uint8Array(size).fill(offset));
    await volume.commit([staged], { note: 'é'.repeat(offset / 100) });
  }
  return store;
}

function wholeOf(options: Partial<VolumeOptions>): Whole {
  const reader =
    (read: (volume: Volume) => Promise<unknown>) =>
    async (store: Store): Promise<unknown> =>
      read(await open(store));
  return {
    fill: () => filled(options),
    readers: [
      reader((volume) => volume.latest()),
      reader((volume) => exhaust(volume.snapshots())),
      reader((volume) => exhaust(volume.snapshots({ unreachable: true }))),
      reader(async (volume) => volume.readAt(await volume.latest(), 500, 350)),
      reader(async (volume) => volume.missing(await volume.latest())),
      reader((volume) => volume.verify()),
      // Without being told how long it is.
      async (store) => (await openVolume('vol', { store, settleMs: 0 })).latest(),
    ],
  };
}

/** Blocks in another order, or one of them again. */
const blocksMoved: Mutation = {
  name: 'blocks moved',
  apply(bytes, _, d) {
    const text = utf8Decode(bytes) ?? '';
    const blocks = text.match(/\{\s+"offset": [^}]*\}|\[\d+,\d+[^\]]*\]/g) ?? [''];
    const [from, to] = [d.pick(blocks), d.pick(blocks)];
    return utf8Encode(text.replace(to, () => from));
  },
};

const key = 'volumes/vol/snapshots/1/manifest.json';
const origins = new WeakMap<Uint8Array, { readonly volume: string; readonly snapshot: string }>();

const manifests: CorruptedFormat = {
  name: 'volume manifest',
  mutations: [blocksMoved, ...byteMutations, ...jsonMutations],
  async goldens() {
    const goldens: Uint8Array[] = [];
    const add = (bytes: Uint8Array): void => {
      const { volumeId: volume, snapshotId: snapshot } = decodeManifest(bytes, { key });
      origins.set(bytes, { volume, snapshot });
      goldens.push(bytes);
    };
    for (const { objects, case: name } of await goVolumeVectors()) {
      for (const [path, { text }] of Object.entries(objects)) {
        if (text === undefined || !path.endsWith('/manifest.json') || name === 'too-long') continue;
        add(utf8Encode(text));
        add(encodeManifest(decodeManifest(utf8Encode(text), { key }), { seal: true }));
      }
    }
    const compact = await filled({ manifests: 'compact' });
    for await (const { key: path } of compact.list('volumes/vol/snapshots/'))
      add((await (await compact.get(path))?.bytes()) ?? new Uint8Array());
    return goldens;
  },
  read(bytes, original) {
    const manifest = decodeManifest(bytes, { key, ...origins.get(original) });
    // What passes is usable: blocks in order, none over another, and all that is counted can be added up.
    const { blocks, totalLength } = manifest;
    if (!Number.isSafeInteger(blocks.bytes) || blocks.bytes > totalLength)
      throw new TypeError('more bytes than the volume has');
    if (blocks instanceof BlockTable && overlapIn(blocks) !== undefined)
      throw new TypeError('blocks overlap');
    if (blocks instanceof BlockTable && bytes.length < 100_000) encodeManifest(manifest);
  },
};

const counts = new WeakMap<Uint8Array, number>();

/** Past the digest, which would end every attack. */
const runs: CorruptedFormat = {
  name: 'run of blocks',
  mutations: byteMutations,
  async goldens() {
    return [1, 3, 200].map((count) => {
      const digests = [undefined, 'a'.repeat(32), `sha256:${'b'.repeat(64)}`, 'odd:1'];
      const spans = Array.from({ length: count }, (_, i) => ({
        offset: i * 9,
        length: 1 + (i % 9),
        checksum: digests[i % digests.length],
      }));
      const bytes = encodeRun(BlockTable.of(spans));
      counts.set(bytes, count);
      return bytes;
    });
  },
  read(bytes, original) {
    const table = decodeRun(bytes, {
      key: 'run',
      count: counts.get(original) ?? 0,
      totalLength: length,
    });
    if (overlapIn(table) !== undefined) throw new TypeError('blocks overlap');
    encodeRun(table);
  },
};

const compatible = wholeOf({});
const compact = wholeOf({ manifests: 'compact' });
const inPlace = [blocksMoved, ...byteMutations, ...jsonMutations];

export const volumeFormats: readonly CorruptedFormat[] = [
  manifests,
  runs,
  inStore(compatible, 'volume manifest in a chain', /manifest\.json$/, inPlace),
  inStore(compact, 'compact manifest in a chain', /manifest\.json$/, inPlace),
  inStore(compact, 'run in a volume', /\.run$/, byteMutations),
  inStore(compatible, 'pointer of a volume', /latest$/, byteMutations),
];
