/** Drives the Go original of Lode, through the small program in `test/interop/go`. */
import { spawn } from 'node:child_process';
import { buildGo, required } from './go-build.ts';
import { LineProcess } from './line-process.ts';

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
  return required(await built);
}

async function build(): Promise<GoPeer | { readonly missing: string }> {
  const built = await buildGo('go', 'peer');
  return 'missing' in built ? built : new GoPeer(built.binary);
}
