/** A user's program, compiled as strictly as TypeScript can against the packed package (see user.test.ts). */
import {
  hive,
  isLodeError,
  jsonl,
  memoryStore,
  openDataset,
  openReader,
  sha256,
  type Checksum,
  type Codec,
  type Dataset,
  type LodeErrorCode,
  type Store,
} from 'lode';
import { parquet } from 'lode/parquet';

interface Visit {
  day: string;
  user: string;
  ms: number;
}

const store: Store = memoryStore();

export async function firstBytes(key: string, signal?: AbortSignal): Promise<Uint8Array> {
  const stored = await store.get(key, { range: { offset: 0, length: 4 }, signal });
  if (stored === undefined) return new Uint8Array();
  return stored.bytes();
}

export async function replace(key: string, text: string): Promise<LodeErrorCode | 'lost' | 'won'> {
  try {
    const info = await store.head(key);
    const mode = info === undefined ? 'create' : { ifMatch: info.etag };
    const { outcome } = await store.put(key, text, { mode });
    return outcome === 'stored' ? 'won' : 'lost';
  } catch (error) {
    if (isLodeError(error)) return error.code;
    throw error;
  }
}

export async function visits(): Promise<number> {
  await using dataset: Dataset<Visit> = await openDataset<Visit>('visits', {
    store,
    codec: jsonl(),
    layout: hive('day'),
    checksum: sha256(),
    retry: { attempts: 5 },
  });
  const { id, cost } = await dataset.write([{ day: '2026-01-01', user: 'ada', ms: 12 }], { a: 1 });
  let ms = cost.requests;
  for await (const visit of dataset.records(id, { where: { ms: { gt: 10 } }, columns: ['ms'] }))
    ms += visit.ms;
  for await (const { id: older } of dataset.snapshots()) if (older === id) break;
  return ms;
}

/** The schema types the records. */
export async function typed(): Promise<string[]> {
  const dataset = await openDataset('typed', {
    store,
    codec: parquet({ name: 'string', n: 'int32?' }),
  });
  const { id } = await dataset.write([{ name: 'ada', n: null }]);
  return (await dataset.read(id)).map(({ name }) => name);
}

/** Components of one's own. */
export const csv: Codec<string[]> = {
  name: 'csv',
  streaming: true,
  encoder: () => ({
    write: (row) => new TextEncoder().encode(`${row.join(',')}\n`),
    finish: () => new Uint8Array(),
  }),
  async *decode(file) {
    for await (const chunk of file.stream()) yield new TextDecoder().decode(chunk).split(',');
  },
};
export const length: Checksum = {
  name: 'length',
  hasher: () => {
    let size = 0;
    return { update: (bytes) => void (size += bytes.length), digest: () => size.toString(16) };
  },
};

export async function names(): Promise<string[]> {
  const reader = await openReader({ store });
  const found: string[] = [];
  for await (const name of reader.datasets()) found.push(name);
  return found;
}
