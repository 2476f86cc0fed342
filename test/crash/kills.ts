/** R1: a process that commits is killed at a random point, another looks and goes on, and is killed in turn. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as after } from 'node:timers/promises';
import { defaultLayout, hive, jsonl, openDataset, openVolume } from '../../src/index.ts';
import type { Dataset, Volume } from '../../src/index.ts';
import { fsStore } from '../../src/fs.ts';
import { openJournal } from '../../src/journal.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { problemsOf } from '../problems.ts';
import { journalPlace, openKilled, problemOf } from './kill-journal.ts';

export interface Kills {
  kills: number;
  /** Of them, those that came while the process was still looking. */
  early: number;
  acks: number;
  /** Commits that were there though nobody had heard of them: killed between landing and saying so. */
  unheard: number;
  readonly lost: string[];
  readonly halfVisible: string[];
  readonly duplicates: string[];
  readonly failures: string[];
}

interface Found {
  readonly id: string;
  readonly name: string;
  readonly parent?: string;
  readonly digest: string;
  readonly problem?: string;
}

interface Line {
  readonly found?: readonly Found[];
  readonly dataset?: string;
  readonly looked?: true;
  readonly acked?: string;
  readonly name?: string;
  readonly digest?: string;
  readonly failed?: string;
}

const worker = fileURLToPath(new URL('kill-worker.js', import.meta.url));

/** What the worker commits to; those whose names say so are volumes. */
const places = ['plain', 'hive', 'blob', 'volume', 'volume-compact', journalPlace];

/** What the parent knows of one of them. */
class Ledger {
  head: string | undefined;
  /** Acknowledged since somebody last looked, with their digests. */
  readonly open = new Map<string, string>();
  readonly names = new Set<string>();
  acked = 0;

  /** The snapshots since the last look, oldest first. */
  take(found: readonly Found[], result: Kills): void {
    let parent = this.head;
    for (const snapshot of found) {
      const { id, name, digest, problem } = snapshot;
      if (snapshot.parent !== parent)
        result.lost.push(`${id} is on ${snapshot.parent}, not ${parent}`);
      if (problem !== undefined) result.halfVisible.push(`${id}: ${problem}`);
      if (this.names.has(name)) result.duplicates.push(`${name} again as ${id}`);
      this.names.add(name);
      const told = this.open.get(id);
      if (told === undefined) result.unheard++;
      else if (told !== digest) result.halfVisible.push(`${id} holds ${digest}, not ${told}`);
      this.open.delete(id);
      parent = id;
    }
    for (const id of this.open.keys()) result.lost.push(`${id} was acknowledged`);
    this.open.clear();
    this.head = parent;
  }
}

export async function killAndLook(root: string, wanted: number, seed: number): Promise<Kills> {
  const result: Kills = {
    kills: 0,
    early: 0,
    acks: 0,
    unheard: 0,
    lost: [],
    halfVisible: [],
    duplicates: [],
    failures: [],
  };
  await mkdir(root, { recursive: true });
  const ledgers = new Map(places.map((id) => [id, new Ledger()]));
  const random = seededRandom(seed);
  for (; result.kills < wanted; result.kills++) {
    await oneLife(root, result, ledgers, random);
    const { lost, halfVisible, duplicates, failures } = result;
    if (lost.length + halfVisible.length + duplicates.length + failures.length > 0) return result;
  }
  await lookAtAll(root, ledgers, result);
  return result;
}

async function oneLife(
  root: string,
  result: Kills,
  ledgers: ReadonlyMap<string, Ledger>,
  random: () => number,
): Promise<void> {
  const known = Object.fromEntries([...ledgers].map(([id, { head }]) => [id, head]));
  const child = spawn(
    process.execPath,
    [worker, root, String(result.kills * 1000), JSON.stringify(known)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const gone = once(child, 'exit');
  // Some are killed while they start or look, most after so many acknowledgements and a while.
  const early = random() < 0.05;
  let acksLeft = Math.floor(random() * 7);
  const delayMs = random() < 0.5 ? 0 : random() * 8;
  let looked = false;
  let dying: Promise<unknown> | undefined;
  const kill = (ms: number): void => {
    dying ??= after(ms).then(() => child.kill('SIGKILL'));
  };
  if (early) kill(30 + random() * 60);
  for await (const text of createInterface({ input: child.stdout })) {
    // The last line may be cut in the middle: what it says was not heard.
    if (!text.endsWith('}')) continue;
    const line = JSON.parse(text) as Line;
    const ledger = ledgers.get(line.dataset ?? '');
    if (line.found !== undefined) ledger?.take(line.found, result);
    if (line.looked) looked = true;
    if (line.failed !== undefined) result.failures.push(line.failed);
    if (line.acked !== undefined && line.digest !== undefined) {
      result.acks++;
      if (ledger !== undefined) ledger.acked++;
      ledger?.open.set(line.acked, line.digest);
      // A journal is so much faster that the others would never get to commit.
      if (line.dataset !== journalPlace) acksLeft--;
    }
    if (looked && acksLeft <= 0) kill(delayMs);
  }
  await dying;
  const [code, signal] = (await gone) as [number | null, string | null];
  if (signal !== 'SIGKILL') result.failures.push(`it ended by itself with ${code}`);
  if (!looked) result.early++;
}

/** In the end everything is looked at once more, from the beginning. */
async function lookAtAll(
  root: string,
  ledgers: ReadonlyMap<string, Ledger>,
  result: Kills,
): Promise<void> {
  for (const [id, ledger] of ledgers) {
    if (id === journalPlace) {
      await lookAtKilled(root, ledger, result);
      continue;
    }
    const place = await open(id, root);
    const all: string[] = [];
    for await (const snapshot of place.snapshots()) all.push(snapshot.id);
    for (const acked of ledger.open.keys())
      if (!all.includes(acked)) result.lost.push(`${acked} was acknowledged`);
    if (ledger.head !== undefined && !all.includes(ledger.head)) result.lost.push(ledger.head);
    const problems = await problemsOf(place);
    const reachable = new Set(all);
    // Killed in its first commit every time, it has no pointer yet, and maybe not every copy: the next commit makes them.
    const isUnnamed = problems.some(({ error }) => error.details.key === `datasets/${id}/latest`);
    for (const { snapshot, error } of ledger.acked === 0 && isUnnamed ? [] : problems) {
      if (snapshot === undefined || reachable.has(snapshot)) result.halfVisible.push(error.message);
    }
    if (all.length < ledger.names.size)
      result.lost.push(`${ledger.names.size - all.length} of ${id}`);
  }
}

async function lookAtKilled(root: string, ledger: Ledger, result: Kills): Promise<void> {
  const journal = await openKilled({ openJournal }, root);
  try {
    const last = journal.state.names.length;
    for (const acked of [...ledger.open.keys(), ledger.head ?? '0'])
      if (Number(acked) > last) result.lost.push(`event ${acked} of ${last} was acknowledged`);
    const { problems } = await journal.verify();
    const wrong = [problemOf(journal.state), ...problems.map(({ message }) => message)];
    result.halfVisible.push(...wrong.filter((text) => text !== undefined));
  } finally {
    await journal.close();
  }
}

function open(id: string, root: string): Promise<Dataset<unknown> | Volume> {
  const store = fsStore(root);
  if (id.startsWith('volume')) return openVolume(id, { store, length: 2 ** 40 });
  const layout = id === 'hive' ? hive('k') : defaultLayout();
  return openDataset(id, { store, codec: jsonl(), layout });
}
