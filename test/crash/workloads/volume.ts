/** Commits of volumes on the fs store: blocks one by one, several at once, racing, and staged anew after a crash. */
import { isDeepStrictEqual } from 'node:util';
import type { DiskImage, ImageNode } from '../../../src/disk/image.ts';
import { isLodeError, memoryStore, openVolume } from '../../../src/index.ts';
import type {
  Env,
  StagedRange,
  Store,
  Volume,
  VolumeManifest,
  VolumeSnapshot,
} from '../../../src/index.ts';
import { judgeChain, type Found } from '../chain-judge.ts';
import { howItFailed } from '../marks.ts';
import { labEnv, type Lab, type Workload } from '../workload.ts';
import { keyOf, openFs, pathOf, rootImage } from './fs-root.ts';

const id = 'disk';
const root = `volumes/${id}/`;
const pointerKey = `${root}latest`;
const manifestKeyOf = (snapshot: string): string => `${root}snapshots/${snapshot}/manifest.json`;

/** Every commit has a range of its own; the last is left to whoever goes on after a crash. */
const rangeBytes = 600;

interface Plan {
  readonly name: string;
  /** Commits in a row of each writer, all writers at once. */
  readonly writers: readonly number[];
  readonly attempts?: number;
  /** Longer ranges are several blocks. */
  readonly blockBytes?: number;
  /** Ranges arrive as streams, in two pieces staged at once. */
  readonly streams?: true;
  /** Somebody has staged other bytes for every other range, and is gone. */
  readonly strays?: true;
  /** Manifests are compact, and the volume is there with so many blocks that the first commit makes a run. */
  readonly compact?: true;
}

/** Of a compact volume: the most that a manifest holds itself. */
const blocksBefore = 64;
/** The number of the commit that made them. */
const before = -1;

/** The byte at each place is the same, whoever writes it. */
function bytesAt(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((offset + i) * 7 + ((offset + i) >> 8)) & 0xff);
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 250) yield bytes.subarray(at, at + 250);
}

async function workload(plan: Plan): Promise<Workload> {
  const { writers, attempts = 9, blockBytes = rangeBytes, streams, strays, compact } = plan;
  const total = writers.reduce((sum, count) => sum + count, 0);
  const own = (total + 1) * rangeBytes;
  const length = own + (compact ? 2 * blocksBefore : 0);

  const open = ({ disk, env }: Pick<Lab, 'disk' | 'env'>): Promise<Volume> =>
    openIn(openFs(disk, env), env);

  const openIn = (store: Store, env: Env): Promise<Volume> =>
    openVolume(id, {
      store,
      env,
      length,
      blockBytes,
      retry: { attempts },
      // The lock of a disk in memory knows only this process.
      writers: 'process',
      ...(compact && { manifests: 'compact' }),
    });

  /** A byte, a hole, and so on, behind the ranges of the commits. */
  async function filled(): Promise<DiskImage> {
    const store = memoryStore();
    const volume = await openIn(store, labEnv(99));
    const staged = await Promise.all(
      Array.from({ length: blocksBefore }, (_, i) => own + 2 * i).map((offset) =>
        volume.stageWriteAt(offset, bytesAt(offset, 1)),
      ),
    );
    await volume.commit(staged, { commit: before });
    return imageOf(store);
  }

  async function stage(volume: Volume, offset: number, count: number): Promise<StagedRange[]> {
    if (streams === undefined) return [await volume.stageWriteAt(offset, bytesAt(offset, count))];
    const half = count >> 1;
    return Promise.all([
      volume.stageWriteAt(offset, chunks(bytesAt(offset, half)), { length: half }),
      volume.stageWriteAt(offset + half, chunks(bytesAt(offset + half, count - half))),
    ]);
  }

  async function attempt(
    lab: Lab,
    number: number,
    commit: () => Promise<VolumeSnapshot>,
  ): Promise<void> {
    lab.mark(`begin ${number}`);
    try {
      const { manifest } = await commit();
      lab.mark(`ack ${number} ${keysOf(manifest).join(' ')}`);
    } catch (error) {
      lab.mark(`${howItFailed(error)} ${number} ${String(error)}`);
    }
  }

  async function commitAll(lab: Lab, first: number, count: number): Promise<void> {
    let volume: Volume | undefined;
    for (let number = first; number < first + count; number++) {
      await attempt(lab, number, async () => {
        volume ??= await open(lab);
        const staged = await stage(volume, number * rangeBytes, rangeBytes);
        return volume.commit(staged, { commit: number });
      });
    }
  }

  /** Everything that is missing, staged again and committed as one. */
  async function finish(lab: Lab): Promise<void> {
    const end = total * rangeBytes;
    await attempt(lab, total, async () => {
      const volume = await open(lab);
      const head = await volume.head();
      const gaps = volume.missing(head, { offset: 0, length: end });
      // By the ranges of the commits, as they were staged before.
      const pieces = gaps.flatMap((gap) =>
        Array.from({ length: gap.length / rangeBytes }, (_, i) => gap.offset + i * rangeBytes),
      );
      // With nothing left to do there is the last range.
      if (pieces.length === 0) pieces.push(end);
      const staged = await Promise.all(pieces.map((offset) => stage(volume, offset, rangeBytes)));
      return volume.commit(staged.flat(), { commit: total });
    });
  }

  async function leaveStrays(lab: Lab): Promise<void> {
    const volume = await open(lab);
    for (let number = 0; number <= total; number += 2) {
      const other = new Uint8Array(rangeBytes).fill(number);
      await volume.stageWriteAt(number * rangeBytes, other).catch((error: unknown) => {
        if (!isLodeError(error)) throw error;
      });
    }
  }

  return {
    name: `volume: ${plan.name}`,
    image: compact ? await filled() : rootImage,
    async run(lab) {
      if (strays) await leaveStrays(lab).catch(() => undefined);
      const firsts = writers.map((_, i) => writers.slice(0, i).reduce((sum, n) => sum + n, 0));
      await Promise.all(writers.map((count, i) => commitAll(lab, firsts[i] ?? 0, count)));
    },
    resume: finish,
    async verify(disk, marks) {
      judgeChain(await historyOf(await open({ disk, env: labEnv(0) }), total), marks);
    },
    rules: {
      promised(label) {
        const [what, , ...keys] = label.split(' ');
        if (what !== 'ack') return [];
        // The pointer may be on its way to the next commit of another writer: crash states judge that.
        const raced = writers.length > 1 ? pointerKey : undefined;
        return keys.filter((key) => key !== raced).map(pathOf);
      },
      published: (path) => keyOf(path) !== undefined,
      references: (path, bytes) => referencesOf(keyOf(path), bytes).map(pathOf),
    },
  };
}

