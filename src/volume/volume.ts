/**
 * Volume: a byte space `[0..length)` that fills up over time, in any order, by any number of processes.
 *
 * Guarantees: blocks become visible by a commit, whole or not at all; each snapshot holds everything committed before it;
 * bytes that nobody committed are missing, and never read as zeros; what is acknowledged is an ancestor of the head;
 * disjoint commits of several writers all last, overlapping ones are an error. Non-goals: overwriting, truncating.
 */
import type { ByteInput } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import type { GcOptions, GcReport } from '../history/gc.ts';
import type { CallOptions, MeteredOptions, Operation } from '../history/index.ts';
import { verifySnapshots } from '../history/verify.ts';
import type { VerifyOptions, VerifyReport } from '../history/verify.ts';
import type { Metadata } from '../manifest/index.ts';
import { assertOptions } from '../options.ts';
import { commit } from './commit.ts';
import type { VolumeContext } from './context.ts';
import { copyOut } from './copy-out.ts';
import { covered, gapsIn } from './coverage.ts';
import { Proofs } from './proofs.ts';
import { assertRange } from './range.ts';
import { readAt, streamRange } from './read.ts';
import type { ReadPlan } from './read.ts';
import { stage } from './staging.ts';
import { snapshotOf } from './types.ts';
import { verification } from './verifying.ts';
import type {
  CommitOptions,
  CommittedVolumeSnapshot,
  CopyOutOptions,
  CopyOutReport,
  ReadAtOptions,
  SnapshotRef,
  StagedRange,
  StageOptions,
  VolumeBlock,
  VolumeSnapshot,
  VolumeSnapshotsOptions,
  VolumeTarget,
} from './types.ts';

const metered = { signal: true, meter: true } as const;

export class Volume implements AsyncDisposable {
  readonly #context: VolumeContext;
  readonly #proofs = new Proofs();

  /** @internal Use `openVolume`. */
  constructor(context: VolumeContext) {
    this.#context = context;
  }

  get id(): string {
    return this.#context.id;
  }

  /** Bytes of the whole volume, gaps included. */
  get length(): number {
    return this.#context.length;
  }

