/**
 * The budgets of a bucket, by what the server was asked: its own log counts, and every row's meter has to agree with it. Each
 * answer takes 50 ms of virtual time, so that depth and width are those of the wire.
 */
import { createMeter, memoryStore, withMeter } from '../../src/index.ts';
import type { Store } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import type { S3Store } from '../../src/s3.ts';
import { s3Double, virtualEnv } from '../../src/testing/index.ts';
import type { S3Double, S3LogEntry, S3Operation, VirtualEnv } from '../../src/testing/index.ts';
import { differences } from './check.ts';
import type { Finding } from './check.ts';
import { fill, isData, layouts, measure } from './rows.ts';
import type { Budget, Measured, Watch } from './rows.ts';

const latencyMs = 50;
const mebibyte = 1024 * 1024;
const partBytes = 5 * mebibyte;
const parallelParts = 4;

interface Room {
  readonly env: VirtualEnv;
  readonly double: S3Double;
  readonly store: S3Store;
  readonly watch: Watch;
}

/** Every row of a dataset, on top of S snapshots. */
export async function* s3Budgets(snapshots: number): AsyncGenerator<Finding> {
  for (const layout of Object.values(layouts)) {
    const filled = memoryStore();
    const env = virtualEnv();
    await fill({ store: filled, layout, env }, snapshots);
    await using room = await open(env);
    for await (const { key } of filled.list('')) {
      const object = isData(key) ? undefined : await filled.get(key);
      if (object !== undefined) room.double.put(key, await object.bytes());
    }
    // The proof that conditions work is asked for once a store: a row of its own, below.
    await room.store.put('proof', 'x');
    const { store, watch } = room;
    for await (const { name, measured, budget } of measure(
      { store, layout, env, watch },
      snapshots,
    ))
      yield { name, measured, differs: differences(measured, budget) };
  }
}

/** What the store's own calls ask. */
export async function* s3CallBudgets(): AsyncGenerator<Finding> {
  for (const { name, prepare, run, budget } of calls) {
    await using room = await open(virtualEnv());
    await prepare?.(room);
    room.watch.reset();
    await run(room);
    const measured = room.watch.seen();
    yield { name, measured, differs: differences(measured, budget) };
  }
}

async function open(env: VirtualEnv): Promise<Room & AsyncDisposable> {
  const double = await s3Double({ env, latencyMs });
  const { bucket, endpoint, credentials } = double;
  const store = s3Store({ bucket, endpoint, credentials, env, partBytes, parallelParts });
  return {
    env,
    double,
    store,
    watch: watching(store, double),
    async [Symbol.asyncDispose]() {
      await store.close();
      await double.close();
    },
  };
}

/** The log's figures. Throws when the meter, which callers see, says something else. */
function watching(store: Store, double: S3Double): Watch {
  const meter = createMeter();
  let before = meter.snapshot();
  return {
    store: withMeter(store, meter),
    reset() {
      double.clear();
      before = meter.snapshot();
    },
    seen() {
      const seen = summed(double);
      const { puts, gets, heads, lists, deletes } = meter.snapshot(before);
      for (const [what, told] of Object.entries({ puts, gets, heads, lists, deletes })) {
        const asked = seen[what as keyof Measured];
        // Parts and proofs are the adapter's own: the meter counts calls of the store.
        if (told !== asked && !double.requests.some(isOwn))
          throw new Error(`the meter says ${told} ${what}, the server had ${asked}`);
      }
      return seen;
    },
  };
}

const isOwn = ({ operation, key }: S3LogEntry): boolean =>
  operation === 'UploadPart' || key.startsWith('lode-probe-');

const kinds: Partial<Record<S3Operation, 'puts' | 'gets' | 'heads' | 'lists' | 'deletes'>> = {
  PutObject: 'puts',
  CreateMultipartUpload: 'puts',
  UploadPart: 'puts',
  CompleteMultipartUpload: 'puts',
  GetObject: 'gets',
  HeadObject: 'heads',
  ListObjectsV2: 'lists',
  DeleteObject: 'deletes',
  DeleteObjects: 'deletes',
};

