/** What the calls of one dataset handle share: its options, its history, and how a call is metered and signed. */
import type { Checksum } from '../encoding/checksum.ts';
import { LodeError } from '../errors.ts';
import { assertMayCommit, assertSnapshotId, beginOperation, History } from '../history/index.ts';
import type { HistoryFormat, Operation } from '../history/index.ts';
import type { Meter } from '../store/index.ts';
import { datasetFormat } from './history-format.ts';
import type { DatasetManifest } from './manifest/index.ts';
import { defaultManifestLimits } from './manifest/index.ts';
import type { ResolvedOptions } from './options.ts';
import { createPartitioner } from './partition.ts';
import type { Partitioner } from './partition.ts';
import { assertComponents } from './read.ts';
import { missingManifest } from './reader/load.ts';
import type { ReadPlan } from './read.ts';
import type { Signature } from './session.ts';

/** Finds a checksum algorithm by the name a manifest gives. */
type ChecksumByName = (name: string) => Checksum | undefined;

export class DatasetContext<R> {
  readonly id: string;
  readonly options: ResolvedOptions<R>;
  readonly format: HistoryFormat<DatasetManifest>;
  readonly history: History<DatasetManifest>;
  readonly partitionOf: Partitioner;
  readonly signature: Signature;
  readonly checksumByName: ChecksumByName;
  closed = false;

  constructor(id: string, options: ResolvedOptions<R>, checksumByName: ChecksumByName) {
    const { layout, seal, limits, env, retry, settleMs, writers, peers } = options;
    const { codec, compressor, checksum } = options;
    this.id = id;
    this.options = options;
    this.checksumByName = checksumByName;
    this.partitionOf = createPartitioner(layout.partitionKeys);
    this.signature = {
      dataset: id,
      layout,
      codec: codec?.name,
      compressor: compressor.name,
      checksumAlgorithm: checksum?.name,
    };
    const manifestLimits = { ...defaultManifestLimits, ...limits.manifest };
    this.format = datasetFormat({ dataset: id, layout, seal, limits: manifestLimits, env });
    this.history = new History(this.format, {
      retry,
      settleMs,
      singleWriter: writers === 'single',
      peers,
    });
  }

  /** Begins a call. */
  operation(signal: AbortSignal | undefined, meter: Meter | undefined): Operation {
    if (this.closed)
      throw new LodeError('LODE_CLOSED', 'this dataset was closed', { dataset: this.id });
    return beginOperation(this.options, signal, meter);
  }

  async manifest(op: Operation, snapshot: string): Promise<DatasetManifest> {
    assertSnapshotId(snapshot);
    const manifest = await this.history.snapshot(op, snapshot);
    if (manifest !== undefined) return manifest;
    const ref = { dataset: this.id, id: snapshot };
    throw await missingManifest(op.store, this.options.layout, ref, { signal: op.signal });
  }

  /** Checks that the handle's components are those the snapshot was written with. */
  readPlan(manifest: DatasetManifest): ReadPlan<R> {
    const { codec, compressor, verify, limits } = this.options;
    const plan = {
      manifest,
      codec,
      compressor,
      checksum: this.checksumOf(manifest),
      verify,
      limits,
    };
    assertComponents(plan);
    return plan;
  }

  checksumOf({ checksumAlgorithm: name, snapshotId }: DatasetManifest): Checksum | undefined {
    if (name === undefined || !this.options.verify) return undefined;
    const own = this.options.checksum;
    const checksum = own?.name === name ? own : this.checksumByName(name);
    if (checksum !== undefined) return checksum;
    throw new LodeError(
      'LODE_UNSUPPORTED',
      'the snapshot uses a checksum this process does not know',
      {
        dataset: this.id,
        snapshot: snapshotId,
        actual: name,
        next: 'Open the dataset with that checksum, or with verify: false.',
      },
    );
  }

  /** Refuses to commit where two writers could not tell that they raced. */
  assertMayCommit(): void {
    assertMayCommit(this.format.subject, this.options);
  }
}
