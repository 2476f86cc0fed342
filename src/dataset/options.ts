/** What a dataset is opened with, checked once and brought to the shape the rest works with. */
import { systemEnv } from '../env.ts';
import type { Env } from '../env.ts';
import type { Logger } from '../events.ts';
import type { Checksum } from '../encoding/checksum.ts';
import type { Codec } from '../encoding/codec.ts';
import type { Compressor, DecompressLimits } from '../encoding/compressor.ts';
import { LodeError } from '../errors.ts';
import { retryPolicy } from '../history/index.ts';
import type { CallOptions, RetryOptions, RetryPolicy, Writers } from '../history/index.ts';
import { assertOptions, kindOf } from '../options.ts';
import type { Store } from '../store/store.ts';
import { assertPart } from './assert-parts.ts';
import { assertDatasetId, defaultLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import type { ManifestLimits } from './manifest/index.ts';
import type { TimestampOf } from './time-range.ts';

export interface DatasetOptions<R> {
  readonly store: Store;
  /** Turns records to bytes. Without one the dataset holds raw bytes, one object per snapshot. */
  readonly codec?: Codec<R>;
  /** Default `none()`. */
  readonly compressor?: Compressor;
  /** Default `defaultLayout()`. */
  readonly layout?: Layout;
  /** Digest of every data file, verified when it is read. Default `sha256()`; `false` for none. */
  readonly checksum?: Checksum | false;
  /** What to do when another writer commits first. Default: report the conflict. */
  readonly retry?: RetryOptions;
  /** Time of a record: fills the snapshot's earliest and latest timestamp. */
  readonly timestamp?: TimestampOf<R>;
  /** Check size and checksum of everything read. Default true. */
  readonly verify?: boolean;
  /** Write a checksum of the manifest into the manifest. Default true. */
  readonly manifestChecksum?: boolean;
  /**
   * Who else writes: `any` process (default; needs storage with atomic conditional writes), only this `process`, or
   * nobody (`single`: also for storage that cannot compare, where an unexpected second writer loses data).
   */
  readonly writers?: Writers;
  /**
   * Lode for Go commits to the same dataset. In a bucket its rewinds can cut off commits of others (docs/guarantees.md):
   * with `'go'` they cannot cut off ours, at one more request for each commit. A directory needs no such care.
   */
  readonly peers?: 'go';
  /** How long to wait for a commit in flight elsewhere, in milliseconds. Default: the store's figure. */
  readonly settleMs?: number;
  readonly limits?: DatasetLimits;
  /** Told of conflicts, retries, waits, fences and repairs (docs/observability.md); `console` will do. */
  readonly logger?: Logger;
  readonly env?: Env;
}

export interface DatasetLimits {
  /** Bounds on what compressed data may expand to. */
  readonly decompress?: Partial<DecompressLimits>;
  readonly manifest?: Partial<ManifestLimits>;
  /** Largest single record, in encoded bytes. */
  readonly recordBytesMax?: number;
}

export interface ResolvedOptions<R> {
  readonly store: Store;
  readonly codec: Codec<R> | undefined;
  readonly compressor: Compressor;
  readonly layout: Layout;
  readonly checksum: Checksum | undefined;
  readonly retry: RetryPolicy;
  readonly timestamp: TimestampOf<R> | undefined;
  readonly verify: boolean;
  readonly seal: boolean;
  readonly writers: Writers;
  readonly peers: 'go' | undefined;
  readonly settleMs: number | undefined;
  readonly limits: DatasetLimits;
  readonly logger: Logger | undefined;
  readonly env: Env;
}

const datasetNames = {
  store: true,
  codec: true,
  compressor: true,
  layout: true,
  checksum: true,
  retry: true,
  timestamp: true,
  verify: true,
  manifestChecksum: true,
  writers: true,
  peers: true,
  settleMs: true,
  limits: true,
  logger: true,
  env: true,
  signal: true,
} as const;

const limitNames = { decompress: true, manifest: true, recordBytesMax: true } as const;

export function assertLimits(limits: DatasetLimits | undefined): void {
  if (limits !== undefined) assertOptions<DatasetLimits>(limits, 'limits', limitNames);
}

/** What TypeScript would have refused, which would fail later and elsewhere. */
function assertParts<R>(options: DatasetOptions<R>): void {
  const { codec, compressor, checksum, layout, timestamp, writers = 'any', limits } = options;
  const { peers } = options;
  assertPart('codec', codec);
  assertPart('compressor', compressor);
  if (checksum !== false) assertPart('checksum', checksum);
  assertPart('layout', layout);
  assertLimits(limits);
  const wrong =
    timestamp !== undefined && typeof timestamp !== 'function'
      ? { field: 'timestamp', expected: 'a function', actual: kindOf(timestamp) }
      : ['any', 'process', 'single'].includes(writers)
        ? undefined
        : { field: 'writers', expected: 'any, process or single', actual: String(writers) };
  if (peers !== undefined && (peers !== 'go' || writers !== 'any'))
    throw new LodeError('LODE_INVALID_ARGUMENT', 'peers are writers in other processes', {
      field: 'peers',
      expected: "'go', with writers: 'any'",
      actual: `${String(peers)}, with writers: '${writers}'`,
    });
  if (wrong !== undefined)
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this option cannot have such a value', wrong);
}

export function resolveOptions<R>(
  id: string,
  options: DatasetOptions<R>,
  defaults: { readonly compressor: Compressor; readonly checksum: Checksum },
): ResolvedOptions<R> {
  assertDatasetId(id);
  assertOptions<DatasetOptions<R> & CallOptions>(options, '', datasetNames);
  assertParts(options);
  const { store, codec, checksum = defaults.checksum, settleMs } = options;
  if (typeof store?.put !== 'function') {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'a dataset needs a store', {
      dataset: id,
      field: 'store',
      next: "Pass store: memoryStore(), or fsStore('./data') from 'lode/fs'.",
    });
  }
  if (settleMs !== undefined && !(settleMs >= 0)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'settleMs is out of range', {
      field: 'settleMs',
      expected: '0 or more',
      actual: settleMs,
    });
  }
  const layout = options.layout ?? defaultLayout();
  if (codec === undefined && layout.partitioner !== 'noop') {
    throw new LodeError(
      'LODE_PARTITIONING_NOT_SUPPORTED',
      'raw bytes have no fields to partition by',
      {
        dataset: id,
        next: 'Pass a codec, or use a layout without partitions.',
      },
    );
  }
  return {
    store,
    codec,
    compressor: options.compressor ?? defaults.compressor,
    layout,
    checksum: checksum === false ? undefined : checksum,
    retry: retryPolicy(options.retry),
    timestamp: options.timestamp,
    verify: options.verify ?? true,
    seal: options.manifestChecksum ?? true,
    writers: options.writers ?? 'any',
    peers: options.peers,
    settleMs,
    limits: options.limits ?? {},
    logger: options.logger,
    env: options.env ?? systemEnv,
  };
}
