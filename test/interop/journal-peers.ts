/**
 * Others that read our journals: a program in Python, written from docs/formats/journal.md alone, and Pebble's reader of the
 * framing. Where one cannot be had, the answer says so and tests skip; with LODE_REQUIRE_PEERS=1 that is a failure.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildGo, required } from './go-build.ts';
import type { Missing } from './go-build.ts';

const run = promisify(execFile);
const limit = { timeout: 120_000, maxBuffer: 1 << 28 };
const reader = fileURLToPath(
  new URL('../../../test/interop/python/journal_reader.py', import.meta.url),
);

/** What the program in Python says of one journal. */
export interface PythonJournal {
  readonly verdict: 'whole' | 'torn' | 'damaged';
  readonly records: readonly PythonRecord[];
  readonly segments: readonly { readonly file: string; readonly epoch: number }[];
  readonly ends: readonly PythonEnd[];
  readonly snapshots: readonly PythonSnapshot[];
}

export interface PythonRecord {
  readonly file: string;
  readonly lsn: number;
  readonly offset: number;
  readonly time: number;
  readonly frames: number;
  readonly bytes: number;
  readonly sha256: string;
}

interface PythonEnd {
  readonly file: string;
  readonly end: 'sealed' | 'open' | 'taken over' | 'torn' | 'damaged' | 'does not count';
  readonly lastLsn?: number;
  readonly why?: string;
}

interface PythonSnapshot {
  readonly file: string;
  readonly lsn: number;
  readonly time: number;
  readonly codec: string;
  readonly version: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type ReadWithPython = (folders: readonly string[]) => Promise<PythonJournal[]>;

export async function pythonPeer(): Promise<{ readonly read: ReadWithPython } | Missing> {
  for (const python of ['python3', 'python']) {
    const { stdout } = await run(python, ['--version']).catch(() => ({ stdout: '' }));
    const minor = /^Python 3\.(\d+)/.exec(stdout)?.[1];
    if (Number(minor ?? 0) >= 9) return { read: (folders) => readWithPython(python, folders) };
  }
  return required<never>({ missing: 'there is no python3 >= 3.9' });
}

async function readWithPython(
  python: string,
  folders: readonly string[],
): Promise<PythonJournal[]> {
  let output: string;
  try {
    output = (await run(python, [reader, ...folders], limit)).stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    if (code !== 5) throw new Error(`the reader in Python failed: ${stderr}`, { cause: error });
    output = stdout;
  }
  const journals: PythonJournal[] = [];
  let facts: Record<string, unknown>[] = [];
  for (const line of output.trim().split('\n')) {
    const fact = JSON.parse(line) as Record<string, unknown>;
    if (!('verdict' in fact)) {
      facts.push(fact);
      continue;
    }
    const having = (name: string): unknown => facts.filter((each) => name in each);
    journals.push({
      verdict: fact['verdict'],
      records: having('index'),
      segments: having('epoch'),
      ends: having('end'),
      snapshots: having('codec'),
    } as PythonJournal);
    facts = [];
  }
  return journals;
}

/** What Pebble finds in one file: the records of the framing, our headers and seals among them. */
export interface PebbleFile {
  readonly records: readonly { readonly offset: number; readonly body: Uint8Array }[];
  /** `end`, or why it stopped. */
  readonly end: string;
}

export type ReadWithPebble = (files: readonly string[]) => Promise<PebbleFile[]>;

export async function pebblePeer(): Promise<{ readonly read: ReadWithPebble } | Missing> {
  const built = required(await buildGo('pebble', 'pebble'));
  if ('missing' in built) return built;
  return {
    read: async (files) => {
      const { stdout } = await run(built.binary, [...files], limit);
      const found: PebbleFile[] = [];
      let records: PebbleFile['records'][number][] = [];
      for (const line of stdout.trim().split('\n')) {
        const fact = JSON.parse(line) as { offset: number; body: string; end?: string };
        if (fact.end === undefined) {
          records.push({ offset: fact.offset, body: Buffer.from(fact.body, 'base64') });
          continue;
        }
        found.push({ records, end: fact.end });
        records = [];
      }
      return found;
    },
  };
}
