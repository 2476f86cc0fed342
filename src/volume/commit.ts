/**
 * A commit of staged blocks: the head's blocks and these, in a new manifest. When another writer was faster, the same
 * blocks go on top of what it committed, unless the two overlap.
 */
import { formatTime } from '../encoding/time.ts';
import { LodeError } from '../errors.ts';
import type { VolumeRange } from '../errors.ts';
import { fenceMember, notVisible } from '../history/index.ts';
import type { CommitRequest, Committed, Operation } from '../history/index.ts';
import { ownMetadata } from '../manifest/index.ts';
import type { Metadata } from '../manifest/index.ts';
import { kindOf } from '../options.ts';
import { forEachOf } from '../parallel.ts';
import { createMeter } from '../store/index.ts';
import { BlockStack } from './block-stack.ts';
import { BlockTable } from './block-table.ts';
import type { VolumeBlocks, Span } from './block-table.ts';
import type { VolumeContext } from './context.ts';
import { namedDigest } from './digests.ts';
import { compactVersion, formatVersion, schemaName } from './manifest/index.ts';
import type { VolumeManifest } from './manifest/index.ts';
import type { Proofs } from './proofs.ts';
import { assertRange } from './range.ts';
import { snapshotOf } from './types.ts';
import type { CommitOptions, CommittedVolumeSnapshot, StagedRange, VolumeBlock } from './types.ts';

const checksumLengthMax = 256;

export async function commit(
  context: VolumeContext,
  proofs: Proofs,
  staged: readonly (StagedRange | VolumeBlock)[],
  metadata: Metadata | null | undefined,
  options: CommitOptions,
): Promise<CommittedVolumeSnapshot> {
  const meter = createMeter();
  context.assertMayCommit();
  const op = context.operation({ signal: options.signal, meter });
  const own = ownMetadata(metadata);
  assertMetadata(context, own);
  const blocks = blocksOf(context, staged);
  const work = new Commit(op, context, proofs, blocks, own, options);
  const { manifest, retries } = await work.run();
  return { ...snapshotOf(manifest), cost: meter.snapshot(), retries };
}

class Commit {
  readonly #op: Operation;
  readonly #context: VolumeContext;
  readonly #blocks: readonly VolumeBlock[];
  readonly #proofs: Proofs;
  readonly #added: BlockTable;
  readonly #metadata: Metadata;
  readonly #options: CommitOptions;

  constructor(
    op: Operation,
    context: VolumeContext,
    proofs: Proofs,
    blocks: readonly VolumeBlock[],
    metadata: Metadata,
    options: CommitOptions,
  ) {
    this.#op = op;
    this.#context = context;
    this.#added = BlockTable.of(blocks);
    this.#blocks = blocks;
    this.#proofs = proofs;
    this.#metadata = metadata;
    this.#options = options;
  }

