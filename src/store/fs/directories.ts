/**
 * The directories of a store: where objects may be written, made on demand and never removed.
 *
 * Nothing is reached through a symbolic link inside the root (the root itself may be one). Each directory is walked to
 * from the root once, part by part, and remembered with its inode. From then on one look at it per operation is enough:
 * whatever link is put in its place or above it leads to another inode, and the walk is made again. What remains is the
 * moment between that look and the use, for someone who can write in the directory and times it.
 */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';

/** Remembered directories; when there are more, all are forgotten and walked to again. */
const rememberedMax = 10_000;

/** A directory that is there to be written to. */
interface Ready {
  /** Until it resolves, a power loss could take the directory away: nothing in it may be published before. */
  readonly lasting: Promise<unknown> | undefined;
}

const lasts: Ready = { lasting: undefined };

export class Directories {
  readonly #disk: Disk;
  readonly #root: string;
  /** True: names are synced before a directory counts as there. */
  readonly #durable: boolean;
  /** Inodes by path below the root, of directories that are known to be reached without links. */
  readonly #seen: Map<string, bigint> = new Map();
  /** The same, and known to be durable: every name on the way was synced by this store. */
  readonly #ready: Map<string, bigint> = new Map();
  readonly #making: Map<string, Promise<Ready>> = new Map();

  constructor(disk: Disk, root: string, durable: boolean) {
    this.#disk = disk;
    this.#root = root;
    this.#durable = durable;
  }

  /** On disk. `key` is that of an object or a directory; empty for the root. */
  path(key: string): string {
    return key === '' ? this.#root : `${this.#root}/${key}`;
  }

  /** Whether a directory is there to read from: false when it is absent or an object is in its place. */
  async isThere(directory: string): Promise<boolean> {
    const inode = await this.#find(directory);
    if (inode !== undefined && inode === this.#seen.get(directory)) return true;
    // Also when it is absent: a missing root or a link on the way is an error, not an absence.
    if (!(await this.#isWalkable(directory)) || inode === undefined) return false;
    remember(this.#seen, directory, inode);
    return true;
  }

  /** Makes sure a directory can be written to: it and all above it exist, and with `durable` are on their way to last. */
  async ready(directory: string): Promise<Ready> {
    const known = this.#ready.get(directory);
    if (known !== undefined && (await this.#find(directory)) === known) return lasts;
    // Callers at the same moment share one walk and its syncs.
    let making = this.#making.get(directory);
    if (making === undefined) {
      making = this.#make(directory);
      this.#making.set(directory, making);
      const end = (): boolean => this.#making.delete(directory);
      making.then(({ lasting }) => lasting).then(end, end);
    }
    return making;
  }

  /** Its inode; undefined when nothing or an object is there. A link is refused. */
  async #find(directory: string): Promise<bigint | undefined> {
    if (directory === '') return this.#rootInode();
    const path = this.path(directory);
    const info = await this.#disk.info(path);
    if (info?.kind === 'other') throw refused(path);
    return info?.kind === 'directory' ? info.inode : undefined;
  }

  /** `/.` looks at what the root leads to, since the root may be a link. */
  async #rootInode(): Promise<bigint> {
    const info = await this.#disk.info(`${this.#root}/.`);
    if (info?.kind === 'directory') return info.inode;
    if ((await this.#disk.info(this.#root)) === undefined) {
      throw new LodeError('LODE_NOT_FOUND', 'the root directory of the store does not exist', {
        key: this.#root,
        next: 'Create the directory first: a store never makes its root.',
      });
    }
    throw new LodeError('LODE_INVALID_ARGUMENT', 'the root of the store is not a directory', {
      key: this.#root,
    });
  }

  async #isWalkable(directory: string): Promise<boolean> {
    await this.#rootInode();
    for (const part of waysTo(directory)) {
      if ((await this.#find(part)) === undefined) return false;
    }
    return true;
  }

  async #make(directory: string): Promise<Ready> {
    const above = parentOf(directory);
    if (above === undefined) {
      remember(this.#ready, directory, await this.#rootInode());
      return lasts;
    }
    const { lasting: before } = await this.ready(above);
    // Not looked for first: what is remembered is there already, so most that get here are new.
    await this.#makeOne(directory);
    const inode = await this.#find(directory);
    if (inode === undefined) throw this.#objectInTheWay(directory);
    if (!this.#durable) {
      remember(this.#ready, directory, inode);
      return lasts;
    }
    // Also when it was there: whoever made it may not have synced its name, and what we acknowledge lies below it. All
    // names on the way are synced at once.
    const syncs = Promise.all([before, this.#disk.syncDirectory(this.path(above))]);
    const lasting = syncs.then(() => remember(this.#ready, directory, inode));
    // Told to whoever waits for it before publishing.
    lasting.catch(() => {});
    return { lasting };
  }

  /** What is in its place already, be it a directory or not, is looked at afterwards. */
  async #makeOne(directory: string): Promise<void> {
    try {
      await this.#disk.makeDirectory(this.path(directory));
    } catch (error) {
      if (!isLodeError(error, 'LODE_ALREADY_EXISTS')) throw error;
    }
  }

  #objectInTheWay(directory: string): LodeError {
    return new LodeError('LODE_INVALID_KEY', 'an object is where this key needs a directory', {
      key: directory,
      next: 'In a directory no key can be the beginning of another: choose a different key.',
    });
  }
}

/** The directory of an object: its key up to the last `/`, or empty. */
export function directoryOf(key: string): string {
  const end = key.lastIndexOf('/');
  return end === -1 ? '' : key.slice(0, end);
}

/** What lies inside the root but is neither file nor directory is not ours to follow. */
export function refused(path: string): LodeError {
  return new LodeError('LODE_PERMISSION_DENIED', 'this is a symbolic link or a special file', {
    key: path,
    next: 'Remove it from the store: nothing is read or written through it.',
  });
}

function parentOf(directory: string): string | undefined {
  return directory === '' ? undefined : directoryOf(directory);
}

/** `a`, `a/b`, `a/b/c`. */
function* waysTo(directory: string): Generator<string> {
  for (let end = directory.indexOf('/'); end !== -1; end = directory.indexOf('/', end + 1)) {
    yield directory.slice(0, end);
  }
  if (directory !== '') yield directory;
}

function remember(known: Map<string, bigint>, directory: string, inode: bigint): void {
  if (known.size >= rememberedMax) known.clear();
  known.set(directory, inode);
}
