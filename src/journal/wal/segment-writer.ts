/**
 * The segment that is being written. It is made under another name, complete with its header, and takes its own once that is
 * durable: a segment by name always has a header.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { isBlank } from './frame-scanner.ts';
import { FrameWriter } from './frame-writer.ts';
import { segmentName, unfinished } from './names.ts';
import { sealBytes } from './recover.ts';
import { recordKinds } from './record.ts';
import { encodeSegmentHeader } from './segment-header.ts';
import type { SegmentHeader } from './segment-header.ts';

/** Up to so much is written on the calling thread: it is a copy into the page cache. */
const inlineBytesMax = 1024 * 1024;
/** Groups longer than this gain nothing from preallocation. */
const smallGroupBytes = 64 * 1024;

/** The first bytes of a segment and the running checksum behind them. */
export function headerOf(header: SegmentHeader): {
  readonly bytes: Uint8Array;
  readonly running: number;
} {
  const { logNumber, firstLsn, previousRunning } = header;
  const writer = new FrameWriter({ logNumber, position: 0, running: previousRunning });
  const kind = recordKinds.header;
  writer.add({ kind, lsn: firstLsn, index: 0, timeDelta: 0 }, [encodeSegmentHeader(header)]);
  return writer.take();
}

/** Runs a sync; what it makes of a failure is the caller's. */
type Syncing = (sync: () => Promise<void>) => Promise<void>;

export class SegmentWriter {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly #file: DiskFile;
  readonly #preallocateBytes: number;
  /** Zeros are written up to here, so that a sync of what replaces them changes no inode. */
  #allocated: number;

  private constructor(
    header: SegmentHeader,
    path: string,
    file: DiskFile,
    allocated: number,
    preallocateBytes: number,
  ) {
    this.header = header;
    this.path = path;
    this.#file = file;
    this.#allocated = allocated;
    this.#preallocateBytes = preallocateBytes;
  }

  static async create(
    disk: Disk,
    dir: string,
    header: SegmentHeader,
    first: Uint8Array,
    preallocateBytes: number,
    syncing: Syncing,
    beforeName: () => Promise<void>,
  ): Promise<SegmentWriter> {
    const path = `${dir}/${segmentName(header.firstLsn)}`;
    const file = await disk.open(`${path}${unfinished}`, 'open-or-create');
    try {
      await file.truncate(0);
      file.writeSync(first, 0);
      const writer = new SegmentWriter(header, path, file, first.length, preallocateBytes);
      writer.#preallocate(first.length);
      await syncing(() => file.datasync());
      // Replaces one of this name only when that one holds no record.
      await beforeName();
      await disk.rename(`${path}${unfinished}`, path);
      await syncing(() => disk.syncDirectory(dir));
      return writer;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes that only touch the page cache are written at once; the rest goes through the pool. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (bytes.length <= inlineBytesMax) this.#file.writeSync(bytes, position);
    else await this.#file.write(bytes, position);
    this.#extend(bytes.length, position + bytes.length);
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#file.writeSync(bytes, position);
    this.#extend(bytes.length, position + bytes.length);
  }

  datasync(): Promise<void> {
    return this.#file.datasync();
  }

  datasyncSync(): void {
    this.#file.datasyncSync();
  }

  /** Takes back what was written from `position` on, durably: none of it may show up after a crash. */
  async cutBack(position: number): Promise<void> {
    await this.#file.truncate(position);
    this.#allocated = position;
    await this.#file.datasync();
  }

  /** The same where nothing may wait: of the `length` bytes from `position` on, those that are there become zeros. */
  blankSync(position: number, length: number): void {
    const found = new Uint8Array(length);
    const count = this.#file.readSync(found, position);
    if (isBlank(found, 0, count)) return;
    this.#file.writeSync(zeros(count), position);
    this.#file.datasyncSync();
  }

  /** Ends the segment behind its last record, once synced. Nobody writes to it afterwards. */
  async writeSeal(position: number, running: number, lastLsn: number): Promise<void> {
    const { bytes } = sealBytes(this.header.logNumber, position, running, lastLsn);
    this.#file.writeSync(bytes, position);
    await this.#file.truncate(position + bytes.length);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #extend(written: number, end: number): void {
    if (end > this.#allocated) {
      this.#allocated = end;
      if (written <= smallGroupBytes) this.#preallocate(end);
    }
  }

  /** A disk without room for it is no reason to fail: the records themselves fit. */
  #preallocate(end: number): void {
    if (this.#preallocateBytes === 0) return;
    try {
      this.#file.writeSync(zeros(this.#preallocateBytes), end);
      this.#allocated = end + this.#preallocateBytes;
    } catch {
      // Part of the zeros may be there. They read as the end of the log.
      this.#allocated = end;
    }
  }
}

let blank: Uint8Array = new Uint8Array(0);

function zeros(length: number): Uint8Array {
  if (blank.length < length) blank = new Uint8Array(length);
  return blank.subarray(0, length);
}
