/**
 * C3: walking a history of S snapshots asks for its pages of keys and its manifests, in parallel, and holds a page and the
 * manifests under way: eight bytes a snapshot grow with the history, nothing else does. The history is made up as it is
 * asked for, so that what is held is the walk's alone; it is weighed after a collection, ten times on the way.
 */
import {
  createMeter,
  defaultLayout,
  jsonl,
  memoryStore,
  openDataset,
  withMeter,
} from '../../src/index.ts';
import type { ObjectInfo, Store, StoredObject } from '../../src/index.ts';
import { cpuMs, curve, heldBytes } from '../curve.ts';
import type { Bar } from '../harness.ts';

const heldMax = 8 * 1024 * 1024;
const exponentMax = 1.1;
const width = 64;

type Row = { readonly id: number };
const codec = jsonl<Row>();
const layout = defaultLayout();
const firstId = 1_700_000_000_000_000_000n;
const idOf = (nth: number): string => String(firstId + BigInt(nth));

interface History {
  readonly store: Store;
  /** Manifests asked for and not answered yet, at most. */
  readonly widest: () => number;
}

/** A store with a history of any length: every manifest is the same but for its id and its parent. */
async function history(snapshots: number): Promise<History> {
  const memory = memoryStore();
  const dataset = await openDataset('bench', { store: memory, codec, manifestChecksum: false });
  await dataset.write([{ id: 1 }]);
  const { id } = await dataset.write([{ id: 2 }]);
  const parent = (await dataset.snapshot(id)).manifest.parentSnapshotId ?? '';
  const template = await textOf(memory, layout.manifestKey('bench', id));
  let open = 0;
  let widest = 0;

  const get: Store['get'] = async (key, options) => {
    const nth = numberOf(key);
    const body =
      nth === undefined
        ? idOf(snapshots - 1)
        : template.replaceAll(id, idOf(nth)).replaceAll(parent, idOf(nth - 1));
    widest = Math.max(widest, ++open);
    await Promise.resolve();
    open--;
    options?.signal?.throwIfAborted();
    return objectOf(key, Buffer.from(nth === 0 ? withoutParent(body) : body));
  };
  const list = async function* (prefix: string): AsyncGenerator<ObjectInfo> {
    for (let nth = 0; nth < snapshots; nth++)
      yield { prefix: `${prefix}${idOf(nth)}/` } as unknown as ObjectInfo;
  };
  const store: Store = {
    capabilities: { ...memory.capabilities, concurrency: width },
    get,
    list,
    put: (key, body, options) => memory.put(key, body, options),
    head: (key, options) => memory.head(key, options),
    delete: (keys, options) => memory.delete(keys, options),
  };
  return { store, widest: () => widest };
}

const numberOf = (key: string): number | undefined => {
  const address = layout.parseManifestKey(key);
  return address === undefined ? undefined : Number(BigInt(address.snapshot) - firstId);
};

const withoutParent = (manifest: string): string =>
  manifest.replace(/,?\s*"parent_snapshot_id":\s*"[^"]*"/, '');

async function textOf(store: Store, key: string): Promise<string> {
  return Buffer.from((await (await store.get(key))?.bytes()) ?? []).toString();
}

function objectOf(key: string, bytes: Uint8Array): StoredObject {
  return {
    key,
    size: bytes.length,
    etag: 'made up',
    lastModifiedMs: 0,
    range: { offset: 0, length: bytes.length },
    bytes: async () => bytes,
    async *stream() {
      yield bytes;
    },
    cancel: async () => {},
  };
}

interface Walk {
  readonly requests: number;
  readonly expected: number;
  readonly held: number;
  readonly widest: number;
}

async function walk(snapshots: number, weigh: boolean): Promise<Walk> {
  const meter = createMeter();
  const { store, widest } = await history(snapshots);
  const dataset = await openDataset('bench', { store: withMeter(store, meter), codec });
  const before = meter.snapshot();
  const base = weigh ? heldBytes() : 0;
  let held = 0;
  let seen = 0;
  for await (const snapshot of dataset.snapshots()) {
    void snapshot;
    if (++seen % (snapshots / 10) === 0 && weigh) held = Math.max(held, heldBytes() - base);
  }
  if (seen !== snapshots) throw new Error(`the walk met ${seen} of ${snapshots} snapshots`);
  const { requests } = meter.snapshot(before);
  return {
    requests,
    expected: Math.ceil(snapshots / 1000) + snapshots + 2,
    held,
    widest: widest(),
  };
}

export const bar: Bar = {
  id: 'C3',
  title: 'walking a history: requests and memory over the number of snapshots',
  async run({ release, log }) {
    const sizes = [10, 100, 1_000, 10_000, 100_000, ...(release ? [1_000_000] : [])];
    let exact = true;
    let most = 0;
    let widest = 0;
    for (const snapshots of sizes) {
      const walked = await walk(snapshots, true);
      log(
        `${snapshots} snapshots: ${walked.requests} requests (pages and manifests ${walked.expected}), ` +
          `${walked.widest} at once, ${(walked.held / 1024).toFixed(0)} KiB held`,
      );
      exact &&= walked.requests === walked.expected;
      widest = Math.max(widest, walked.widest);
      if (snapshots <= 100_000) most = Math.max(most, walked.held);
    }
    const name = 'ms of processor time, by snapshots';
    const timed = { name, sizes: [1_000, 3_000, 10_000, 30_000], rounds: 5, log };
    const { exponent } = await curve(timed, (size) => cpuMs(() => walk(size, false)));
    const pass = exact && widest <= width && most <= heldMax && exponent <= exponentMax;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure:
        `${(most / 2 ** 20).toFixed(2)} MiB held at 100,000 (bar 8), requests ${exact ? 'exact' : 'not exact'}, ` +
        `${widest} at once (bar ${width}), time exponent ${exponent.toFixed(2)} (bar ${exponentMax})`,
    };
  },
};
