/** Journals whose times and bytes are always the same: a whole one, one whose writer was killed, one with damage. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fsStore } from '../../src/fs.ts';
import { openDataset } from '../../src/index.ts';
import { openJournal, openWal, writeSnapshot } from '../../src/journal.ts';
import type { Wal } from '../../src/journal.ts';
import { virtualEnv } from '../../src/testing/index.ts';

const journalId = '00112233445566778899aabbccddeeff';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** `journal`, `torn` and `damaged` in a folder. */
export async function fillJournals(folder: string): Promise<void> {
  const env = virtualEnv();
  const dir = join(folder, 'journal');
  await mkdir(dir);
  const open = (): Promise<Wal> =>
    openWal(dir, { env, journalId, reserveBytes: 0, preallocateBytes: 4096 });
  const first = await open();
  await first.append(text('{"user":"ada","balance":10}')).durable;
  await first.append(text('{"user":"bob","balance":5}')).durable;
  await first.append(Uint8Array.of(0, 255, 1)).durable;
  await first.close();
  const state = [text('{"ada":10,"bob":5}')];
  const timeMs = Number(env.now() / 1_000_000n);
  await writeSnapshot(dir, state, { env, journalId, lsn: 3, timeMs, codec: 'json', version: '1' });
  const second = await open();
  await second.append(text('{"user":"ada","balance":12}')).durable;
  const last = [text('{"user":"eve","balance":1}'), text('{"user":"eve","balance":2}')];
  await Promise.all(last.map((record) => second.append(record).durable));
  // As a power loss leaves it: the last record is there in part.
  await cp(dir, join(folder, 'torn'), { recursive: true });
  await second.close();
  const torn = join(folder, 'torn', secondSegment);
  const whole = await readFile(torn);
  await writeFile(torn, whole.subarray(0, whole.findLastIndex((byte) => byte !== 0) - 8));
  await cp(dir, join(folder, 'damaged'), { recursive: true });
  const damaged = join(folder, 'damaged', secondSegment);
  const bytes = await readFile(damaged);
  bytes[120] = (bytes[120] ?? 0) ^ 1;
  await writeFile(damaged, bytes);
}

export const secondSegment = 'wal-00000000000000000004.log';

const counter = {
  initial: (): Record<string, number> => ({}),
  apply: (counts: Record<string, number>, name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  },
};

/** What a journal of `exportJournal` is when it is opened. */
export async function look(
  dir: string,
): Promise<{ id: string; lsn: number; state: Record<string, number> }> {
  await using journal = await openJournal(dir, counter);
  const { id, lsn, state } = journal;
  return { id, lsn, state };
}

/** Its SHA-256. */
export async function digest(dir: string): Promise<string> {
  const { id, lsn, state } = await look(dir);
  return createHash('sha256')
    .update(JSON.stringify([id, lsn, state]))
    .digest('hex');
}

/** The dataset `stock` in `backups`, with a journal of three events that was exported after the second and after the third. */
export async function exportJournal(folder: string): Promise<void> {
  const env = virtualEnv();
  const dir = join(folder, 'exported');
  const backups = join(folder, 'backups');
  for (const path of [dir, backups]) await mkdir(path);
  const store = fsStore(backups, { durability: 'none' });
  await using journal = await openJournal(dir, { ...counter, env, journalId, reserveBytes: 0 });
  const dataset = await openDataset('stock', { store, env });
  for (const name of ['apple', 'pear']) await journal.append(name);
  await journal.exportTo(dataset);
  await journal.append('apple');
  await journal.exportTo(dataset);
}
