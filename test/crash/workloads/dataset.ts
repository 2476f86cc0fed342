/** Commits of datasets on the fs store: records and bytes, written and streamed, alone and racing, in each layout. */
import { isDeepStrictEqual } from 'node:util';
import {
  defaultLayout,
  flat,
  hive,
  isLodeError,
  jsonl,
  openDataset,
  type DatasetManifest,
  type DatasetOptions,
  type Layout,
  type Snapshot,
} from '../../../src/index.ts';
import { judgeChain, type Found } from '../chain-judge.ts';
import { howItFailed } from '../marks.ts';
import { labEnv, type Lab, type Workload } from '../workload.ts';
import { keyOf, openFs, pathOf, rootImage } from './fs-root.ts';

const id = 'events';

interface Plan {
  readonly name: string;
  readonly layout: Layout;
  /** How commits are made; `bytes` for a dataset without codec. */
  readonly how: 'write' | 'stream' | 'bytes';
  /** Commits in a row of each writer, all writers at once. */
  readonly writers: readonly number[];
  /** Further attempts after a lost race. */
  readonly attempts: number;
}

interface Opened {
  commit(number: number): Promise<Snapshot>;
  /** What the history holds, oldest first. */
  history(): Promise<Found[]>;
}

interface Row {
  readonly commit: number;
  readonly row: number;
  readonly day: string;
}

const rowsOf = (commit: number): Row[] =>
  [0, 1, 2].map((row) => ({ commit, row, day: `day ${(commit + row) % 2}` }));

const bytesOf = (commit: number): Uint8Array =>
  Uint8Array.from({ length: 1300 }, (_, i) => (i * 7 + commit * 31) & 0xff);

async function openRecords(lab: Lab, plan: Plan): Promise<Opened> {
  const codec = jsonl<Row>();
  const dataset = await openDataset(id, { ...optionsOf(lab, plan), codec });
  return {
    commit: (commit) =>
      plan.how === 'stream'
        ? dataset.streamWriteRecords(rowsOf(commit), { commit })
        : dataset.write(rowsOf(commit), { commit }),
    history: () =>
      historyOf(dataset, async (snapshot, commit) => {
        const rows = await dataset.read(snapshot.id);
        return isDeepStrictEqual(
          rows.toSorted((a, b) => a.row - b.row),
          rowsOf(commit),
        );
      }),
  };
}

async function openBytes(lab: Lab, plan: Plan): Promise<Opened> {
  const dataset = await openDataset(id, optionsOf(lab, plan));
  return {
    async commit(commit) {
      await using writer = await dataset.streamWrite({ commit });
      const bytes = bytesOf(commit);
      for (let at = 0; at < bytes.length; at += 600) await writer.write(bytes.slice(at, at + 600));
      return await writer.commit();
    },
    history: () =>
      historyOf(dataset, async (snapshot, commit) =>
        isDeepStrictEqual(await dataset.read(snapshot.id), [bytesOf(commit)]),
      ),
  };
}

function optionsOf(
  { disk, env }: Lab,
  { layout, attempts }: Plan,
): Pick<DatasetOptions<unknown>, 'store' | 'env' | 'layout' | 'retry' | 'writers'> {
  // The lock of a disk in memory knows only this process.
  return { store: openFs(disk, env), env, layout, retry: { attempts }, writers: 'process' };
}

interface History {
  latest(): Promise<Snapshot>;
  snapshots(): AsyncIterable<Snapshot>;
}

async function historyOf(
  dataset: History,
  isWhole: (snapshot: Snapshot, commit: number) => Promise<boolean>,
): Promise<Found[]> {
  const found: Found[] = [];
  for await (const snapshot of dataset.snapshots()) {
    const number = Number(snapshot.manifest.metadata['commit']);
    found.push({ id: snapshot.id, number, whole: await isWhole(snapshot, number) });
  }
  const head = await dataset.latest().catch((error: unknown) => {
    if (isLodeError(error, 'LODE_NO_SNAPSHOTS')) return undefined;
    throw error;
  });
  if (head?.id !== found[0]?.id) throw new Error(`latest is ${head?.id}, not ${found[0]?.id}`);
  return found.reverse();
}

