/** R9: many processes commit to one dataset in one directory, and some of them are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fsStore } from '../../src/fs.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import { LineProcess } from '../interop/line-process.ts';

const worker = fileURLToPath(new URL('../interop/race-worker.js', import.meta.url));

export interface RaceOptions {
  readonly processes: number;
  readonly commits: number;
  /** How many are killed, one after another, while the others go on. */
  readonly kills?: number;
  readonly random?: () => number;
}

export interface Race {
  readonly acked: number;
  readonly refused: number;
  /** Snapshots in the history. */
  readonly snapshots: number;
  /** Longest time after a kill until somebody else's commit was acknowledged, in milliseconds. */
  readonly stalledMs: number;
  readonly wrong: readonly string[];
}

interface Line {
  readonly ready?: true;
  readonly acked?: string;
  readonly failed?: string;
  readonly done?: true;
}

export async function race(
  root: string,
  { processes, commits, kills = 0, random = Math.random }: RaceOptions,
): Promise<Race> {
  const acked: string[] = [];
  const wrong: string[] = [];
  let refused = 0;
  let stalledMs = 0;
  /** When somebody was killed and nobody has been acknowledged since. */
  let killedAt: number | undefined;
  let running = processes;
  let killed = 0;

  const one = async (n: number): Promise<void> => {
    const spec = JSON.stringify({ root, dataset: 'd', commits, writer: `writer ${n}` });
    await using racer = new LineProcess(spawn(process.execPath, [worker, spec]));
    // Those to be killed die after a few commits each, at any moment of the next.
    const doomedAfter = n < kills ? 1 + Math.floor(random() * (commits / 2)) : Infinity;
    let own = 0;
    let isDead = false;
    for await (const value of racer.lines()) {
      const line = value as Line;
      if (line.ready) racer.send('go');
      if (line.failed !== undefined) refused++;
      if (line.done) own = commits;
      if (line.acked === undefined) continue;
      acked.push(line.acked);
      own++;
      // Told before its death, and read after it.
      if (isDead) continue;
      if (killedAt !== undefined) stalledMs = Math.max(stalledMs, performance.now() - killedAt);
      killedAt = undefined;
      if (own < doomedAfter) continue;
      await after(random() * 4);
      await racer.kill();
      killed++;
      if (running > 1) killedAt ??= performance.now();
      isDead = true;
    }
    running--;
    if (running === 0 || (running <= 1 && own < commits)) killedAt = undefined;
    if (doomedAfter === Infinity && own < commits)
      wrong.push(`writer ${n} ended at ${own}: ${racer.complaint}`);
  };
  await Promise.all(Array.from({ length: processes }, (_, n) => one(n)));
  if (killed < kills) wrong.push(`${killed} of ${kills} were killed`);
  const snapshots = await look(root, acked, wrong, kills);
  return { acked: acked.length, refused, snapshots, stalledMs, wrong };
}

/** One chain that holds everything acknowledged; besides it only what the killed could not report. */
async function look(
  root: string,
  acked: readonly string[],
  wrong: string[],
  kills: number,
): Promise<number> {
  const store = fsStore(root);
  const dataset = await openDataset('d', { store, codec: jsonl() });
  const chain: string[] = [];
  let expected: string | undefined;
  for await (const { id, manifest } of dataset.snapshots()) {
    if (chain.length > 0 && id !== expected) wrong.push(`${id} instead of ${expected}`);
    expected = manifest.parentSnapshotId;
    chain.push(id);
  }
  if (expected !== undefined) wrong.push(`${expected} is missing`);
  const ids = new Set(chain);
  if (ids.size !== chain.length) wrong.push('a snapshot is there twice');
  for (const id of acked) if (!ids.has(id)) wrong.push(`${id}, acknowledged, is lost`);
  if (chain.length > acked.length + kills || chain.length < acked.length)
    wrong.push(`${chain.length} snapshots for ${acked.length} commits`);
  const pointer = await (await store.get('datasets/d/latest'))?.bytes();
  if (new TextDecoder().decode(pointer) !== chain[0]) wrong.push('the pointer is not the last');
  const lock = await stat(lockOf(root)).catch(() => undefined);
  if (lock?.isFile() !== true) wrong.push('latest.lock is gone');
  // A lock that is left must not keep the next one out.
  const start = performance.now();
  await dataset.latest();
  await dataset.write([{ after: 'all' }]);
  if (performance.now() - start > 2_000) wrong.push('the next commit had to wait');
  return chain.length;
}

function lockOf(root: string): string {
  return join(root, 'datasets', 'd', 'latest.lock');
}

/** Holds the lock of the pointer as any program may; resolves to what lets go of it. */
export async function holdLock(root: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', ['--no-fork', lockOf(root), 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(holder, 'exit');
  await once(holder.stdout, 'data');
  return async () => {
    holder.kill('SIGKILL');
    await gone;
  };
}
