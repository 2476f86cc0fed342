/** What the calls of one volume handle share: its options, its history, its length, and how much it has under way. */
import type { Checksum } from '../encoding/checksum.ts';
import { assert, LodeError } from '../errors.ts';
import { assertMayCommit, assertSnapshotId, beginOperation, History } from '../history/index.ts';
import type { HistoryFormat, MeteredOptions, Operation } from '../history/index.ts';
import { kindOf } from '../options.ts';
import { Budget } from './budget.ts';
import { namedDigest } from './digests.ts';
import { volumeFormat } from './history-format.ts';
import { volumeKeys } from './keys.ts';
import type { VolumeKeys } from './keys.ts';
import type { VolumeManifest } from './manifest/index.ts';
import type { ResolvedVolumeOptions } from './options.ts';
import { Runs } from './runs.ts';
import type { SnapshotRef, VolumeSnapshot } from './types.ts';

/** Manifests kept besides that of the head: reading on in a snapshot asks for it once. */
const manifestsMax = 2;

export class VolumeContext {
  readonly id: string;
  readonly options: ResolvedVolumeOptions;
  readonly keys: VolumeKeys;
  readonly format: HistoryFormat<VolumeManifest>;
  readonly history: History<VolumeManifest>;
  /** Bytes of streams in memory. */
  readonly bytes: Budget;
  /** Uploads under way. */
  readonly lanes: Budget;
  readonly runs: Runs;
  closed = false;
  readonly #builtIn: (name: string) => Checksum | undefined;
  readonly #recent = new Map<string, VolumeManifest>();
  #length: number | undefined;

  constructor(
    id: string,
    options: ResolvedVolumeOptions,
    checksumNamed: (name: string) => Checksum | undefined,
  ) {
    const { seal, limits, env, retry, settleMs, writers, peers, store, stagingBytesMax } = options;
    this.id = id;
    this.options = options;
    this.keys = volumeKeys(id);
    this.bytes = new Budget(stagingBytesMax);
    this.lanes = new Budget(store.capabilities.concurrency);
    this.#builtIn = checksumNamed;
    this.#length = options.length;
    this.runs = new Runs(this.keys);
    this.format = volumeFormat({
      volume: id,
      totalLength: () => this.#length,
      seal,
      limits,
      env,
      runs: this.runs,
    });
    const singleWriter = writers === 'single';
    this.history = new History(this.format, { retry, settleMs, singleWriter, peers });
  }

  /** Bytes of the whole volume. */
  get length(): number {
    assert(this.#length !== undefined, 'a volume is used whose length is not known');
    return this.#length;
  }

  /** Learns the length from the volume that is there, unless it was given. */
  async learnLength(op: Operation): Promise<void> {
    if (this.#length !== undefined) return;
    const head = await this.history.latest(op);
    if (head === undefined) {
      throw new LodeError(
        'LODE_NO_SNAPSHOTS',
        'this volume has no snapshot to learn its length from',
        {
          volume: this.id,
          next: 'Open it with its length, or check its id.',
        },
      );
    }
    this.#length = head.totalLength;
  }

  /** Begins a call. */
  operation({ signal, meter }: MeteredOptions): Operation {
    if (this.closed)
      throw new LodeError('LODE_CLOSED', 'this volume was closed', { volume: this.id });
    return beginOperation(this.options, signal, meter);
  }

  assertMayCommit(): void {
    assertMayCommit({ volume: this.id }, this.options);
  }

  async manifest(op: Operation, ref: SnapshotRef): Promise<VolumeManifest> {
    if (typeof ref !== 'string') return this.own(ref);
    assertSnapshotId(ref);
    const known = this.#recent.get(ref);
    if (known !== undefined) return known;
    const manifest = await this.history.snapshot(op, ref);
    if (manifest === undefined) {
      throw new LodeError('LODE_NOT_FOUND', 'there is no such snapshot', {
        volume: this.id,
        snapshot: ref,
        key: this.keys.manifest(ref),
      });
    }
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size < manifestsMax) break;
      this.#recent.delete(oldest);
    }
    this.#recent.set(ref, manifest);
    return manifest;
  }

  /** What a snapshot of this volume holds. That of another one has other gaps. */
  own(snapshot: VolumeSnapshot): VolumeManifest {
    const manifest = (snapshot as VolumeSnapshot | null)?.manifest;
    if (manifest?.volumeId === this.id) return manifest;
    const isSnapshot = manifest?.volumeId !== undefined;
    const what = isSnapshot ? 'this is a snapshot of another volume' : 'this is not a snapshot';
    throw new LodeError('LODE_INVALID_ARGUMENT', what, {
      volume: this.id,
      ...(isSnapshot && { snapshot: manifest.snapshotId }),
      actual: isSnapshot ? manifest.volumeId : kindOf(snapshot),
    });
  }

  /** How to verify a block; `undefined` when it is not to be, has no digest, or nothing says of which algorithm. */
  digestOf(text: string | undefined, manifest: VolumeManifest): Digest | undefined {
    if (!this.options.verify) return undefined;
    const { hex, algorithm, checksum } = this.namedDigest(text, manifest);
    if (hex === undefined || algorithm === undefined) return undefined;
    if (checksum !== undefined) return { checksum, hex };
    throw new LodeError('LODE_UNSUPPORTED', 'a block has a checksum this process does not know', {
      volume: this.id,
      snapshot: manifest.snapshotId,
      actual: algorithm,
      next: 'Open the volume with that checksum among "checksums", or with verify: false.',
    });
  }

  /** The digest of a block, and its algorithm as far as it is named and known. */
  namedDigest(
    text: string | undefined,
    { checksumAlgorithm }: VolumeManifest,
  ): Partial<NamedDigest> {
    if (text === undefined) return {};
    const { algorithm, hex } = namedDigest(text, checksumAlgorithm);
    if (algorithm === undefined) return { hex };
    const own = [this.options.checksum, ...this.options.checksums];
    const checksum = own.find((known) => known?.name === algorithm) ?? this.#builtIn(algorithm);
    return checksum === undefined ? { hex, algorithm } : { hex, algorithm, checksum };
  }
}

interface Digest {
  readonly checksum: Checksum;
  readonly hex: string;
}

interface NamedDigest extends Digest {
  readonly algorithm: string;
}