  /**
   * Uploads bytes for `offset`. Nothing of them is visible before `commit`. Calls may run at once: memory and requests are
   * bounded over all of them. Bytes in memory are not copied: leave them as they are until it resolves. Staged again, by
   * whichever process, the same bytes are adopted. One request per block.
   */
  async stageWriteAt(
    offset: number,
    source: ByteInput,
    options: StageOptions = {},
  ): Promise<StagedRange> {
    assertOptions<StageOptions>(options, '', { length: true, onProgress: true, ...metered });
    return stage(this.#operation(options), this.#context, this.#proofs, offset, source, options);
  }

  /**
   * Makes staged blocks visible, together with everything committed before. Blocks of other writers that came meanwhile are
   * kept; `LODE_OVERLAPPING_BLOCKS` when they share bytes with these. Two requests with the head known.
   */
  async commit(
    staged: readonly (StagedRange | VolumeBlock)[],
    metadata?: Metadata | null,
    options: CommitOptions = {},
  ): Promise<CommittedVolumeSnapshot> {
    assertOptions<CommitOptions>(options, '', { expectedParent: true, signal: true });
    return commit(this.#context, this.#proofs, staged, metadata, options);
  }

  /** Bytes of a snapshot. `LODE_RANGE_MISSING` names every gap in the range. One request per block, in bounded parallel. */
  async readAt(
    snapshot: SnapshotRef,
    offset: number,
    length: number,
    options: ReadAtOptions = {},
  ): Promise<Uint8Array> {
    const plan = await this.#plan(snapshot, { offset, length }, options);
    return readAt(plan, { offset, length });
  }

  /** The same as a stream, a few blocks ahead; the whole volume when no range is given. */
  async *stream(
    snapshot: SnapshotRef,
    range: VolumeRange = { offset: 0, length: this.length },
    options: ReadAtOptions = {},
  ): AsyncGenerator<Uint8Array> {
    yield* streamRange(await this.#plan(snapshot, range, options), range);
  }

  /**
   * Writes every block of a snapshot to where it belongs in `target`, verified; what the target holds already is kept. Gaps
   * are not touched, and reported.
   */
  async copyInto(
    snapshot: SnapshotRef,
    target: VolumeTarget,
    options: CopyOutOptions = {},
  ): Promise<CopyOutReport> {
    const names = { range: true, onProgress: true, ...metered } as const;
    assertOptions<CopyOutOptions>(options, '', names);
    const { range = { offset: 0, length: this.length }, onProgress, ...rest } = options;
    return copyOut(await this.#plan(snapshot, range, rest), target, range, onProgress);
  }

  /** What is not there yet of a range, or of the whole volume: what is left to stage. No snapshot: everything. */
  missing(
    snapshot: VolumeSnapshot | undefined,
    range: VolumeRange = { offset: 0, length: this.length },
  ): VolumeRange[] {
    assertRange(this.id, this.length, range);
    return snapshot === undefined
      ? [{ ...range }]
      : gapsIn(this.#context.own(snapshot).blocks, range);
  }

  /** What is there, neighbouring blocks joined, in order. */
  coverage(snapshot: VolumeSnapshot | undefined): VolumeRange[] {
    return snapshot === undefined ? [] : covered(this.#context.own(snapshot).blocks);
  }

  /** The latest snapshot, on which the next commit builds. `LODE_NO_SNAPSHOTS` when there is none. Never writes. */
  async latest(options: MeteredOptions = {}): Promise<VolumeSnapshot> {
    const snapshot = await this.head(options);
    if (snapshot !== undefined) return snapshot;
    throw new LodeError('LODE_NO_SNAPSHOTS', 'this volume has no snapshot yet', {
      volume: this.id,
    });
  }

  /** The same, `undefined` when there is none: `missing(await volume.head())` is what to stage. */
  async head(options: MeteredOptions = {}): Promise<VolumeSnapshot | undefined> {
    assertOptions<MeteredOptions>(options, '', metered);
    const manifest = await this.#context.history.latest(this.#operation(options));
    return manifest && snapshotOf(manifest);
  }

  /** A snapshot by its id. `LODE_NOT_FOUND` when there is none. One request. */
  async snapshot(id: string, options: MeteredOptions = {}): Promise<VolumeSnapshot> {
    assertOptions<MeteredOptions>(options, '', metered);
    return snapshotOf(await this.#context.manifest(this.#operation(options), id));
  }

  /** The history, newest first: a page of keys at a time, manifests in bounded parallel. */
  async *snapshots(options: VolumeSnapshotsOptions = {}): AsyncGenerator<VolumeSnapshot> {
    assertOptions<VolumeSnapshotsOptions>(options, '', { unreachable: true, ...metered });
    const { unreachable = false } = options;
    const op = this.#operation(options);
    for await (const { manifest, reachable } of this.#context.history.walk(op, { unreachable }))
      if (reachable !== unreachable) yield snapshotOf(manifest);
  }

  /**
   * Completes what an interrupted commit left: a missing pointer, a pointer without manifest. Answers the keys it wrote;
   * with `dryRun`, those it would write.
   */
  async repair(options: CallOptions & { readonly dryRun?: boolean } = {}): Promise<string[]> {
    assertOptions<{ dryRun: boolean; signal: AbortSignal }>(options, '', {
      dryRun: true,
      signal: true,
    });
    this.#context.assertMayCommit();
    return this.#context.history.repair(this.#operation(options), options.dryRun === true);
  }

  /**
   * Reads everything that a snapshot, or every snapshot, refers to, and reports each object that is not as committed. A block
   * is read once, however many snapshots name it.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verifySnapshots(this.#operation(options), verification(this.#context), options);
  }

  /**
   * Blocks that were staged and never committed: a plan, and with `dryRun: false` their deletion. Only what is older than
   * `olderThanMs` counts, never what is younger than a day; nothing is deleted while a commit is under way.
   */
  async gc(options: GcOptions = {}): Promise<GcReport> {
    if (options.dryRun === false) this.#context.assertMayCommit();
    const op = this.#operation(options);
    const { collectVolume } = await import('./gc.ts');
    return collectVolume(op, this.#context, options);
  }

  /** Calls under way go on. */
  async close(): Promise<void> {
    this.#context.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #operation(options: MeteredOptions): Operation {
    return this.#context.operation(options);
  }

  async #plan(
    snapshot: SnapshotRef,
    range: VolumeRange,
    options: ReadAtOptions,
  ): Promise<ReadPlan> {
    assertOptions<ReadAtOptions>(options, '', { verified: true, ...metered });
    const context = this.#context;
    assertRange(this.id, this.length, range);
    const op = this.#operation(options);
    const manifest = await context.manifest(op, snapshot);
    return { op, context, manifest, verified: options.verified ?? context.options.verified };
  }
}
