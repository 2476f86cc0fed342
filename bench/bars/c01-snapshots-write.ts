/**
 * C1: a write costs the same whether there are ten snapshots or ten thousand: in requests, in bytes, in time. Time is
 * processor time, all sizes in turn in one process. In memory, and in a bucket up to a thousand (ten thousand with
 * `--release`), where requests and bytes are what the server's log says and time is both sides'.
 */
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double } from '../../src/testing/index.ts';
import type { CommittedSnapshot, Dataset } from '../../src/index.ts';
import { cpuMs, curve } from '../curve.ts';
import type { Bar, BarContext } from '../harness.ts';
import { heldTo, median } from '../harness.ts';

const sizes = [10, 100, 1_000, 10_000];
const slowdownMax = 1.2;
const bytesSpreadMax = 0.05;
/** Writes measured a round: on several histories where they would otherwise outgrow the size they stand for. */
const writes = 200;

type Row = { readonly id: number };
const rows: readonly Row[] = [{ id: 1 }];

async function filled(snapshots: number): Promise<Dataset<Row>> {
  const dataset = await openDataset('bench', { store: memoryStore(), codec: jsonl<Row>() });
  for (let i = 0; i < snapshots; i++) await dataset.write(rows);
  return dataset;
}

/** Warm handles on histories of `size` snapshots, and how many writes each takes. */
async function histories(size: number): Promise<{ handles: Dataset<Row>[]; each: number }> {
  const each = Math.min(writes, size / 2);
  const handles = await Promise.all(Array.from({ length: writes / each }, () => filled(size)));
  return { handles, each };
}

interface Flatness {
  readonly pass: boolean;
  readonly shown: string;
}

function flatness(
  where: string,
  slowdown: { readonly value: number; readonly pass: boolean },
  requests: ReadonlySet<number>,
  bytes: readonly number[],
): Flatness {
  const spread = Math.max(...bytes) / Math.min(...bytes) - 1;
  const constant = requests.size === 1 && requests.has(3) && spread <= bytesSpreadMax;
  return {
    pass: slowdown.pass && constant,
    shown:
      `${where}: time x ${(1 / slowdown.value).toFixed(2)} (bar ${slowdownMax}), ` +
      `${[...requests].join(', ')} requests (bar 3), bytes ± ${(spread * 100).toFixed(1)} % (bar 5 %)`,
  };
}

async function inMemory({ log }: BarContext): Promise<Flatness> {
  const large = await histories(10_000);
  const costs = new Map<number, CommittedSnapshot['cost'][]>(sizes.map((size) => [size, []]));
  const measure = async (size: number): Promise<number> => {
    const { handles, each } = size === 10_000 ? large : await histories(size);
    let last: CommittedSnapshot | undefined;
    const ms = await cpuMs(async () => {
      for (const handle of handles) for (let i = 0; i < each; i++) last = await handle.write(rows);
    });
    if (last !== undefined) costs.get(size)?.push(last.cost);
    return (ms * 1000) / writes;
  };
  const slowdown = await heldTo(1 / slowdownMax, async () => {
    const name = 'us of processor time a write, by snapshots';
    return 1 / (await curve({ name, sizes, rounds: 9, log }, measure)).lastToFirst;
  });
  const requests = new Set([...costs.values()].flat().map((cost) => cost.requests));
  const bytes = [...costs.values()].map((some) => median(some.map(({ bytesUp }) => bytesUp)));
  log(`requests a write: ${[...requests].join(', ')}; bytes a write: ${bytes.join(', ')}`);
  return flatness('in memory', slowdown, requests, bytes);
}

/** Writes measured a round and size in a bucket. */
const bucketWrites = 40;

async function inBucket({ log, release }: BarContext): Promise<Flatness> {
  const bucketSizes = sizes.filter((size) => release || size <= 1_000);
  const contents = new Map<number, [key: string, body: Uint8Array][]>();
  for (const size of bucketSizes) {
    const store = memoryStore();
    const dataset = await openDataset('bench', { store, codec: jsonl<Row>() });
    for (let i = 0; i < size; i++) await dataset.write(rows);
    const objects: [string, Uint8Array][] = [];
    for await (const { key } of store.list('')) {
      const object = await store.get(key);
      if (object !== undefined) objects.push([key, await object.bytes()]);
    }
    contents.set(size, objects);
  }
  const requests = new Set<number>();
  const bytes = new Map<number, number>();
  const measure = async (size: number): Promise<number> => {
    const each = Math.min(bucketWrites, size / 2);
    let ms = 0;
    for (let done = 0; done < bucketWrites; done += each) {
      await using double = await s3Double();
      for (const [key, body] of contents.get(size) ?? []) double.put(key, body);
      const { bucket, endpoint, credentials } = double;
      const store = s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
      const dataset = await openDataset('bench', { store, codec: jsonl<Row>() });
      await dataset.write(rows);
      double.clear();
      ms += await cpuMs(async () => {
        for (let i = 0; i < each; i++) await dataset.write(rows);
      });
      requests.add(double.requests.length / each);
      const up = double.requests.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
      bytes.set(size, up / each);
      await store.close();
    }
    return (ms * 1000) / bucketWrites;
  };
  const slowdown = await heldTo(1 / slowdownMax, async () => {
    const name = 'in a bucket, us of processor time a write, by snapshots';
    return 1 / (await curve({ name, sizes: bucketSizes, rounds: 5, log }, measure)).lastToFirst;
  });
  return flatness('in a bucket', slowdown, requests, [...bytes.values()]);
}

export const bar: Bar = {
  id: 'C1',
  title: 'the cost of a write over the number of snapshots',
  async run(context) {
    const found = [await inMemory(context), await inBucket(context)];
    return {
      outcome: found.every(({ pass }) => pass) ? 'pass' : 'fail',
      figure: found.map(({ shown }) => shown).join('; '),
    };
  },
};
