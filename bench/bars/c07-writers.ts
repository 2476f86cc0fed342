/**
 * C7: W writers on one dataset, in memory, in a directory and in a bucket, each with a handle of its own that retries. Every commit
 * lands; together they get on; nobody tries too often; nobody starves. All in one process: the machine's cores do not
 * matter, what the writers do to each other does. Many processes are R9's.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsStore } from '../../src/fs.ts';
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { Store } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { limitedStore, s3Double } from '../../src/testing/index.ts';
import type { Bar, BarContext } from '../harness.ts';
import { heldTo, median } from '../harness.ts';

const writerCounts = [1, 2, 4, 8, 16, 64];
const shareMin = 0.5;
const lagMax = 5;

type Row = { readonly writer: number; readonly n: number };
const codec = jsonl<Row>();

interface Race {
  readonly perSecond: number;
  readonly attempts: number;
  /** The slowest writer's time over the median writer's. */
  readonly lag: number;
}

/** `commits` commits by `writers` writers in equal shares; every one of them must be in the history. */
async function race(store: Store, writers: number, commits: number): Promise<Race> {
  const each = commits / writers;
  const handles = await Promise.all(
    Array.from({ length: writers }, () =>
      openDataset('bench', { store, codec, retry: { attempts: 1_000 } }),
    ),
  );
  for (const handle of handles) await handle.latest().catch(() => undefined);
  const landed = new Set<string>();
  let retries = 0;
  const start = performance.now();
  const times = await Promise.all(
    handles.map(async (handle, writer) => {
      for (let n = 0; n < each; n++) {
        const snapshot = await handle.write([{ writer, n }]);
        landed.add(snapshot.id);
        retries += snapshot.retries;
      }
      return performance.now() - start;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  let found = 0;
  for await (const { id } of (await openDataset('bench', { store, codec })).snapshots())
    if (landed.has(id)) found++;
  if (landed.size !== commits || found !== commits)
    throw new Error(`${writers} writers: ${found} of ${commits} commits are in the history`);
  return {
    perSecond: commits / seconds,
    attempts: 1 + retries / commits,
    lag: Math.max(...times) / median(times),
  };
}

interface Place {
  readonly commits: number;
  readonly rounds: number;
  /** False: printed, without a bar. */
  readonly held: boolean;
  readonly counts: readonly number[];
  open(root: string): Promise<Store>;
}

function places(release: boolean, opened: AsyncDisposable[]): Record<string, Place> {
  const fresh = (root: string): Promise<string> => mkdtemp(join(root, 'store-'));
  return {
    memory: {
      commits: release ? 12_800 : 2_560,
      rounds: 5,
      held: true,
      counts: writerCounts,
      open: async () => memoryStore(),
    },
    directory: {
      commits: release ? 1_280 : 64,
      // A disk that others write to may take ten milliseconds a commit.
      rounds: release ? 5 : 2,
      held: true,
      counts: writerCounts,
      open: async (root) => fsStore(await fresh(root), { durability: 'none' }),
    },
    'memory, compare-and-swap alone': {
      commits: 64,
      rounds: 3,
      held: false,
      counts: [1, 4, 16],
      open: async () => limitedStore(memoryStore(), { guardedPut: false }),
    },
    'a bucket': {
      commits: release ? 256 : 32,
      rounds: release ? 3 : 1,
      held: false,
      counts: [1, 4, 16],
      async open() {
        const double = await s3Double();
        const { bucket, endpoint, credentials } = double;
        const store = s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
        opened.push(store, double);
        return store;
      },
    },
  };
}

async function measure(
  name: string,
  place: Place,
  root: string,
  { log }: BarContext,
): Promise<{ share: number; problems: string[] }> {
  const problems: string[] = [];
  const rates = new Map<number, number[]>();
  await race(await place.open(root), 4, place.commits);
  for (const writers of place.counts) {
    const races: Race[] = [];
    for (let round = 0; round < place.rounds; round++) {
      // One writer in turn with many: the machine is as busy for both.
      const alone = await race(await place.open(root), 1, place.commits);
      const together =
        writers === 1 ? alone : await race(await place.open(root), writers, place.commits);
      races.push(together);
      rates.set(writers, [...(rates.get(writers) ?? []), together.perSecond / alone.perSecond]);
    }
    const of = (what: keyof Race): number => median(races.map((one) => one[what]));
    log(
      `${name}, ${writers} writers: ${of('perSecond').toFixed(0)} commits/s, x ${median(rates.get(writers) ?? []).toFixed(2)} of one, ` +
        `${of('attempts').toFixed(2)} attempts a commit, slowest ${of('lag').toFixed(2)} x the median, load ${loadavg()[0]?.toFixed(1)}`,
    );
    if (!place.held) continue;
    if (of('attempts') > 1 + writers / 2)
      problems.push(`${name}: attempts with ${writers} writers`);
    if (of('lag') > lagMax) problems.push(`${name}: slowest of ${writers} writers`);
  }
  return { share: median(rates.get(16) ?? []), problems };
}

export const bar: Bar = {
  id: 'C7',
  title: 'writers on one dataset: throughput, attempts and fairness',
  async run(context) {
    const root = await mkdtemp(join(tmpdir(), 'lode-c07-'));
    const problems: string[] = [];
    const shares: string[] = [];
    const opened: AsyncDisposable[] = [];
    try {
      for (const [name, place] of Object.entries(places(context.release, opened))) {
        const { value, pass } = await heldTo(place.held ? shareMin : 0, async () => {
          const measured = await measure(name, place, root, context);
          problems.push(...measured.problems);
          return measured.share;
        });
        if (!pass) problems.push(`${name}: throughput of 16 writers`);
        if (place.held) shares.push(`${name} x ${value.toFixed(2)}`);
      }
    } finally {
      for (const one of opened) await one[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    }
    for (const problem of problems) context.log(`falls short: ${problem}`);
    return {
      outcome: problems.length === 0 ? 'pass' : 'fail',
      figure: `16 writers to one: ${shares.join(', ')} (bar ${shareMin}), all landed, ${problems.length} other shortfalls`,
    };
  },
};
