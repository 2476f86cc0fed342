/**
 * Staging: bytes become blocks that nothing refers to yet. A source is cut into pieces that are in memory whole before they
 * are put, so that one which ends early never becomes a block, and an unanswered put can be sent again.
 *
 * A block that is there already is never replaced by other bytes, since a manifest may name it (E-6): with the same bytes it
 * is adopted, otherwise the range is staged in two halves, whose keys are others.
 */
import { byteSource, measured, sameContent } from '../bytes/index.ts';
import type { ByteInput, ByteSource } from '../bytes/index.ts';
import { digestOf } from '../encoding/checksum.ts';
import { LodeError } from '../errors.ts';
import { collectionAgeMinMs, notVisible, putDefinitely, sameBytes } from '../history/index.ts';
import type { Operation } from '../history/index.ts';
import type { ETag, PutOptions } from '../store/index.ts';
import type { VolumeContext } from './context.ts';
import { checksumText } from './digests.ts';
import { assertRange } from './range.ts';
import type { Proofs } from './proofs.ts';
import type { StagedRange, StageOptions, StageProgress, VolumeBlock } from './types.ts';

/** What is found under the key of a block is looked at again so often, when it changes meanwhile. */
const looksMax = 4;
const nothing = (): void => {};
const createOnly = (): PutOptions => ({ mode: 'create' });

export async function stage(
  op: Operation,
  context: VolumeContext,
  proofs: Proofs,
  offset: number,
  input: ByteInput,
  options: StageOptions,
): Promise<StagedRange> {
  const source = sized(byteSource(input), options.length);
  const { id: volume, length: totalLength } = context;
  // Before the source is touched: a wrong offset must not consume a stream.
  assertRange(volume, totalLength, { offset, length: source.size ?? 1 });
  const staging = new Staging(op, context, proofs, offset, options.onProgress);
  const length = await staging.run(source);
  if (length > 0) return { offset, length, blocks: staging.blocks() };
  throw new LodeError('LODE_INVALID_ARGUMENT', 'an empty source cannot be staged', {
    volume,
    field: 'source',
    offset,
  });
}

/** The source, held to the length that the caller knows. */
function sized(source: ByteSource, length: number | undefined): ByteSource {
  if (length === undefined) return source;
  const { bytes, ...stream } = source;
  // Bytes of another length go through the measuring stream, which refuses them.
  return bytes?.length === length ? source : { ...stream, size: length };
}

class Staging {
  readonly #op: Operation;
  readonly #context: VolumeContext;
  readonly #proofs: Proofs;
  readonly #offset: number;
  readonly #onProgress: ((progress: StageProgress) => void) | undefined;
  readonly #staged: VolumeBlock[] = [];
  #failure: { readonly error: unknown } | undefined;
  #stagedBytes = 0;
  #adopted = 0;

  constructor(
    op: Operation,
    context: VolumeContext,
    proofs: Proofs,
    offset: number,
    onProgress: ((progress: StageProgress) => void) | undefined,
  ) {
    this.#op = op;
    this.#context = context;
    this.#proofs = proofs;
    this.#offset = offset;
    this.#onProgress = onProgress;
  }

  blocks(): VolumeBlock[] {
    return this.#staged.sort((a, b) => a.offset - b.offset);
  }

  /** Puts piece by piece, several at a time; answers the length of the source once all are there. */
  async run(source: ByteSource): Promise<number> {
    await this.#context.options.checksum?.ready?.();
    const underWay = new Set<Promise<void>>();
    let length = 0;
    try {
      for await (const { bytes, done } of this.#pieces(source)) {
        const offset = this.#offset + length;
        length += bytes.length;
        const work = this.#putSafely(offset, bytes).finally(() => {
          done();
          underWay.delete(work);
        });
        underWay.add(work);
        if (this.#failure !== undefined) break;
      }
    } finally {
      // Also after a failure: nothing goes on behind the caller's back.
      await Promise.all(underWay);
    }
    if (this.#failure !== undefined) throw this.#failure.error as Error;
    return length;
  }