/** Every object that a commit promises. */
function keysOf(layout: Layout, manifest: DatasetManifest): string[] {
  const files = manifest.files.map(({ path }) => path);
  const partitions = new Set(files.map((path) => layout.partitionOf(path)));
  const manifests = ['', ...partitions].map((partition) =>
    layout.manifestKey(id, manifest.snapshotId, partition),
  );
  return [layout.pointerKey(id), ...new Set(manifests), ...files];
}

/** What the bytes under a key say exists: data files and the parent of a manifest, the manifest of a pointer. */
function referencesOf(layout: Layout, key: string | undefined, bytes: Uint8Array): string[] {
  if (key === undefined || bytes.length === 0) return [];
  const text = new TextDecoder().decode(bytes);
  if (key === layout.pointerKey(id)) return [layout.manifestKey(id, text.trim())];
  if (layout.parseManifestKey(key) === undefined) return [];
  const { files, parent_snapshot_id: parent } = JSON.parse(text) as {
    readonly files: readonly { readonly path: string }[];
    readonly parent_snapshot_id?: string;
  };
  const parents = parent ? [layout.manifestKey(id, parent)] : [];
  return [...parents, ...files.map(({ path }) => path)];
}

function workload(plan: Plan): Workload {
  const { layout, writers } = plan;
  const open = plan.how === 'bytes' ? openBytes : openRecords;
  const total = writers.reduce((sum, count) => sum + count, 0);

  async function commitAll(lab: Lab, first: number, count: number): Promise<void> {
    let dataset: Opened | undefined;
    for (let number = first; number < first + count; number++) {
      lab.mark(`begin ${number}`);
      try {
        dataset ??= await open(lab, plan);
        const { manifest } = await dataset.commit(number);
        lab.mark(`ack ${number} ${keysOf(layout, manifest).join(' ')}`);
      } catch (error) {
        lab.mark(`${howItFailed(error)} ${number} ${String(error)}`);
      }
    }
  }

  return {
    name: `dataset: ${plan.name}`,
    image: rootImage,
    async run(lab) {
      const firsts = writers.map((_, i) => writers.slice(0, i).reduce((sum, n) => sum + n, 0));
      await Promise.all(writers.map((count, i) => commitAll(lab, firsts[i] ?? 0, count)));
    },
    resume: (lab) => commitAll(lab, total, 2),
    async verify(disk, marks) {
      const dataset = await open({ disk, env: labEnv(0), mark: () => {} }, plan);
      judgeChain(await dataset.history(), marks);
    },
    rules: {
      promised(label) {
        const [what, , ...keys] = label.split(' ');
        if (what !== 'ack') return [];
        // The pointer may be on its way to the next commit of another writer: crash states judge that.
        const raced = writers.length > 1 ? layout.pointerKey(id) : undefined;
        return keys.filter((key) => key !== raced).map(pathOf);
      },
      published: (path) => keyOf(path) !== undefined,
      references: (path, bytes) => referencesOf(layout, keyOf(path), bytes).map(pathOf),
    },
  };
}

const byDay = hive('day');

export const datasetWorkloads: readonly Workload[] = [
  { name: 'writes', layout: defaultLayout(), how: 'write', writers: [4] },
  { name: 'writes, flat', layout: flat(), how: 'write', writers: [3] },
  { name: 'writes by partition', layout: byDay, how: 'write', writers: [3] },
  { name: 'streams of records', layout: defaultLayout(), how: 'stream', writers: [3] },
  { name: 'streams by partition', layout: byDay, how: 'stream', writers: [2] },
  { name: 'streams of bytes', layout: defaultLayout(), how: 'bytes', writers: [3] },
  { name: 'writers that race and retry', layout: defaultLayout(), how: 'write', writers: [2, 2] },
  { name: 'partitions that race', layout: byDay, how: 'stream', writers: [2, 1] },
  { name: 'writers that race once', layout: byDay, how: 'write', writers: [2, 1], attempts: 0 },
].map((plan) => workload({ attempts: 9, ...plan } as Plan));
