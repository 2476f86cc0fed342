/**
 * Runs in the store: fetched once for all snapshots that share them, and made by commits.
 *
 * A commit puts its blocks into the manifest. Once that holds more than `recentMax` they become a run, and runs of one size
 * class become one of the next as soon as there are `fanout` of them. So a block is written again once for each class, a
 * manifest names at most `fanout - 1` runs of each, and the bytes of a commit of K blocks are O(K + log B), amortised.
 */
import { crc32c } from '../encoding/checksums/index.ts';
import { digestOf } from '../encoding/checksum.ts';
import { LodeError } from '../errors.ts';
import { assertDigest, fetchFile, putDefinitely, sameBytes } from '../history/index.ts';
import type { Operation } from '../history/index.ts';
import { forEachOf } from '../parallel.ts';
import type { PutOptions } from '../store/index.ts';
import { BlockStack, UnreadStack } from './block-stack.ts';
import type { Run, RunRef } from './block-stack.ts';
import { BlockTable, overlapIn } from './block-table.ts';
import type { VolumeBlocks } from './block-table.ts';
import type { VolumeKeys } from './keys.ts';
import type { VolumeManifest } from './manifest/index.ts';
import { decodeRun, encodeRun } from './run.ts';

/** Blocks that a manifest holds itself. */
const recentMax = 64;
const fanout = 4;
const createOnly = (): PutOptions => ({ mode: 'create' });

export class Runs {
  readonly #keys: VolumeKeys;
  /** Those of the stack met last: the next snapshot shares most of them. */
  #known: ReadonlyMap<string, Run> = new Map();

  constructor(keys: VolumeKeys) {
    this.#keys = keys;
  }

  /** The manifest with its runs, fetched in bounded parallel, verified, and free of overlaps. */
  async complete(op: Operation, manifest: VolumeManifest): Promise<VolumeManifest> {
    const { blocks, totalLength } = manifest;
    if (!(blocks instanceof UnreadStack)) return manifest;
    const known = this.#known;
    const runs: Run[] = [];
    await forEachOf(blocks.refs, op.store.capabilities.concurrency, async (ref, i) => {
      runs[i] = known.get(ref.id) ?? (await this.#fetch(op, ref, totalLength));
    });
    const stack = new BlockStack(runs, blocks.recent);
    const isKnown = runs.filter(({ id }) => known.has(id)).length;
    this.#assertDisjoint(manifest, stack, isKnown * 2 < runs.length);
    this.#remember(runs);
    return { ...manifest, blocks: stack };
  }

  /** Everything before, and these blocks, which overlap nothing of it. */
  async add(op: Operation, before: VolumeBlocks, added: BlockTable): Promise<BlockStack> {
    const stack =
      before instanceof BlockStack
        ? before
        : new BlockStack([], before instanceof BlockTable ? before : BlockTable.of(before.from(0)));
    const recent = stack.recent.merged(added);
    if (recent.count <= recentMax) return new BlockStack(stack.runs, recent);
    const runs = [...stack.runs];
    let table = recent;
    for (let size = classOf(table); ; size = classOf(table)) {
      const alike = runs.filter((run) => classOf(run) <= size);
      if (alike.length < fanout - 1) break;
      for (const run of alike) {
        table = table.merged(run.table);
        runs.splice(runs.indexOf(run), 1);
      }
    }
    runs.push(await this.#put(op, table));
    this.#remember(runs);
    return new BlockStack(runs, BlockTable.of([]));
  }

  async #put(op: Operation, table: BlockTable): Promise<Run> {
    const id = op.env.id();
    const key = this.#keys.run(id);
    const body = encodeRun(table);
    const landed = sameBytes(op, key, body);
    const { outcome } = await putDefinitely(op, { key, body, options: createOnly, landed });
    if (outcome === 'conflict')
      throw new LodeError('LODE_ALREADY_EXISTS', 'a run has an id that was drawn before', { key });
    const { count, bytes: coveredBytes } = table;
    return { id, count, sizeBytes: body.length, coveredBytes, checksum: checksumOf(body), table };
  }

  async #fetch(op: Operation, ref: RunRef, totalLength: number): Promise<Run> {
    const key = this.#keys.run(ref.id);
    const file = { path: key, sizeBytes: ref.sizeBytes };
    const bytes = await (await fetchFile(op.store, file, { signal: op.signal })).bytes();
    assertDigest(file, ref.checksum, checksumOf(bytes));
    const table = decodeRun(bytes, { key, count: ref.count, totalLength });
    if (table.bytes === ref.coveredBytes) return { ...ref, table };
    throw new LodeError('LODE_MANIFEST_INVALID', 'a run covers another number of bytes', {
      key,
      expected: ref.coveredBytes,
      actual: table.bytes,
    });
  }

  /** Runs that were met together before do not overlap: then only what is new is looked up. */
  #assertDisjoint(manifest: VolumeManifest, stack: BlockStack, isMostlyNew: boolean): void {
    const overlap = isMostlyNew ? overlapIn(stack) : this.#overlapOfNew(stack);
    if (overlap === undefined) return;
    const [{ offset, length }, second] = overlap;
    throw new LodeError('LODE_MANIFEST_INVALID', 'two runs of a volume claim the same bytes', {
      key: this.#keys.manifest(manifest.snapshotId),
      field: 'runs',
      expected: `none before ${offset + length}`,
      actual: second.offset,
    });
  }

  #overlapOfNew(stack: BlockStack): ReturnType<typeof overlapIn> {
    const unknown = stack.runs.filter(({ id }) => !this.#known.has(id)).map(({ table }) => table);
    for (const table of [...unknown, stack.recent]) {
      for (const block of table.from(0)) {
        for (const other of stack.tables()) {
          if (other === table) continue;
          const [there] = other.from(block.offset);
          if (there !== undefined && there.offset < block.offset + block.length)
            return [there, block];
        }
      }
    }
    return undefined;
  }

  #remember(runs: readonly Run[]): void {
    this.#known = new Map(runs.map((run) => [run.id, run]));
  }
}

/** Runs of a class hold up to `fanout` times as many blocks as those of the class before. */
function classOf({ count }: { readonly count: number }): number {
  let size = 0;
  for (let end = recentMax * fanout; count >= end; end *= fanout) size++;
  return size;
}

function checksumOf(bytes: Uint8Array): string {
  return `crc32c:${digestOf(crc32c(), bytes)}`;
}
