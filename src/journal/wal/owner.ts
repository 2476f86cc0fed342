/**
 * One process owns a log. The lock is the operating system's and ends with the process, however that ends; beside it lies
 * a note of who has it, for messages, and of the epoch, by which a writer notices that another one took over all the same:
 * on a file system whose locks do not work, say.
 */
import { whoAmI } from '#platform/machine.js';
import type { Disk, DiskFile, DiskLock } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { lockName, ownerName } from './names.ts';

const noteBytes = 256;

export class Owner {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #lock: DiskLock;
  readonly #file: DiskFile;
  readonly #inode: bigint;
  readonly #note: Uint8Array;
  readonly #found: Uint8Array;
  /** Greater than that of any owner before. */
  readonly epoch: number;

  private constructor(
    disk: Disk,
    path: string,
    lock: DiskLock,
    file: DiskFile,
    inode: bigint,
    note: Uint8Array,
    epoch: number,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#lock = lock;
    this.#file = file;
    this.#inode = inode;
    this.#note = note;
    this.#found = new Uint8Array(note.length);
    this.epoch = epoch;
  }

  /** Throws `LODE_LOCKED`, naming the holder, when another process or handle has it. */
  static async take(disk: Disk, dir: string): Promise<Owner> {
    const path = `${dir}/${ownerName}`;
    const lock = await disk.tryLock(`${dir}/${lockName}`);
    if (lock === undefined) {
      throw new LodeError('LODE_LOCKED', 'this log is open elsewhere', {
        key: dir,
        actual: (await noteAt(disk, path))?.holder ?? 'an unknown process',
      });
    }
    let file: DiskFile | undefined;
    try {
      const epoch = ((await noteAt(disk, path))?.epoch ?? 0) + 1;
      // Always as long, and written in place: a full disk keeps nobody from opening.
      const text = JSON.stringify({ epoch, holder: whoAmI() }).padEnd(noteBytes - 1);
      const note = new TextEncoder().encode(`${text}\n`);
      file = await disk.open(path, 'open-or-create');
      await file.write(note, 0);
      const { inode } = await file.info();
      return new Owner(disk, path, lock, file, inode, note, epoch);
    } catch (error) {
      await file?.close();
      await lock.release();
      throw error;
    }
  }

  /** Throws `LODE_FENCED` when somebody else has become the owner. Costs one small read. */
  check(): void {
    const found = this.#found;
    const count = this.#file.readSync(found, 0);
    const same = count === found.length && found.every((byte, i) => byte === this.#note[i]);
    if (!same) throw this.#fenced();
  }

  /** The same of where a file is about to get a name: it must not take the place of another owner's. */
  checkPlace(): void {
    this.check();
    if (this.#disk.infoSync(this.#path)?.inode !== this.#inode) throw this.#fenced();
  }

  #fenced(): LodeError {
    return new LodeError('LODE_FENCED', 'another process has taken this log over', {
      key: this.#path,
      next: 'Close this log and open it again; what was not acknowledged may be missing.',
    });
  }

  async release(): Promise<void> {
    try {
      await this.#file.close();
    } finally {
      await this.#lock.release();
    }
  }
}

interface Note {
  readonly epoch: number;
  readonly holder: string;
}

/** Undefined when there is none, or none that can be read: it is only a note. */
async function noteAt(disk: Disk, path: string): Promise<Note | undefined> {
  try {
    const file = await disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(1024);
      const count = await file.read(bytes, 0);
      const text = new TextDecoder().decode(bytes.subarray(0, count));
      const { epoch, holder } = (JSON.parse(text) ?? {}) as Partial<Note>;
      return isEpoch(epoch) && typeof holder === 'string' ? { epoch, holder } : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isLodeError(error, 'LODE_NOT_FOUND') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** There is room for every opening to come. */
function isEpoch(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) < 2 ** 48;
}
