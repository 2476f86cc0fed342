/** What a volume is opened with, checked once and brought to the shape the rest works with. */
import type { Checksum } from '../encoding/checksum.ts';
import { systemEnv } from '../env.ts';
import type { Env } from '../env.ts';
import { LodeError } from '../errors.ts';
import type { Logger } from '../events.ts';
import { assertName, retryPolicy } from '../history/index.ts';
import type { CallOptions, RetryOptions, RetryPolicy, Writers } from '../history/index.ts';
import { assertOptions, kindOf } from '../options.ts';
import type { Store } from '../store/store.ts';
import { defaultManifestLimits } from './manifest/index.ts';
import type { VolumeManifestLimits } from './manifest/index.ts';

export interface VolumeOptions {
  readonly store: Store;
  /** Bytes of the whole volume, fixed for its life. Left out, it is that of the volume that is there. */
  readonly length?: number;
  /** Digest of every block. Default `sha256()`; `false` for none. */
  readonly checksum?: Checksum | false;
  /** Algorithms that blocks of other writers may name, besides `md5`, `sha256`, `crc32c` and `blake3`. */
  readonly checksums?: readonly Checksum[];
  /** Compare the digest of every block that is read whole. Default true. */
  readonly verify?: boolean;
  /** Read whole blocks only, so that every byte handed out was verified. Default false. */
  readonly verified?: boolean;
  /** How often a commit goes on top of what others have committed meanwhile. Default 10 attempts; 0 reports the conflict. */
  readonly retry?: RetryOptions;
  /** Longer sources are cut into blocks of this many bytes. Default 8 MiB. */
  readonly blockBytes?: number;
  /** Bytes of streams that staging holds at once, over all calls. Default 64 MiB. */
  readonly stagingBytesMax?: number;
  /** Write a checksum of the manifest into the manifest. Default true. */
  readonly manifestChecksum?: boolean;
  /**
   * How manifests are written. `compatible`: each lists every block, as Lode for Go reads and writes them. `compact`: a commit
   * of K blocks writes O(K + log B) bytes; only this library reads them. Default: as the volume has it, `compatible` when it is new.
   */
  readonly manifests?: 'compatible' | 'compact';
  /** Lode for Go commits too. In a bucket its rewinds can cut off ours without it (docs/guarantees.md). One request more. */
  readonly peers?: 'go';
  /** Who else writes, as for datasets: `any` process (default), only this `process`, or nobody (`single`). */
  readonly writers?: Writers;
  /** How long to wait for a commit in flight elsewhere, in milliseconds. Default: the store's figure. */
  readonly settleMs?: number;
  readonly limits?: Partial<VolumeManifestLimits>;
  /** Told of conflicts, retries, waits, fences and repairs (docs/observability.md); `console` will do. */
  readonly logger?: Logger;
  readonly env?: Env;
}

export interface ResolvedVolumeOptions {
  readonly store: Store;
  readonly length: number | undefined;
  readonly checksum: Checksum | undefined;
  readonly checksums: readonly Checksum[];
  readonly verify: boolean;
  readonly verified: boolean;
  readonly retry: RetryPolicy;
  readonly blockBytes: number;
  readonly stagingBytesMax: number;
  readonly seal: boolean;
  readonly manifests: 'compatible' | 'compact' | undefined;
  readonly peers: 'go' | undefined;
  readonly writers: Writers;
  readonly settleMs: number | undefined;
  readonly limits: VolumeManifestLimits;
  readonly logger: Logger | undefined;
  readonly env: Env;
}

const volumeNames = {
  store: true,
  length: true,
  checksum: true,
  checksums: true,
  verify: true,
  verified: true,
  retry: true,
  blockBytes: true,
  stagingBytesMax: true,
  manifestChecksum: true,
  manifests: true,
  peers: true,
  writers: true,
  settleMs: true,
  limits: true,
  logger: true,
  env: true,
  signal: true,
} as const;

const mebibyte = 1024 * 1024;
/** Disjoint commits go on top of each other: losing a race is part of the day. */
const retriesByDefault = 10;

export function resolveOptions(
  id: string,
  options: VolumeOptions,
  defaultChecksum: Checksum,
): ResolvedVolumeOptions {
  assertName(id, 'volume');
  assertOptions<VolumeOptions & CallOptions>(options, '', volumeNames);
  assertParts(id, options);
  const { checksum = defaultChecksum, retry, settleMs } = options;
  return {
    store: options.store,
    length: options.length,
    checksum: checksum === false ? undefined : checksum,
    checksums: options.checksums ?? [],
    verify: options.verify ?? true,
    verified: options.verified ?? false,
    retry: retryPolicy(
      retry?.attempts === undefined ? { ...retry, attempts: retriesByDefault } : retry,
    ),
    blockBytes: options.blockBytes ?? 8 * mebibyte,
    stagingBytesMax: options.stagingBytesMax ?? 64 * mebibyte,
    seal: options.manifestChecksum ?? true,
    // Go could not commit on top of anything else.
    manifests: options.peers === 'go' ? 'compatible' : options.manifests,
    peers: options.peers,
    writers: options.writers ?? 'any',
    settleMs,
    limits: { ...defaultManifestLimits, ...options.limits },
    logger: options.logger,
    env: options.env ?? systemEnv,
  };
}

/** What TypeScript would have refused, which would fail later and elsewhere. */
function assertParts(volume: string, options: VolumeOptions): void {
  const { store, length, checksum, manifests, peers, writers, settleMs } = options;
  const { blockBytes, stagingBytesMax } = options;
  const refuse = (field: string, expected: string, actual: unknown): never => {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this option cannot have such a value', {
      volume,
      field,
      expected,
      actual: typeof actual === 'number' || typeof actual === 'string' ? actual : kindOf(actual),
    });
  };
  if (typeof store?.put !== 'function') refuse('store', 'a store, such as memoryStore()', store);
  if (checksum !== undefined && checksum !== false && typeof checksum.hasher !== 'function')
    refuse('checksum', 'a checksum, such as sha256(), or false', checksum);
  const { limits = {} } = options;
  const names = { bytesMax: true, depthMax: true, blocksMax: true } as const;
  assertOptions<VolumeManifestLimits>(limits, 'limits', names);
  for (const [field, value] of Object.entries({ length, blockBytes, stagingBytesMax, ...limits })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      refuse(field, 'an integer from 1 to 2^53 - 1', value);
  }
  if (settleMs !== undefined && !(settleMs >= 0)) refuse('settleMs', '0 or more', settleMs);
  if (writers !== undefined && !['any', 'process', 'single'].includes(writers))
    refuse('writers', 'any, process or single', writers);
  if (manifests !== undefined && !['compatible', 'compact'].includes(manifests))
    refuse('manifests', 'compatible or compact', manifests);
  if (peers !== undefined && manifests === 'compact')
    refuse('manifests', "compatible beside peers: 'go'", manifests);
  if (peers !== undefined && peers !== 'go') refuse('peers', 'go', peers);
  if (peers !== undefined && writers !== undefined && writers !== 'any')
    refuse('peers', "writers: 'any'", writers);
}