  async run(): Promise<Committed<VolumeManifest>> {
    const { history } = this.#context;
    const request: CommitRequest<VolumeManifest> = {
      snapshotId: history.nextId(this.#op.env),
      expectedParent: this.#options.expectedParent,
      referenced: false,
      build: ({ snapshotId, parent }) => this.#manifest(snapshotId, parent),
      assertDataIsThere: () => this.#assertBlocksAreThere(),
    };
    try {
      return await history.commit(this.#op, request);
    } catch (error) {
      throw request.referenced ? error : notVisible(error);
    }
  }

  async #manifest(snapshotId: string, parent: VolumeManifest | undefined): Promise<VolumeManifest> {
    const { id: volumeId, length: totalLength, options, runs } = this.#context;
    const before = parent?.blocks ?? BlockTable.of([]);
    this.#assertNew(before);
    const form = options.manifests ?? (before instanceof BlockStack ? 'compact' : 'compatible');
    const isCompact = form === 'compact';
    const checksumAlgorithm = algorithmOver(parent?.checksumAlgorithm, options.checksum?.name);
    const added = namedUnder(checksumAlgorithm, this.#added);
    return {
      schemaName,
      formatVersion: isCompact ? compactVersion : formatVersion,
      volumeId,
      snapshotId,
      createdAt: formatTime(this.#op.env.now()),
      metadata: this.#metadata,
      totalLength,
      blocks: isCompact ? await runs.add(this.#op, before, added) : tableOf(before).merged(added),
      ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
      ...(checksumAlgorithm === undefined ? {} : { checksumAlgorithm }),
    };
  }

  /** Refuses what shares bytes with what is committed. */
  #assertNew(before: VolumeBlocks): void {
    let already = 0;
    let overlap: readonly [Span, Span] | undefined;
    for (const block of this.#added.from(0)) {
      for (const there of before.from(block.offset)) {
        if (there.offset >= block.offset + block.length) break;
        overlap ??= [there, block];
        if (there.offset === block.offset && there.length === block.length) already++;
      }
    }
    if (overlap === undefined) return;
    const { id: volume } = this.#context;
    if (already < this.#added.count) throw overlapping(volume, overlap);
    throw new LodeError('LODE_ALREADY_EXISTS', 'all these blocks are committed already', {
      volume,
      next: 'There is nothing left to commit; stage what missing() names.',
    });
  }

  async #assertBlocksAreThere(): Promise<void> {
    const { store, signal } = this.#op;
    // Asked for each attempt: what was proved when the first one began may be too old for the last.
    const doubtful = this.#blocks.filter((block) => !this.#proofs.has(block, this.#op));
    await forEachOf(doubtful, store.capabilities.concurrency, async ({ path, length }) => {
      const info = await store.head(path, { signal });
      if (info?.size === length) return;
      const details = { volume: this.#context.id, key: path, expected: length };
      const next = 'Stage the range again, and commit it in less than a day.';
      throw info === undefined
        ? new LodeError('LODE_NOT_FOUND', 'a staged block is not there', { ...details, next })
        : new LodeError('LODE_TRUNCATED', 'a staged block is not as long as its key says', {
            ...details,
            actual: info.size,
          });
    });
  }
}

/** Bare digests are of the algorithm that the manifest names, whoever wrote them; those of ours say theirs, or are md5 (E-24). */
function algorithmOver(before: string | undefined, own: string | undefined): string | undefined {
  return before === undefined || before === 'md5' ? (own ?? before) : before;
}

/** The md5 of ours is bare, as Go's is. Where the manifest would make something else of that, it is named. */
function namedUnder(algorithm: string | undefined, added: BlockTable): BlockTable {
  const isMd5 = (text = ''): boolean => /^[0-9a-f]{32}$/.test(text);
  if (namedDigest('0'.repeat(32), algorithm).algorithm === 'md5') return added;
  const named = ({ checksum, ...range }: Span): Span =>
    isMd5(checksum) ? { ...range, checksum: `md5:${checksum}` } : { ...range, checksum };
  return BlockTable.of([...added.from(0)].map(named));
}

function tableOf(blocks: VolumeBlocks): BlockTable {
  return blocks instanceof BlockTable ? blocks : BlockTable.of(blocks.from(0));
}

function assertMetadata(context: VolumeContext, metadata: Metadata): void {
  if (metadata[fenceMember] === undefined) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this member of the metadata is reserved', {
    volume: context.id,
    field: `metadata.${fenceMember}`,
    next: 'Choose another name.',
  });
}

/** The blocks of all that is given, sorted, checked one by one and against each other. */
function blocksOf(
  context: VolumeContext,
  staged: readonly (StagedRange | VolumeBlock)[],
): VolumeBlock[] {
  if (!Array.isArray(staged)) throw invalid(context, 'blocks', 'an array', kindOf(staged));
  const blocks = (staged as readonly (StagedRange | VolumeBlock)[]).flatMap((given) =>
    typeof given === 'object' && given !== null && 'blocks' in given ? given.blocks : [given],
  );
  if (blocks.length === 0) throw invalid(context, 'blocks', 'at least one block', 'none');
  for (const [i, block] of blocks.entries()) assertBlock(context, block, `blocks[${i}]`);
  blocks.sort((a, b) => a.offset - b.offset);
  blocks.forEach((block, i) => {
    const before = blocks[i - 1];
    if (before !== undefined && before.length > block.offset - before.offset)
      throw overlapping(context.id, [before, block]);
  });
  return blocks;
}

function assertBlock(context: VolumeContext, block: VolumeBlock, field: string): void {
  assertRange(context.id, context.length, block);
  const path = context.keys.block(block.offset, block.length);
  if (block.path !== path) throw invalid(context, `${field}.path`, path, String(block.path));
  const { checksum } = block;
  const isText = typeof checksum === 'string' && /^[\x21-\x7e]+$/.test(checksum);
  if (checksum === undefined || (isText && checksum.length <= checksumLengthMax)) return;
  throw invalid(
    context,
    `${field}.checksum`,
    'a digest as stageWriteAt() gives it',
    kindOf(checksum),
  );
}

function invalid(
  { id }: VolumeContext,
  field: string,
  expected: string,
  actual: string,
): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this cannot be committed', {
    volume: id,
    field,
    expected,
    actual,
  });
}

function overlapping(volume: string, [a, b]: readonly [VolumeRange, VolumeRange]): LodeError {
  const range = ({ offset, length }: VolumeRange): VolumeRange => ({ offset, length });
  return new LodeError('LODE_OVERLAPPING_BLOCKS', 'two blocks claim the same bytes', {
    volume,
    offset: Math.max(a.offset, b.offset),
    expected: `bytes from ${a.offset + a.length}`,
    actual: `${b.length} bytes from ${b.offset}`,
    blocks: [range(a), range(b)],
  });
}
