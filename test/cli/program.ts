/** The built program as a child process, and a directory with datasets whose ids, times and bytes are always the same. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { flat, hive, jsonl, openDataset, openVolume } from '../../src/index.ts';
import type { StagedRange, Store } from '../../src/index.ts';
import { fsStore } from '../../src/fs.ts';
import { parquet } from '../../src/parquet.ts';
import { virtualEnv } from '../../src/testing/index.ts';
import { root } from '../files.ts';

const program = join(root, 'dist/lode/cli.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the child and what it has written to stdout so far. */
  readonly onData?: (child: ChildProcess) => void;
  readonly onStart?: (child: ChildProcess) => Promise<void>;
}

export function lode(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, onData, onStart } = options;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: cwd ?? root,
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onData?.(child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    onStart?.(child).catch(reject);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The one JSON document on stdout. */
export async function lodeJson(args: readonly string[], options?: RunOptions): Promise<unknown> {
  const { code, stdout, stderr } = await lode([...args, '--json'], options);
  if (code !== 0) throw new Error(`lode ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

export interface Bench extends Disposable {
  readonly folder: string;
  /** Its `data` directory, by a path that tests can show. */
  readonly store: Store;
  path(key: string): string;
  /** Puts a data file there that nothing names, last written in January 2025. */
  orphan(key?: string): string;
}

export function bench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'lode-cli-'));
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'disk.img'), diskImage());
  const path = (key: string): string => join(folder, 'data', key);
  return {
    folder,
    store: fsStore(join(folder, 'data'), { durability: 'none' }),
    path,
    orphan(key = 'datasets/events/snapshots/1735689600000000000/data/data') {
      mkdirSync(dirname(path(key)), { recursive: true });
      writeFileSync(path(key), 'left by a crash');
      const at = new Date('2025-01-01T00:00:00Z');
      utimesSync(path(key), at, at);
      return key;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** 64 KiB, of which no two lines of 16 are alike. */
export function diskImage(): Uint8Array {
  let text = '';
  for (let at = 0; at < 65_536; at += 16) text += `${String(at).padStart(15)}\n`;
  return new TextEncoder().encode(text);
}

/** `events` with two snapshots, `visits` in Hive partitions, `backup` flat and raw, `prices` in Parquet, `disk` half filled. */
export async function fill(store: Store): Promise<Filled> {
  const env = virtualEnv();
  const at = (day: number): string => `2026-01-0${day}T12:00:00Z`;
  const events = await openDataset('events', { store, env, codec: jsonl<object>() });
  const first = await events.write(
    [
      { at: at(1), level: 1, text: 'started' },
      { at: at(2), level: 3, text: 'disk full', free: 12345678901234567890n },
    ],
    { source: 'demo' },
  );
  const second = await events.write([{ at: at(3), level: 2, text: 'disk cleared' }], {
    source: 'demo',
    checked: true,
  });
  const visits = await openDataset('visits', { store, env, codec: jsonl(), layout: hive('day') });
  await visits.write([
    { day: '2026-01-01', user: 'ada' },
    { day: '2026-01-02', user: 'bob' },
  ]);
  await visits.write([
    { day: '2026-01-02', user: 'bob' },
    { day: '2026-01-03', user: 'eve' },
  ]);
  const backup = await openDataset('backup', { store, env, layout: flat() });
  await backup.write([new TextEncoder().encode('hello\n')]);
  const prices = await openDataset('prices', {
    store,
    env,
    codec: parquet({ id: 'int64', at: 'timestamp' }),
  });
  await prices.write([
    { id: 1, at: new Date(at(1)) },
    { id: 2, at: new Date(at(2)) },
  ]);
  const image = diskImage();
  const disk = await openVolume('disk', { store, env, length: image.length });
  const from = (start: number, end: number): Promise<StagedRange> =>
    disk.stageWriteAt(start, image.subarray(start, end));
  await disk.commit([await from(0, 16384), await from(32768, 36864)], { source: 'demo' });
  await disk.commit([await from(49152, 65536)], { source: 'demo' });
  return { first: first.id, second: second.id };
}

export interface Filled {
  readonly first: string;
  readonly second: string;
}
