/**
 * The segment that is being written. It is made under another name, complete with its header, and takes its own once that is
 * durable: a segment by name always has a header.
 */
import type { DiskFile } from '../../disk/disk.ts';
import { FrameWriter } from './frame-writer.ts';
import type { LogOptions } from './log-options.ts';
import { segmentName, unfinished } from './names.ts';
import { sealBytes } from './recover.ts';
import { recordKinds } from './record.ts';
import { encodeSegmentHeader } from './segment-header.ts';
import type { SegmentHeader } from './segment-header.ts';
import { dataOf, namesIn } from './steps.ts';
import type { Steps, Syncing, Wait } from './steps.ts';

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

export class SegmentWriter {
  readonly header: SegmentHeader;
  readonly path: string;
  #file: DiskFile;
  readonly #preallocateBytes: number;
  /** Zeros are written up to here, so that a sync of what replaces them changes no inode. */
  #allocated: number;
  /** A write off the calling thread is under way. */
  isWriting = false;

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

  static *create(
    { disk, dir, preallocateBytes }: LogOptions,
    header: SegmentHeader,
    first: Uint8Array,
    syncing: Syncing,
    beforeName: () => void,
  ): Steps<SegmentWriter> {
    const path = `${dir}/${segmentName(header.firstLsn)}`;
    // Each writer has one of its own: of two who both take the log for theirs, neither may write what the other one names.
    const beside = `${path}.${header.epoch}${unfinished}`;
    const file = disk.openSync(beside, 'open-or-create');
    try {
      file.truncateSync(0);
      file.writeSync(first, 0);
      const writer = new SegmentWriter(header, path, file, first.length, preallocateBytes);
      writer.#preallocate(first.length);
      yield* syncing(dataOf(file));
      // Replaces one of this name only when that one holds no record.
      beforeName();
      disk.renameSync(beside, path);
      yield* syncing(namesIn(disk, dir));
      return writer;
    } catch (error) {
      file.closeSync();
      throw error;
    }
  }

  /** Bytes that only touch the page cache are written at once; the rest goes through the pool. */
  write(bytes: Uint8Array, position: number): Wait {
    const now = (): void => this.#file.writeSync(bytes, position);
    const later = async (): Promise<void> => {
      if (bytes.length <= inlineBytesMax) return now();
      this.isWriting = true;
      await this.#file.write(bytes, position).finally(() => (this.isWriting = false));
    };
    return { now, later };
  }

  /** Tells that so much was written, up to `end`. */
  extend(written: number, end: number): void {
    if (end <= this.#allocated) return;
    this.#allocated = end;
    if (written <= smallGroupBytes) this.#preallocate(end);
  }

  datasync(): Wait {
    return dataOf(this.#file);
  }

  /** Takes back what was written from `position` on, durably: none of it may show up after a crash. */
  *cutBack(position: number): Steps {
    this.#file.truncateSync(position);
    this.#allocated = position;
    yield this.datasync();
  }

  /** Ends the segment behind its last record, once synced. Nobody writes to it afterwards. */
  writeSeal(position: number, running: number, lastLsn: number): void {
    const { bytes } = sealBytes(this.header.logNumber, position, running, lastLsn);
    this.#file.writeSync(bytes, position);
    this.#file.truncateSync(position + bytes.length);
  }

  /**
   * Goes on through a descriptor of its own and returns the one before, which calls are under way on: closed now, its number might be another
   * file's when they happen; and of a sync that fails, the machine tells each descriptor once. By name, it might be another owner's.
   */
  reopen({ disk, owner }: Pick<LogOptions, 'disk' | 'owner'>): DiskFile {
    const before = this.#file;
    owner.checkPlace();
    this.#file = disk.openSync(this.path, 'write');
    return before;
  }

  close(): void {
    this.#file.closeSync();
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
