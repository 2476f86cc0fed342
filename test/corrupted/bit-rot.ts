/** Whole datasets and volumes, each byte of which matters: one byte is changed, and verification has to name the object it is in. */
import { defaultLayout, flat, hive, openDataset } from '../../src/dataset/index.ts';
import type { Dataset, DatasetOptions } from '../../src/dataset/index.ts';
import { blake3, crc32c, gzip, jsonl, md5, none, sha256, zstd } from '../../src/encoding/index.ts';
import type { VerifyReport } from '../../src/index.ts';
import { parquet } from '../../src/parquet.ts';
import { memoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/index.ts';
import { seededRandom, virtualEnv } from '../../src/testing/index.ts';

interface Row {
  readonly k: string;
  readonly n: number;
}

export interface Clean {
  readonly store: Store;
  readonly keys: readonly string[];
  readonly ids: readonly string[];
  open(): Promise<{ verify(): Promise<VerifyReport> }>;
}

type Random = () => number;

export const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T;

/** A dataset of a few snapshots, of random layout, codec, compressor and checksum; in memory unless a store is given. */
export async function cleanDataset(seed: number, given?: Store): Promise<Clean> {
  const random = seededRandom(seed);
  const env = virtualEnv({ seed });
  const store = given ?? memoryStore({ env });
  const options: DatasetOptions<Row> = {
    store,
    env,
    layout: pick(random, [defaultLayout(), flat(), hive('k')]),
    codec: pick(random, [jsonl<Row>(), jsonl<Row>(), parquet({ k: 'string', n: 'int32' })]),
    compressor: pick(random, [none(), gzip(), zstd()]),
    checksum: pick(random, [md5(), sha256(), crc32c(), blake3()]),
  };
  const open = (): Promise<Dataset<Row>> =>
    openDataset<Row>('ds', { ...options, codec: options.codec ?? jsonl<Row>() });
  const dataset = await open();
  const ids: string[] = [];
  for (let n = 0; n < 1 + random() * 4; n++) {
    const rows = Array.from({ length: Math.floor(random() * 30) }, (_, i) => ({
      k: pick(random, ['a', 'b', 'c/d']),
      n: i,
    }));
    ids.push((await dataset.write(rows, { n, note: 'x'.repeat(random() * 50) })).id);
  }
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return { store, keys, ids, open };
}

export interface Rot {
  readonly key: string;
  readonly offset: number;
  readonly from: number;
  readonly to: number;
  /** What verification named. */
  readonly named: readonly string[];
}

export const kindOf = (key: string): 'pointer' | 'manifest' | 'copy' | 'run' | 'data' =>
  key.endsWith('/latest')
    ? 'pointer'
    : !key.endsWith('/manifest.json')
      ? key.endsWith('.run')
        ? 'run'
        : 'data'
      : key.includes('/partitions/')
        ? 'copy'
        : 'manifest';

/** Changes one byte of one object, verifies with a new handle, and puts the byte back. `undefined`: nothing to change. */
export async function rotOnce(clean: Clean, random: Random): Promise<Rot | undefined> {
  const { store, keys, ids } = clean;
  // The few pointers and copies as often as the many manifests and files.
  const kind = pick(random, [...new Set(keys.map(kindOf))]);
  const key = pick(
    random,
    keys.filter((one) => kindOf(one) === kind),
  );
  const whole = await (await store.get(key))?.bytes();
  if (whole === undefined || whole.length === 0) return undefined;
  const offset = Math.floor(random() * whole.length);
  const from = whole[offset] ?? 0;
  const to = (from + 1 + Math.floor(random() * 255)) % 256;
  const rotten = whole.slice();
  rotten[offset] = to;
  // A pointer turned into one to an older snapshot is what a restored backup looks like: nothing tells them apart.
  if (kind === 'pointer' && ids.includes(String.fromCharCode(...rotten))) return undefined;
  await store.put(key, rotten, { mode: 'overwrite' });
  const named = await namedProblems(clean);
  await store.put(key, whole, { mode: 'overwrite' });
  return { key, offset, from, to, named };
}

/** Keys that verification finds fault with; a pointer so broken that nothing opens counts as named. */
async function namedProblems(clean: Clean): Promise<string[]> {
  const opened = await clean
    .open()
    .catch((error: unknown) => error as { details?: { key?: string } });
  if (!('verify' in opened)) return [String(opened.details?.key)];
  return (await opened.verify()).problems.map(({ key }) => key);
}

export const isLocated = ({ key, named }: Rot): boolean => named.length === 1 && named[0] === key;
