/**
 * P7: a dataset write of one record into a directory, against a raw loop that leaves the same files with the same safety:
 * the same directories made and synced, three files staged, synced and published, the pointer compared and replaced under
 * the same `flock`. Ours adds checks, JSON, digests, etags, and a look at each directory on the way.
 *
 * Without durability the raw loop is the same without the syncs. Beside it stand three files staged and renamed in one
 * directory that is there already: less than the layout allows anybody, since each snapshot has two directories of its own.
 */
import * as fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { flock } from '../../src/disk/node/flock.ts';
import { fsStore } from '../../src/fs.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import { compare, heldTo, warmedUp } from '../harness.ts';
import type { Bar, BarContext } from '../harness.ts';

const bars = { full: 0.8, none: 0.7 };
type Durability = keyof typeof bars;

const record = { id: 1, name: 'alpha', value: 3.25, ok: true };
const data = Buffer.from(`${JSON.stringify(record)}\n`);
/** As long as the manifest of such a write. */
const manifest = Buffer.alloc(620, ' ');

type Writes = (count: number) => Promise<void>;

/** A warm handle: the directories above the snapshots are there. */
async function ours(root: string, durability: Durability): Promise<Writes> {
  const store = fsStore(root, { durability });
  const dataset = await openDataset(durability, { store, codec: jsonl<typeof record>() });
  await dataset.write([record]);
  return async (count) => {
    for (let i = 0; i < count; i++) await dataset.write([record]);
  };
}

/** Sync of a file or a directory off the thread, where both sides make it. */
function sync(descriptor: number, how: typeof fs.fsync): Promise<void> {
  return new Promise((resolve, reject) =>
    how(descriptor, (error) => (error === null ? resolve() : reject(error))),
  );
}

async function syncDirectory(path: string): Promise<void> {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  await sync(descriptor, fs.fsync);
  fs.closeSync(descriptor);
}

/** Staged, synced, renamed, and the name synced. */
async function put(path: string, bytes: Uint8Array): Promise<void> {
  const staged = `${path}.staged`;
  const descriptor = fs.openSync(staged, 'wx+', 0o644);
  fs.writeSync(descriptor, bytes, 0, bytes.length, 0);
  await sync(descriptor, fs.fdatasync);
  fs.closeSync(descriptor);
  fs.renameSync(staged, path);
  await syncDirectory(dirname(path));
}

async function putPlain(path: string, bytes: Uint8Array): Promise<void> {
  const staged = `${path}.staged`;
  fs.writeFileSync(staged, bytes);
  fs.renameSync(staged, path);
}

async function putByPromises(path: string, bytes: Uint8Array): Promise<void> {
  const staged = `${path}.staged`;
  await fs.promises.writeFile(staged, bytes);
  await fs.promises.rename(staged, path);
}

/** What a write leaves behind, in the same order and under the same lock; with `durable`, as safely. */
function rawProtocol(root: string, durable: boolean): Writes {
  const home = fs.mkdtempSync(join(root, 'raw-'));
  const snapshots = join(home, 'snapshots');
  fs.mkdirSync(snapshots, { recursive: true });
  const pointer = join(home, 'latest');
  const how = durable ? put : putPlain;
  let next = 1_000_000_000_000_000_000n;
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const id = String(next++);
      const snapshot = join(snapshots, id);
      fs.mkdirSync(snapshot);
      if (durable) await syncDirectory(snapshots);
      fs.mkdirSync(join(snapshot, 'data'));
      if (durable) await syncDirectory(snapshot);
      await how(join(snapshot, 'data', 'data'), data);
      const lock = fs.openSync(`${pointer}.lock`, 'a+', 0o644);
      await flock(lock, pointer);
      if (fs.existsSync(pointer)) fs.readFileSync(pointer);
      await how(join(snapshot, 'manifest.json'), manifest);
      await how(pointer, Buffer.from(id));
      fs.closeSync(lock);
    }
  };
}

/** Three files in one directory, written whole under another name and renamed: less than any dataset can do. */
function rawFiles(root: string, putFile: typeof put): Writes {
  const at = fs.mkdtempSync(join(root, 'files-'));
  let next = 0;
  return async (count) => {
    for (let i = 0; i < count; i++, next++) {
      await putFile(join(at, `data-${next}`), data);
      await putFile(join(at, `manifest-${next}`), manifest);
      await putFile(join(at, 'latest'), Buffer.from(String(next)));
    }
  };
}

async function measureDurable(root: string, { release, log }: BarContext): Promise<number> {
  const count = release ? 100 : 10;
  const work = await ours(root, 'full');
  const raw = rawProtocol(root, true);
  const name = `durable, ${count} writes`;
  return (
    await compare(
      () => work(count),
      () => raw(count),
      { name, rounds: 21, log },
    )
  ).ratio;
}

async function measureNone(root: string, { release, log }: BarContext): Promise<number> {
  const count = release ? 200 : 20;
  const work = await ours(root, 'none');
  const against = async (name: string, raw: Writes, rounds: number): Promise<number> => {
    const options = { name: `not durable, ${count} writes, ${name}`, rounds, log };
    return (
      await compare(
        () => work(count),
        () => raw(count),
        options,
      )
    ).ratio;
  };
  const ratio = await against('same directories and lock', rawProtocol(root, false), 41);
  await against('3 renames alone', rawFiles(root, putPlain), 15);
  await against('3 renames alone by fs.promises', rawFiles(root, putByPromises), 9);
  return ratio;
}

export const bar: Bar = {
  id: 'P7',
  title: 'dataset write into a directory against raw loops with the same files',
  async run(context) {
    const root = await mkdtemp(join(tmpdir(), 'lode-p07-'));
    try {
      for (const durability of ['full', 'none'] as const)
        await warmedUp(async (warm) => (await ours(warm, durability))(2_000));
      const full = await heldTo(bars.full, () => measureDurable(root, context));
      const none = await heldTo(bars.none, () => measureNone(root, context));
      return {
        outcome: full.pass && none.pass ? 'pass' : 'fail',
        figure:
          `durable ${full.value.toFixed(2)} (bar ${bars.full.toFixed(2)}), ` +
          `not durable ${none.value.toFixed(2)} (bar ${bars.none.toFixed(2)})`,
      };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};