/** Oldest first; whole when it has the range of its commit, all that its parent has, and every byte of that is right. */
async function historyOf(volume: Volume, total: number): Promise<Found[]> {
  const found: Found[] = [];
  let child: VolumeSnapshot | undefined;
  let head: string | undefined;
  for await (const snapshot of volume.snapshots()) {
    const number = Number(snapshot.manifest.metadata['commit']);
    const range = { offset: number * rangeBytes, length: rangeBytes };
    let whole =
      number >= total || number === before || volume.missing(snapshot, range).length === 0;
    for (const { offset, length } of volume.coverage(snapshot)) {
      const bytes = await volume.readAt(snapshot, offset, length, { verified: true });
      whole &&= isDeepStrictEqual(bytes, bytesAt(offset, length));
      const inChild = child && volume.missing(child, { offset, length });
      whole &&= inChild === undefined || inChild.length === 0;
    }
    if (number !== before) found.push({ id: snapshot.id, number, whole });
    else if (!whole) throw new Error('what was there before is not whole');
    child = snapshot;
    head ??= snapshot.id;
  }
  const latest = (await volume.head())?.id;
  if (latest !== head) throw new Error(`latest is ${latest}, not ${head}`);
  return found.reverse();
}

/** Every object that a commit promises. */
function keysOf({ snapshotId, blocks }: VolumeManifest): string[] {
  const paths = [...blocks.from(0)].map(
    ({ offset, length }) => `${root}data/${offset}-${length}.bin`,
  );
  return [pointerKey, manifestKeyOf(snapshotId), ...paths];
}

/** What the bytes under a key say exists: blocks and the parent of a manifest, the manifest of a pointer. */
function referencesOf(key: string | undefined, bytes: Uint8Array): string[] {
  if (key === undefined || bytes.length === 0) return [];
  if (key !== pointerKey && !key.endsWith('/manifest.json')) return [];
  const text = new TextDecoder().decode(bytes);
  if (key === pointerKey) return [manifestKeyOf(text.trim())];
  const manifest = JSON.parse(text) as {
    readonly blocks?: readonly { readonly path: string }[];
    readonly runs?: readonly (readonly [id: string])[];
    readonly recent?: readonly (readonly [offset: number, length: number])[];
    readonly parent_snapshot_id?: string;
  };
  const { blocks = [], runs = [], recent = [], parent_snapshot_id: parent } = manifest;
  return [
    ...(parent ? [manifestKeyOf(parent)] : []),
    ...blocks.map(({ path }) => path),
    ...runs.map(([run]) => `${root}runs/${run}.run`),
    ...recent.map(([offset, length]) => `${root}data/${offset}-${length}.bin`),
  ];
}

/** The directory of a store, as if all that it holds had been synced there. */
async function imageOf(store: Store): Promise<DiskImage> {
  type Directory = Map<string, ImageNode>;
  let inode = 2;
  const data: Directory = new Map();
  for await (const { key } of store.list('')) {
    const names = key.split('/');
    const name = names.pop() ?? '';
    let at = data;
    for (const folder of names) {
      const there = at.get(folder);
      const entries: Directory =
        there?.kind === 'directory' ? (there.entries as Directory) : new Map();
      if (there === undefined) at.set(folder, { kind: 'directory', inode: ++inode, entries });
      at = entries;
    }
    const bytes = (await (await store.get(key))?.bytes()) ?? new Uint8Array(0);
    at.set(name, { kind: 'file', inode: ++inode, bytes });
  }
  const entries: Directory = new Map([['data', { kind: 'directory', inode: 2, entries: data }]]);
  return { kind: 'directory', inode: 1, entries };
}

const plans: readonly Plan[] = [
  { name: 'a block a commit', writers: [4] },
  { name: 'several blocks a commit', writers: [3], blockBytes: 250 },
  { name: 'streams, staged at once', writers: [2], blockBytes: 250, streams: true },
  { name: 'around strays', writers: [3], strays: true },
  { name: 'writers that race and retry', writers: [2, 2] },
  { name: 'writers that race once', writers: [2, 1], attempts: 0 },
  { name: 'compact, a run', writers: [2], blockBytes: 300, compact: true },
  { name: 'compact, races', writers: [1, 1], compact: true },
];

export const volumeWorkloads: readonly Workload[] = await Promise.all(plans.map(workload));
