/**
 * Uploads what a volume lacks of a file, a batch of blocks at a time, each of which is committed as a whole.
 *
 * Whatever ends it, what was uploaded is committed first, so that the next run begins after it. Others may fill the same
 * volume meanwhile: what they have committed counts as there.
 */
import { isLodeError } from 'lode';
import type { StagedRange, Volume, VolumeRange, VolumeSnapshot } from 'lode';
import type { SourceFile } from './source-file.ts';

/** Blocks in memory at once. */
const lanesMax = 8;

interface FillingOptions {
  /** Where the file lies in the volume. */
  readonly offset: number;
  readonly blockBytes: number;
  readonly batchBytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

export class Filling {
  head: VolumeSnapshot | undefined;
  uploadedBytes = 0;
  blocks = 0;
  /** Blocks that an earlier run had uploaded, and not committed. */
  adopted = 0;
  commits = 0;
  readonly #volume: Volume;
  readonly #file: SourceFile;
  readonly #options: FillingOptions;

  constructor(volume: Volume, file: SourceFile, options: FillingOptions) {
    this.#volume = volume;
    this.#file = file;
    this.#options = options;
  }

  /** What of the file is not in the volume yet. */
  get missing(): VolumeRange[] {
    return this.#volume.missing(this.head, {
      offset: this.#options.offset,
      length: this.#file.size,
    });
  }

  async look(): Promise<void> {
    this.head = await this.#volume.head({ signal: this.#options.signal });
  }

  async run(): Promise<void> {
    for (;;) {
      const pieces = this.#nextPieces();
      if (pieces.length === 0) return;
      const { staged, failure } = await this.#stage(pieces);
      try {
        if (staged.length > 0) await this.#commit(staged);
      } catch (error) {
        throw failure === undefined ? error : failure.error;
      }
      if (failure !== undefined) throw failure.error;
    }
  }

  /** Cut where blocks would be cut without any gap: another run asks for the same ones, and finds them. */
  #nextPieces(): VolumeRange[] {
    const { blockBytes, batchBytes } = this.#options;
    const pieces: VolumeRange[] = [];
    let bytes = 0;
    for (const gap of this.missing) {
      const end = gap.offset + gap.length;
      for (let offset = gap.offset; offset < end;) {
        if (bytes >= batchBytes) return pieces;
        const next = Math.min(end, (Math.floor(offset / blockBytes) + 1) * blockBytes);
        pieces.push({ offset, length: next - offset });
        bytes += next - offset;
        offset = next;
      }
    }
    return pieces;
  }

  async #stage(
    pieces: readonly VolumeRange[],
  ): Promise<{ staged: StagedRange[]; failure: { readonly error: unknown } | undefined }> {
    const staged: StagedRange[] = [];
    let failure: { readonly error: unknown } | undefined;
    const waiting = pieces.values();
    const lane = async (): Promise<void> => {
      for (const piece of waiting) {
        if (failure !== undefined) return;
        try {
          staged.push(await this.#stageOne(piece));
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: lanesMax }, lane));
    return { staged, failure };
  }

  async #stageOne({ offset, length }: VolumeRange): Promise<StagedRange> {
    const { signal, onProgress } = this.#options;
    signal.throwIfAborted();
    const bytes = await this.#file.read(offset - this.#options.offset, length);
    let adopted = 0;
    const staged = await this.#volume.stageWriteAt(offset, bytes, {
      signal,
      onProgress: (progress) => (adopted = progress.adopted),
    });
    this.uploadedBytes += length;
    this.blocks += staged.blocks.length;
    this.adopted += adopted;
    onProgress();
    return staged;
  }

  /** Not on the signal: what was uploaded is worth committing. */
  async #commit(staged: readonly StagedRange[]): Promise<void> {
    await this.#file.assertUnchanged();
    let rest = staged;
    while (rest.length > 0) {
      try {
        this.head = await this.#volume.commit(rest);
        this.commits++;
        return;
      } catch (error) {
        if (!isLodeError(error, 'LODE_OVERLAPPING_BLOCKS', 'LODE_ALREADY_EXISTS')) throw error;
        // Another process fills as well. Only what it has left alone goes on top.
        const head = await this.#volume.latest();
        this.head = head;
        rest = rest.filter((range) => {
          const [gap] = this.#volume.missing(head, range);
          return gap?.offset === range.offset && gap.length === range.length;
        });
      }
    }
  }
}