function summed({ requests, depth }: S3Double): Measured {
  const counts = { puts: 0, gets: 0, heads: 0, lists: 0, deletes: 0 };
  let dataPuts = 0;
  let bytesUp = 0;
  let bytesDown = 0;
  for (const { operation, key, bytesIn, bodyBytes } of requests) {
    const kind = kinds[operation];
    if (kind === undefined) throw new Error(`nothing has a budget for ${operation}`);
    counts[kind]++;
    if (kind === 'puts' && isData(key)) dataPuts++;
    bytesUp += bytesIn;
    bytesDown += bodyBytes;
  }
  return { ...counts, dataPuts, depth, parallel: widest(requests), bytesUp, bytesDown };
}

/** Requests in flight at the widest moment. */
function widest(requests: readonly S3LogEntry[]): number {
  const steps = requests.flatMap(({ started, ended = Number.POSITIVE_INFINITY }) => [
    { at: started, by: 1 },
    { at: ended, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of steps.sort((a, b) => a.at - b.at)) most = Math.max(most, (now += by));
  return most;
}

interface Call {
  readonly name: string;
  readonly prepare?: (room: Room) => Promise<unknown> | void;
  readonly run: (room: Room) => Promise<unknown>;
  readonly budget: Budget;
}

function putMany({ double }: Room, count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `many/${String(i).padStart(5, '0')}`);
  for (const key of keys) double.put(key, 'x');
  return keys;
}

async function drain(entries: AsyncIterable<unknown>): Promise<void> {
  for await (const entry of entries) void entry;
}

const calls: readonly Call[] = [
  {
    name: 'first conditional put of a store, with the proof that conditions work',
    run: ({ watch }) => watch.store.put('a', 'x'),
    budget: { puts: 22, gets: 7, heads: 1, deletes: 2, depth: 18, parallel: 8 },
  },
  {
    name: 'put up to 20 MiB, overwriting: no proof is asked for',
    run: ({ watch }) => watch.store.put('a', new Uint8Array(3 * partBytes), { mode: 'overwrite' }),
    budget: { puts: 1, depth: 1, parallel: 1 },
  },
  {
    name: 'create, then replace, after the proof',
    prepare: ({ store }) => store.put('proof', 'x'),
    async run({ watch: { store } }) {
      const put = await store.put('a', 'x');
      if (put.outcome === 'stored') await store.put('a', 'y', { mode: { ifMatch: put.etag } });
    },
    budget: { puts: 2, depth: 2, parallel: 1 },
  },
  {
    name: 'create 26 MiB: looks, begins, 6 parts four at once, completes',
    prepare: ({ store }) => store.put('proof', 'x'),
    run: ({ watch }) => watch.store.put('a', new Uint8Array(26 * mebibyte)),
    budget: { heads: 1, puts: 8, depth: 5, parallel: parallelParts },
  },
  {
    name: 'get, whole and a range; head; get of what is not there',
    prepare: ({ double }) => double.put('a', 'content'),
    async run({ watch: { store } }) {
      await (await store.get('a'))?.bytes();
      await (await store.get('a', { range: { offset: 2, length: 2 } }))?.bytes();
      await store.head('a');
      await store.get('b');
    },
    budget: { gets: 3, heads: 1, depth: 4, parallel: 1 },
  },
  {
    name: 'list 2,500 keys',
    prepare: (room) => void putMany(room, 2_500),
    run: ({ watch }) => drain(watch.store.list('many/')),
    budget: { lists: 3, depth: 3, parallel: 1 },
  },
  {
    name: 'delete 2,500 keys',
    prepare: (room) => void putMany(room, 2_500),
    run: (room) => room.watch.store.delete(putMany(room, 2_500)),
    budget: { deletes: 3, depth: 1, parallel: 3 },
  },
  {
    name: 'delete one key',
    prepare: (room) => void putMany(room, 1),
    run: (room) => room.watch.store.delete('many/00000'),
    budget: { deletes: 1, depth: 1, parallel: 1 },
  },
];
