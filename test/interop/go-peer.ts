/**
 * Builds and drives the Go original of Lode, through the small program in `test/interop/go`. The binary lives in the
 * user's cache directory under a hash of its sources, so it is built once. Where Go or the module cannot be had, the
 * answer says so and tests skip; with LODE_REQUIRE_PEERS=1 that is a failure.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LineProcess } from './line-process.ts';

const sources = fileURLToPath(new URL('../../../test/interop/go', import.meta.url));
const run = promisify(execFile);
const buildLimit = { timeout: 240_000, maxBuffer: 1 << 24 };

/** How to open a dataset on the Go side; absent members mean the library's defaults. */
export interface GoDataset {
  readonly root?: string;
  /** In place of a directory. */
  readonly s3?: GoBucket;
  readonly dataset: string;
  readonly layout?: 'default' | 'flat' | 'hive';
  readonly keys?: readonly string[];
  readonly codec?: 'none' | 'jsonl' | 'parquet';
  readonly schema?: readonly GoField[];
  readonly parquetCompression?: 'none' | 'snappy' | 'gzip';
  readonly compressor?: 'noop' | 'gzip' | 'zstd';
  readonly checksum?: 'none' | 'md5';
  readonly retry?: { count?: number; baseMs?: number; maxMs?: number; jitter?: number };
}

export interface GoBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface GoField {
  readonly name: string;
  readonly type:
    | 'int32'
    | 'int64'
    | 'float32'
    | 'float64'
    | 'string'
    | 'bool'
    | 'bytes'
    | 'timestamp';
  readonly nullable?: boolean;
}

/** A snapshot as Go decoded it. */
export interface GoSnapshot {
  readonly id: string;
  readonly manifest: GoManifest;
}

export interface GoManifest {
  readonly dataset_id: string;
  readonly snapshot_id: string;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly files: readonly GoFile[] | null;
  readonly parent_snapshot_id?: string;
  readonly row_count: number;
  readonly min_timestamp?: string;
  readonly max_timestamp?: string;
  readonly codec?: string;
  readonly compressor: string;
  readonly partitioner: string;
  readonly checksum_algorithm?: string;
}

export interface GoFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly checksum?: string;
  readonly stats?: unknown;
}

/** An error of the Go library: `sentinel` is the name of the one it matches, `''` for a plain error. */
export class GoFailure extends Error {
  readonly sentinel: string;
  constructor(sentinel: string, message: string) {
    super(message);
    this.name = 'GoFailure';
    this.sentinel = sentinel;
  }
}

/** The built program. */
export class GoPeer {
  readonly binary: string;
  constructor(binary: string) {
    this.binary = binary;
  }

  /** A Go process that answers requests until it is closed. */
  serve(): GoSession {
    return new GoSession(this.spawn('serve'));
  }

  /** A Go process of another kind: `race`, `hold-lock`. */
  spawn(...args: string[]): LineProcess {
    return new LineProcess(spawn(this.binary, args));
  }
}

/** Requests and answers, in order. */
export class GoSession implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly #answers: AsyncGenerator<unknown, void, undefined>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(process: LineProcess) {
    this.#process = process;
    this.#answers = process.lines();
  }

  /** One request; rejects with a `GoFailure` when the library returned an error. */
  async request<T>(op: string, body: object): Promise<T> {
    this.#process.send({ op, ...body });
    const answer = this.#last.then(() => this.#answers.next());
    this.#last = answer.catch(() => undefined);
    const line = await answer;
    if (line.done) throw new Error(`the Go peer ended: ${this.#process.complaint}`);
    const { ok, error } = line.value as { ok?: T; error?: { name: string; message: string } };
    if (error) throw new GoFailure(error.name, error.message);
    return ok as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

let built: Promise<GoPeer | { readonly missing: string }> | undefined;

/** The peer, built on first use, or why it is missing. */
export async function goPeer(): Promise<GoPeer | { readonly missing: string }> {
  built ??= build();
  const peer = await built;
  if ('missing' in peer && process.env['LODE_REQUIRE_PEERS'] === '1')
    throw new Error(`LODE_REQUIRE_PEERS=1, but ${peer.missing}`);
  return peer;
}

async function build(): Promise<GoPeer | { readonly missing: string }> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of (await readdir(sources)).sort())
    hash.update(name).update(await readFile(join(sources, name)));
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lode-interop');
  const binary = join(cache, `peer-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(binary)) return new GoPeer(binary);

  const go = await findGo();
  if (go === undefined) return { missing: 'there is no go command (PATH, /usr/local/go/bin)' };
  const at = { ...buildLimit, cwd: sources };
  try {
    await run(go, ['mod', 'download'], at);
  } catch (error) {
    return { missing: `the Go modules cannot be had: ${String(error).trim()}` };
  }
  await mkdir(cache, { recursive: true });
  const room = await mkdtemp(join(cache, 'build-'));
  try {
    // Built beside and renamed, so that two test processes building at once both end with a whole binary.
    await run(go, ['build', '-trimpath', '-o', join(room, 'peer'), '.'], at);
    await rename(join(room, 'peer'), binary);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
  return new GoPeer(binary);
}

async function findGo(): Promise<string | undefined> {
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const found = await run(go, ['version']).then(
      () => true,
      () => false,
    );
    if (found) return go;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
