/**
 * Reads the records of one file in order, a window at a time. Of a long file the next window is read while this one is gone
 * through.
 */
import type { DiskFile } from '../../disk/disk.ts';
import { pageBytes } from './frame.ts';
import { FrameScanner } from './frame-scanner.ts';

/** Many pages at once. Windows end where pages do, as frames do: what follows one begins with a frame. */
const windowBytes = 1024 * 1024;

interface ReadFrom {
  readonly logNumber: number;
  readonly position?: number;
  readonly running?: number;
}

interface Window {
  readonly buffer: Uint8Array;
  readonly position: number;
  readonly wanted: number;
  readonly count: Promise<number>;
}

/**
 * Kept, and not used: when the last scanner is collected between two files, the engine forgets how scanners look, and what it
 * compiled for them takes twice as long from then on.
 */
let kept: FrameScanner | undefined;

export class SegmentReader {
  readonly scanner: FrameScanner;
  readonly #file: DiskFile;
  /** End of what was loaded last, and the buffer it is in. */
  #loaded = -1;
  #buffer: Uint8Array | undefined;
  #ahead: Window | undefined;
  /** The buffer of the window before, to be used again. */
  #spare: Uint8Array | undefined;
  /** Nothing from here on is read. */
  #limit: number;
  /** Whether the limit is the end of the file: else more may be written there. */
  #isWhole: boolean;

  constructor(file: DiskFile, from: ReadFrom, limit: number, isWhole: boolean) {
    this.#file = file;
    this.#limit = limit;
    this.#isWhole = isWhole;
    if (kept === undefined) kept = new FrameScanner(0, 0, 0);
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
    // Asked again for what it has: a frame goes on beyond the limit.
    const isAtLimit = position >= this.#limit || this.#loaded === this.#limit;
    if (!this.#isWhole && isAtLimit) return false;
    const isFirst = this.#loaded === -1;
    const window = this.#ahead?.position === position ? this.#ahead : this.#read(position);
    this.#ahead = undefined;
    const count = await window.count;
    this.#spare = this.#buffer;
    this.#buffer = window.buffer;
    this.#loaded = position + count;
    const isEnd = this.#loaded >= this.#limit || count < window.wanted;
    this.scanner.load(window.buffer.subarray(0, count), position, isEnd && this.#isWhole);
    // Most files end within the first window, or their records do.
    if (this.#isWhole && !isEnd && !isFirst) this.#ahead = this.#read(this.#loaded);
    return count > 0 || this.#isWhole;
  }

  #read(position: number): Window {
    const room = windowBytes - (position % pageBytes);
    const wanted = Math.max(0, Math.min(this.#limit - position, room));
    let buffer = this.#spare;
    this.#spare = undefined;
    if (buffer === undefined || buffer.length < wanted) buffer = new Uint8Array(wanted);
    const count = this.#file.read(buffer.subarray(0, wanted), position);
    // Whoever needs it is told. Nobody may: the file is closed then, and what becomes of the read does not matter.
    count.catch(() => {});
    return { buffer, position, wanted, count };
  }
}
