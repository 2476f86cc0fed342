/** Reads the records of one file in order, a window at a time. */
import type { DiskFile } from '../../disk/disk.ts';
import { FrameScanner } from './frame-scanner.ts';

/** Many pages at once; a frame always fits twice. */
const windowBytes = 1024 * 1024;

interface ReadFrom {
  readonly logNumber: number;
  readonly position?: number;
  readonly running?: number;
}

export class SegmentReader {
  readonly scanner: FrameScanner;
  readonly #file: DiskFile;
  #window: Uint8Array | undefined;
  /** End of what was loaded last. */
  #loaded = -1;
  /** Nothing from here on is read. */
  #limit: number;
  /** Whether the limit is the end of the file: else more may be written there. */
  #isWhole: boolean;

  constructor(file: DiskFile, from: ReadFrom, limit: number, isWhole: boolean) {
    this.#file = file;
    this.#limit = limit;
    this.#isWhole = isWhole;
    this.scanner = new FrameScanner(from.logNumber, from.position ?? 0, from.running ?? 0);
  }

  /** More of the file may be read now. */
  extend(limit: number, isWhole: boolean): void {
    this.#limit = limit;
    this.#isWhole = isWhole;
    this.#loaded = -1;
    this.scanner.load(new Uint8Array(0), this.scanner.position, false);
  }

  /** Loads the next window; false when there is nothing more to load. */
  async fill(): Promise<boolean> {
    const { position } = this.scanner;
    const left = this.#limit - position;
    // Asked again for what it has: a frame goes on beyond the limit.
    if (!this.#isWhole && (left <= 0 || this.#loaded === this.#limit)) return false;
    const length = Math.max(0, Math.min(left, windowBytes));
    if (this.#window === undefined || this.#window.length < length) {
      this.#window = new Uint8Array(length);
    }
    const into = this.#window.subarray(0, length);
    const count = await this.#file.read(into, position);
    const isEnd = position + count >= this.#limit || count < length;
    this.scanner.load(into.subarray(0, count), position, isEnd && this.#isWhole);
    this.#loaded = position + count;
    return count > 0 || this.#isWhole;
  }
}