  async *#pieces(source: ByteSource): AsyncGenerator<Piece> {
    const { blockBytes } = this.#context.options;
    const { signal } = this.#op;
    if (source.bytes !== undefined) {
      for (let at = 0; at < source.bytes.length; at += blockBytes) {
        // In memory already: only the lanes are shared.
        const done = await this.#context.lanes.take(1, signal);
        yield { bytes: source.bytes.subarray(at, at + blockBytes), done };
      }
      return;
    }
    yield* this.#cut(source, Math.min(blockBytes, source.size ?? blockBytes));
  }

  async *#cut(source: ByteSource, pieceBytes: number): AsyncGenerator<Piece> {
    const { bytes: memory, lanes, id: volume, length: totalLength } = this.#context;
    const { signal } = this.#op;
    let piece = new Growing(pieceBytes);
    let giveBack = await memory.take(pieceBytes, signal);
    let length = 0;
    try {
      for await (const chunk of measured(source, signal)) {
        length += chunk.length;
        assertRange(volume, totalLength, { offset: this.#offset, length: Math.max(length, 1) });
        for (let rest = chunk; rest.length > 0;) {
          rest = piece.take(rest);
          if (!piece.isFull) continue;
          const full = await this.#piece(piece, giveBack, lanes);
          giveBack = nothing;
          yield full;
          piece = new Growing(pieceBytes);
          giveBack = await memory.take(pieceBytes, signal);
        }
      }
      if (piece.length === 0) return;
      const last = await this.#piece(piece, giveBack, lanes);
      giveBack = nothing;
      yield last;
    } finally {
      // What was handed over gives its memory back itself.
      giveBack();
    }
  }

  async #piece(
    piece: Growing,
    giveBack: () => void,
    lanes: VolumeContext['lanes'],
  ): Promise<Piece> {
    const leave = await lanes.take(1, this.#op.signal);
    const done = (): void => {
      leave();
      giveBack();
    };
    return { bytes: piece.bytes(), done };
  }

  async #putSafely(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#put(offset, bytes);
    } catch (error) {
      // Nothing refers to a block yet: an open outcome is a plain failure.
      this.#failure ??= { error: notVisible(error) };
    }
  }

  async #put(offset: number, bytes: Uint8Array): Promise<void> {
    const { keys, options } = this.#context;
    const key = keys.block(offset, bytes.length);
    for (let look = 0; look < looksMax; look++) {
      const result = await putDefinitely(this.#op, {
        key,
        body: bytes,
        options: createOnly,
        landed: sameBytes(this.#op, key, bytes),
      });
      if (result.outcome === 'stored') return this.#done(offset, bytes, key, false);
      const found = await this.#compare(key, bytes);
      if (found === 'other') return this.#putHalves(offset, bytes, key);
      if (found !== undefined && (await this.#refresh(key, bytes, found)))
        return this.#done(offset, bytes, key, true);
    }
    throw new LodeError('LODE_OBJECT_CHANGED', 'a staged block comes and goes', {
      volume: this.#context.id,
      key,
      next: `Stage again, when no other process stages ${options.blockBytes} bytes at a time.`,
    });
  }

  /** The etag of what is there when it has these bytes; `other` when it has not, or may soon be gone. */
  async #compare(key: string, bytes: Uint8Array): Promise<ETag | 'other' | undefined> {
    const { store, signal, env } = this.#op;
    const object = await store.get(key, { signal });
    if (object === undefined) return undefined;
    // Without a lock to share, a collector that has just found it old enough could delete it after it was refreshed.
    const ageMs = Number(env.now() / 1_000_000n) - object.lastModifiedMs;
    const mayGo = !store.capabilities.guardedPut && ageMs > collectionAgeMinMs / 2;
    if (object.size !== bytes.length || mayGo) {
      await object.cancel();
      return 'other';
    }
    return sameContent(await object.bytes(), bytes) ? object.etag : 'other';
  }

  /** Writes the same bytes again: as young as any other block of this commit, it is not taken for garbage. */
  async #refresh(key: string, body: Uint8Array, etag: ETag): Promise<boolean> {
    const { store } = this.#op;
    const canCompare = store.capabilities.conditionalWrites !== 'none';
    const result = await putDefinitely(this.#op, {
      key,
      body,
      options: () => ({ mode: canCompare ? { ifMatch: etag } : 'overwrite' }),
      landed: sameBytes(this.#op, key, body),
    });
    return result.outcome === 'stored';
  }

  async #putHalves(offset: number, bytes: Uint8Array, key: string): Promise<void> {
    const half = bytes.length >>> 1;
    if (half === 0) {
      throw new LodeError('LODE_ALREADY_EXISTS', 'a block of one byte is there with another one', {
        volume: this.#context.id,
        key,
        offset,
        next: 'Stage a longer range around it, or collect the block once it is old enough.',
      });
    }
    await this.#put(offset, bytes.subarray(0, half));
    await this.#put(offset + half, bytes.subarray(half));
  }

  #done(offset: number, bytes: Uint8Array, path: string, adopted: boolean): void {
    const { checksum } = this.#context.options;
    const digest = checksum && checksumText(checksum, digestOf(checksum, bytes));
    const block = { offset, length: bytes.length, path, ...(digest && { checksum: digest }) };
    this.#staged.push(Object.freeze(block));
    if (!adopted) this.#proofs.add(block, this.#op);
    this.#stagedBytes += bytes.length;
    if (adopted) this.#adopted++;
    this.#onProgress?.({
      stagedBytes: this.#stagedBytes,
      blocks: this.#staged.length,
      adopted: this.#adopted,
    });
  }
}

interface Piece {
  readonly bytes: Uint8Array;
  /** To be called when the piece is not needed any more. */
  readonly done: () => void;
}

/** A buffer that grows with what comes, up to its limit: most sources are short. */
class Growing {
  readonly #max: number;
  #buffer: Uint8Array;
  #length = 0;

  constructor(max: number) {
    this.#max = max;
    this.#buffer = new Uint8Array(Math.min(max, 16 * 1024));
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.#max;
  }

  /** Copies what fits; answers the rest. */
  take(chunk: Uint8Array): Uint8Array {
    const count = Math.min(chunk.length, this.#max - this.#length);
    const needed = this.#length + count;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#max, Math.max(needed, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk.subarray(0, count), this.#length);
    this.#length = needed;
    return chunk.subarray(count);
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
