/**
 * GO-S3: against Go Lode with its own S3 adapter, on one MinIO, in turn: a commit of one record, a read of 64 files, the
 * head. Go times itself inside its process. They take turns after every call: what a put takes here changes by the second.
 *
 * The goal is 1.5. A commit cannot reach it on a server like this one: ours is three puts one after the other, Go's the same
 * three and a get, and a put, which is synced, takes ten times as long. Its floor says that we are not behind.
 * Reading 64 files, Go goes one by one, which costs more the farther away the server is.
 *
 * The same again 20 ms off, there and back: then the ratio is that of the requests that wait for one another. 65 to 3 for the
 * read, 2 to 1 for the head, and 4 to 3 for the commit, which is all there is: data, pointer and manifest have to follow one
 * another, and of Go's requests only the look at the pointer before it is replaced can be spared.
 */
import { gzip, hive, jsonl, md5, none, openDataset } from '../../src/index.ts';
import { s3Store, type S3Store } from '../../src/s3.ts';
import { goPeer } from '../../test/interop/go-peer.ts';
import type { GoBucket, GoDataset, GoSession } from '../../test/interop/go-peer.ts';
import { build } from '../../test/s3/servers/build.ts';
import { programs } from '../../test/s3/servers/programs.ts';
import { startServer } from '../../test/s3/servers/server.ts';
import { farAway } from '../far-away.ts';
import { heldTo, median, timed } from '../harness.ts';
import type { Bar, BarContext, BarResult } from '../harness.ts';

interface Row {
  readonly part: string;
  readonly n: number;
  readonly message: string;
}

interface Workload {
  readonly name: string;
  readonly work: 'write-small' | 'read-bulk' | 'latest';
  /** Files of a snapshot. */
  readonly files: number;
  readonly iterations: number;
  readonly rounds: number;
  /** Behind a way of 20 ms there and back. */
  readonly far?: true;
  /** The ratio it may not fall below. */
  readonly floor: number;
}

const loads: readonly Workload[] = [
  {
    name: 'commit of one record',
    work: 'write-small',
    files: 1,
    iterations: 1,
    rounds: 60,
    floor: 0.8,
  },
  {
    name: 'read of 64 files',
    work: 'read-bulk',
    files: 64,
    iterations: 1,
    rounds: 40,
    floor: 1.2,
  },
  { name: 'latest', work: 'latest', files: 1, iterations: 10, rounds: 40, floor: 1.2 },
];
const farLoads: readonly Workload[] = loads.map((load) => ({
  ...load,
  name: `${load.name}, 20 ms off`,
  far: true,
  iterations: 1,
  rounds: load.files > 1 ? 5 : 12,
  floor: { 'write-small': 1.1, 'read-bulk': 3, latest: 1.5 }[load.work],
}));
/** One way. */
const farMs = 10;

function rowsOf(files: number): Row[] {
  const message = 'the quick brown fox jumps over the lazy dog';
  return Array.from({ length: files === 1 ? 1 : files * 20 }, (_, n) => ({
    part: `p${n % files}`,
    n,
    message,
  }));
}

async function ourSide(store: S3Store, load: Workload): Promise<() => Promise<number>> {
  const { work, files, iterations } = load;
  const dataset = await openDataset<Row>(`ours-${work}${load.far ? '-far' : ''}`, {
    store,
    codec: jsonl<Row>(),
    compressor: files === 1 ? none() : gzip(),
    checksum: md5(),
    ...(files > 1 && { layout: hive('part') }),
  });
  const rows = rowsOf(files);
  const { id } = await dataset.write(rows);
  const once = {
    'write-small': () => dataset.write(rows),
    'read-bulk': () => dataset.read(id),
    latest: () => dataset.latest(),
  }[work];
  return () =>
    timed(async () => {
      for (let i = 0; i < iterations; i++) await once();
    });
}

async function goSide(go: GoSession, s3: GoBucket, load: Workload): Promise<() => Promise<number>> {
  const { work, files, iterations } = load;
  const spec: GoDataset = {
    s3,
    dataset: `go-${work}${load.far ? '-far' : ''}`,
    codec: 'jsonl',
    compressor: files === 1 ? 'noop' : 'gzip',
    checksum: 'md5',
    ...(files > 1 && { layout: 'hive', keys: ['part'] }),
  };
  const run = (what: string, times: number): Promise<{ nanoseconds: number }> =>
    go.request('bench', {
      ...spec,
      handle: `${work} ${s3.endpoint}`,
      records: rowsOf(files),
      work: what,
      iterations: times,
    });
  await run('write-bulk', 1);
  return async () => (await run(work, iterations)).nanoseconds / 1e6;
}

async function measure(go: GoSession, binary: string, context: BarContext): Promise<BarResult> {
  const [minio] = programs;
  if (minio === undefined) return { outcome: 'skip', figure: 'no server to measure on' };
  await using server = await startServer(minio, binary);
  await using far = await farAway(server.endpoint, farMs);
  await using nearStore = s3Store({ ...server, conditions: 'assume' });
  await using farStore = s3Store({ ...server, endpoint: far.endpoint, conditions: 'assume' });
  const { bucket, region, credentials } = server;
  const keys = { accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey };
  const figures: string[] = [];
  let passed = true;
  for (const load of [...loads, ...farLoads]) {
    const { endpoint } = load.far ? far : server;
    const ours = await ourSide(load.far ? farStore : nearStore, load);
    const theirs = await goSide(go, { endpoint, bucket, region, ...keys }, load);
    // Ours is compiled while it runs.
    for (let i = 0; i < (load.far ? 2 : 20); i++) await ours();
    for (let i = 0; i < (load.far ? 1 : 5); i++) await theirs();
    const { value, pass } = await heldTo(load.floor, async () => {
      const [a, b]: [number[], number[]] = [[], []];
      for (let round = 0; round < load.rounds * (context.release ? 4 : 1); round++) {
        a.push(await ours());
        b.push(await theirs());
      }
      const ratio = median(b.map((ms, i) => ms / (a[i] ?? Number.NaN)));
      const each = (side: number[]): string => (median(side) / load.iterations).toFixed(2);
      context.log(`${load.name}: ratio ${ratio.toFixed(2)}, ours ${each(a)} ms, Go ${each(b)} ms`);
      return ratio;
    });
    passed &&= pass;
    figures.push(`${load.name} ${value.toFixed(2)} (floor ${load.floor})`);
  }
  return {
    outcome: passed ? 'pass' : 'fail',
    figure: `ratios to Go on one MinIO, goal 1.5: ${figures.join(', ')}`,
  };
}

export const bar: Bar = {
  id: 'GO-S3',
  title: 'commit, read of 64 files and latest against Go Lode, in one bucket',
  async run(context) {
    const peer = await goPeer();
    if ('missing' in peer) return { outcome: 'skip', figure: `skipped: ${peer.missing}` };
    const [minio] = programs;
    const built = minio === undefined ? { missing: 'no server' } : await build(minio);
    if ('missing' in built) return { outcome: 'skip', figure: `skipped: ${built.missing}` };
    await using go = peer.serve();
    // Awaited here: the peer ends with this block.
    return await measure(go, built.binary, context);
  },
};
