/**
 * R11: answers lost after the server has acted, at every byte of the answer's head, every retry cut as well; and races lost for
 * real, whose answers are lost too. No false conflict, no doubled write, no real conflict taken for a success.
 */
import type { Bar } from '../../bench/harness.ts';
import { isLodeError, type PutMode, type PutResult } from '../../src/index.ts';
import { s3Store, type S3Store } from '../../src/s3.ts';
import { s3Double, type S3Act, type S3Double } from '../../src/testing/index.ts';
import { seededRandom } from '../../src/testing/random.ts';

const partBytes = 5 * 1024 * 1024;

interface Tally {
  lost: number;
  races: number;

  open: number;
  readonly faults: string[];
}

interface Shape {
  readonly name: string;
  readonly operation: 'PutObject' | 'CompleteMultipartUpload';
  readonly body: () => Uint8Array | AsyncIterable<Uint8Array>;
}

const large = new Uint8Array(partBytes + 10);
async function* streamed(): AsyncGenerator<Uint8Array> {
  yield large;
}
const shapes: readonly Shape[] = [
  { name: 'put', operation: 'PutObject', body: () => new Uint8Array(100).fill(7) },
  { name: 'put of nothing', operation: 'PutObject', body: () => new Uint8Array(0) },
  { name: 'parts', operation: 'CompleteMultipartUpload', body: streamed },
];

interface Bench {
  readonly double: S3Double;
  readonly store: S3Store;
  readonly tally: Tally;
}

/** The put lands and its answer is cut after `bytes`; so are the answers to the first retries. */
async function lose(
  { double, store, tally }: Bench,
  shape: Shape,
  swap: boolean,
  bytes: number,
): Promise<void> {
  const key = `lost/${tally.lost}`;
  const mode = await start(double, store, key, swap);
  const before = landings(double, key);
  const cuts: S3Act[] = [bytes, bytes, bytes].map((head) => ({ cut: { head } }));
  double.script({ on: shape.operation, key, do: cuts.slice(0, 1 + (tally.lost % 3)) });
  const what = `${shape.name}, ${swap ? 'ifMatch' : 'create'}, cut at ${bytes}`;
  tally.lost++;
  const result = await put(store, key, shape, mode);
  if (result === 'open') tally.faults.push(`${what}: left open`);
  else if (result.outcome !== 'stored') tally.faults.push(`${what}: a false conflict`);
  else if (result.etag !== double.objects.get(key)?.etag) tally.faults.push(`${what}: wrong etag`);
  if (landings(double, key) - before !== 1) tally.faults.push(`${what}: landed twice`);
}

/** Somebody else writes first; the answer that says so is cut as well. */
async function race(
  { double, store, tally }: Bench,
  shape: Shape,
  swap: boolean,
  bytes: number,
): Promise<void> {
  const key = `race/${tally.races}`;
  const mode = await start(double, store, key, swap);
  const old = tally.races % 2 === 0;
  if (old) double.stepClock(-60_000);
  double.put(key, 'theirs');
  if (old) double.stepClock(60_000);
  const cut: S3Act = { cut: { head: bytes } };
  double.script({ on: shape.operation, key, do: tally.races % 3 === 0 ? {} : cut });
  tally.races++;
  const result = await put(store, key, shape, mode);
  const what = `race, ${shape.name}, ${swap ? 'ifMatch' : 'create'}, cut at ${bytes}`;
  if (result === 'open') tally.open++;
  else if (result.outcome === 'stored') tally.faults.push(`${what}: a conflict was masked`);
  if (result === 'open' && old) tally.faults.push(`${what}: left open, though it could be told`);
  if (double.text(key) !== 'theirs') tally.faults.push(`${what}: overwrote the winner`);
}

async function start(
  double: S3Double,
  store: S3Store,
  key: string,
  swap: boolean,
): Promise<PutMode> {
  double.clear();
  if (!swap) return 'create';
  double.put(key, 'before');
  return { ifMatch: (await store.head(key))?.etag ?? '' };
}

/** Successful writes of this key, as the server saw them. */
function landings(double: S3Double, key: string): number {
  const writes = ['PutObject', 'CompleteMultipartUpload'];
  return double.requests.filter(
    (one) => one.key === key && writes.includes(one.operation) && one.status === 200,
  ).length;
}

async function put(
  store: S3Store,
  key: string,
  shape: Shape,
  mode: PutMode,
): Promise<PutResult | 'open'> {
  try {
    return await store.put(key, shape.body(), { mode });
  } catch (error) {
    if (isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return 'open';
    throw error;
  }
}

export const bar: Bar = {
  id: 'R11',
  title: 'lost responses: no false conflict, no double, no masked conflict',
  async run({ release, seed, log }) {
    const wanted = release ? 1000 : 100;
    const random = seededRandom(seed);
    const double = await s3Double({ etags: 'version' });
    const { bucket, endpoint, credentials } = double;
    const store = s3Store({
      bucket,
      endpoint,
      credentials,
      conditions: 'assume',
      partBytes,
      parallelParts: 1,
      backoff: { baseDelayMs: 0, maxDelayMs: 0 },
    });
    const tally: Tally = { lost: 0, races: 0, open: 0, faults: [] };
    try {
      // Every byte of the head in turn; parts are dear, so each byte gets them now and then.
      const headBytes = await lengthOfHead(double, store);
      for (let i = 0; tally.lost < wanted || tally.races < wanted; i++) {
        const shape = shapes[i % 10 === 9 ? 2 : i % 2] ?? shapes[0];
        const bytes = i < headBytes ? i : Math.floor(random() * headBytes);
        const bench = { double, store, tally };
        if (shape !== undefined) await lose(bench, shape, random() < 0.5, bytes);
        if (shape !== undefined) await race(bench, shape, random() < 0.5, bytes);
      }
    } finally {
      await store.close();
      await double.close();
    }
    for (const fault of tally.faults.slice(0, 20)) log(`FAILED ${fault}`);
    log(`seed ${seed}; of the races, ${tally.open} could not be told and were said to be open`);
    return {
      outcome: tally.faults.length === 0 ? 'pass' : 'fail',
      figure: `${tally.lost} lost answers and ${tally.races} races, ${tally.faults.length} faults`,
    };
  },
};

async function lengthOfHead(double: S3Double, store: S3Store): Promise<number> {
  await store.put('length', 'x');
  return double.requests.at(-1)?.headBytes ?? 0;
}
