/** The scene of journals: a process is killed in the middle of its appends, and nothing that it was told is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { count, openDelays } from './delays.ts';
import type { Delays } from './delays.ts';
import type { Flight } from './flights.ts';
import { fact, scene } from './report.ts';

const killAfter = 5000;

/** In a folder of the tour, or, where that is a bucket, in one that is removed again. */
export async function killWriter(all: readonly Flight[], directory?: string): Promise<void> {
  scene('A journal: a process is killed in the middle of its appends');
  const kept = directory === undefined ? undefined : join(directory, 'journal');
  const dir = kept ?? (await mkdtemp(join(tmpdir(), 'lode-tour-')));
  await mkdir(dir, { recursive: true });
  const acknowledged = await writeAndKill(dir);
  fact(`killed -9 when it had been told that ${acknowledged} events are durable`);

  const journal = await openDelays(dir);
  const { snapshot, replayed, log } = journal.recovery;
  const from = snapshot === undefined ? 'the beginning' : `the snapshot of event ${snapshot.lsn}`;
  const torn = log.damage === undefined ? '' : `, ${log.damage.bytesCut} bytes of a torn write cut`;
  fact(`recovered from ${from} and ${replayed} events behind it${torn}`);
  assert.ok(journal.lsn >= acknowledged);

  const baseline: Delays = {};
  for (const flight of all.slice(0, journal.lsn)) count(baseline, flight);
  assert.equal(digestOf(journal.state), digestOf(baseline));
  fact(`${journal.lsn} events are in the state; its SHA-256 is that of a replay in memory:`);
  fact(digestOf(baseline));
  const { ok, records, snapshots, segments } = await journal.verify();
  assert.ok(ok);
  await journal.close();
  fact(`${segments.length} segments, ${records} events, ${snapshots.length} snapshots verified`);
  if (kept === undefined) await rm(dir, { recursive: true });
  else fact(`npx lode journal inspect ${kept}`);
}

function digestOf(delays: Delays): string {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(delays).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');
}

async function writeAndKill(dir: string): Promise<number> {
  const writer = fileURLToPath(new URL('./journal-writer.js', import.meta.url));
  const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_, signal) => resolve(signal));
  });
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    // In the order of the log: the last whole line is the newest.
    acknowledged = Math.max(acknowledged, Number(line));
    if (acknowledged >= killAfter) child.kill('SIGKILL');
  }
  assert.equal(await ended, 'SIGKILL');
  return acknowledged;
}
