/**
 * A store in a directory: an object is a file, its key the path below the root.
 *
 * - Whole or not at all: content is staged under a hidden name, synced, and published by a link or a rename.
 * - `create` is decided by the link. `ifMatch` and `beforePublish` hold `flock(2)` on `<key>.lock`, as Go Lode does,
 *   which excludes every process of the machine where the disk can.
 * - With `durability: 'full'` a stored outcome survives a power loss: content, name and every directory above.
 * - Nothing outside the root is read or written, not even through a link planted inside.
 *
 * The constructor does no I/O: a root that is missing or no directory fails the first call.
 */
import { byteSource, type ByteInput, type ByteSource } from '../../bytes/index.ts';
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { systemEnv, type Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions, kindOf } from '../../options.ts';
import { keyBytesMax, normalisePrefix } from '../key.ts';
import { checkMode } from '../mode.ts';
import { checkRange, clipRange } from '../range.ts';
import { notModified, objectChanged } from '../stored-bytes.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutMode,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from '../store.ts';
import { deleteObjects } from './delete.ts';
import { Directories, directoryOf } from './directories.ts';
import { componentBytesMax, fileKey, lockPathOf } from './names.ts';
import { Publisher, type Target } from './publish.ts';
import { readRange, StoredFile } from './read.ts';
import { Staging, type Staged } from './staging.ts';
import { NameSyncs } from './sync-names.ts';
import { Turns } from './turn.ts';
import { infoOf, openObject, versionAt, versionOf } from './version.ts';
import { walk } from './walk.ts';

export interface FsStoreOptions {
  /**
   * `full` (the default): what is stored survives a power loss. `none`: it survives the end of the process; after a power
   * loss, what was written last may be missing or empty.
   */
  readonly durability?: 'full' | 'none';
  /** How long to wait for another writer of the same key, in milliseconds; 30 s by default. Then `LODE_TIMEOUT`. */
  readonly lockTimeoutMs?: number;
  readonly env?: Env;
  /** Another disk than the machine's. */
  readonly disk?: Disk;
}

const fsStoreNames = { durability: true, lockTimeoutMs: true, env: true, disk: true } as const;

/** A store in the directory `root`, which must exist. Makes nothing until something is put. */
export function fsStore(root: string | URL, options: FsStoreOptions = {}): Store {
  assertOptions<FsStoreOptions>(options, '', fsStoreNames);
  const { durability = 'full', lockTimeoutMs = 30_000 } = options;
  const isPath = root instanceof URL || (typeof root === 'string' && root !== '');
  if (!isPath || !['full', 'none'].includes(durability)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this store cannot be opened', {
      field: isPath ? 'durability' : 'root',
      expected: isPath ? 'full or none' : 'the path of a directory',
      actual: root === '' ? 'an empty string' : kindOf(isPath ? durability : root),
      ...(isPath ? {} : { next: "Name the directory, such as fsStore('./data')." }),
    });
  }
  if (!(lockTimeoutMs >= 0)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'lockTimeoutMs is not a time', {
      field: 'lockTimeoutMs',
      actual: String(lockTimeoutMs),
    });
  }
  return new FsStore({
    root: options.disk === undefined ? absolutePath(root) : String(root),
    disk: options.disk ?? (machine ??= nodeDisk()),
    env: options.env ?? systemEnv,
    durable: durability === 'full',
    lockTimeoutMs,
  });
}

/** One for all stores, so that the writers of one process stand in one line. */
let machine: Disk | undefined;

/** Ranges up to this size are read at once, when the object is opened. */
const readNowBytesMax = 64 * 1024;

interface Setup {
  readonly root: string;
  readonly disk: Disk;
  readonly env: Env;
  readonly durable: boolean;
  readonly lockTimeoutMs: number;
}

/** A put whose arguments have been checked. */
interface Put {
  readonly target: Target;
  readonly source: ByteSource;
  readonly mode: PutMode;
  readonly beforePublish: PutOptions['beforePublish'];
  readonly signal: AbortSignal | undefined;
  /** When the directory of the target cannot be lost any more. */
  readonly lasting: Promise<unknown> | undefined;
}

class FsStore implements Store {
  readonly #disk: Disk;
  readonly #durable: boolean;
  readonly #directories: Directories;
  readonly #staging: Staging;
  readonly #names: NameSyncs | undefined;
  readonly #publisher: Publisher;
  readonly #turns: Turns;
  #capabilities: StoreCapabilities | undefined;

  constructor({ root, disk, env, durable, lockTimeoutMs }: Setup) {
    this.#disk = disk;
    this.#durable = durable;
    this.#directories = new Directories(disk, root, durable);
    this.#staging = new Staging(disk, env, durable);
    this.#names = durable ? new NameSyncs(disk) : undefined;
    this.#publisher = new Publisher({ disk, staging: this.#staging, names: this.#names });
    this.#turns = new Turns({ disk, env, timeoutMs: lockTimeoutMs });
  }

  get capabilities(): StoreCapabilities {
    return (this.#capabilities ??= {
      name: 'fs',
      conditionalWrites: this.#disk.lockScope === 'machine' ? 'all' : 'process',
      guardedPut: true,
      orderedList: true,
      durable: this.#durable,
      keyBytesMax,
      componentBytesMax,
      concurrency: 16,
      // Go Lode writes the manifest after the pointer.
      settleMs: 2000,
    });
  }

  async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const name = fileKey(key);
    const mode = checkMode(options.mode);
    const { beforePublish, signal } = options;
    const source = byteSource(body);
    signal?.throwIfAborted();
    const { lasting } = await this.#directories.ready(directoryOf(name));
    const target = this.#target(name);
    const put: Put = { target, source, mode, beforePublish, signal, lasting };
    if (mode === 'create' && beforePublish === undefined) return this.#create(put);
    if (lasting !== undefined) await lasting;
    if (mode === 'overwrite' && beforePublish === undefined) return this.#overwrite(put);
    return this.#putInTurn(put);
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    checkRange(options.range);
    const name = fileKey(key);
    const { ifMatch, ifNoneMatch, signal } = options;
    signal?.throwIfAborted();
    if (!(await this.#directories.isThere(directoryOf(name)))) return undefined;
    const path = this.#directories.path(name);
    const file = await openObject(this.#disk, path);
    if (file === undefined) return undefined;
    try {
      const version = await versionOf(file, path);
      if (version === undefined) return undefined;
      const { etag } = version;
      if (ifMatch !== undefined && ifMatch !== etag) throw objectChanged(name, ifMatch, etag);
      const info = infoOf(name, version);
      if (ifNoneMatch === etag) return notModified(info);
      const range = clipRange(options.range, version.size);
      const { offset, length } = range;
      let content = version.content?.subarray(offset, offset + length);
      if (content === undefined && length <= readNowBytesMax) {
        content = new Uint8Array(length);
        const check = async (): Promise<void> => {
          const now = (await versionOf(file, path))?.etag ?? 'none';
          if (now !== etag) throw objectChanged(name, etag, now);
        };
        await readRange(file, content, { key: name, offset, check });
      }
      return new StoredFile(info, { disk: this.#disk, path, range, content, signal });
    } finally {
      await file.close();
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    const name = fileKey(key);
    options.signal?.throwIfAborted();
    if (!(await this.#directories.isThere(directoryOf(name)))) return undefined;
    const version = await versionAt(this.#disk, this.#directories.path(name));
    return version && infoOf(name, version);
  }

  list(prefix: string, options?: ListOptions & { delimiter?: never }): AsyncIterable<ObjectInfo>;
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo | CommonPrefix>;
  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo | CommonPrefix> {
    const start = normalisePrefix(prefix);
    const { startAfter, delimiter, signal } = options;
    signal?.throwIfAborted();
    if (!(await this.#directories.isThere(directoryOf(start)))) return;
    const found = walk({
      disk: this.#disk,
      path: (directory) => this.#directories.path(directory),
      prefix: start,
      startAfter,
      fold: delimiter !== undefined,
    });
    for await (const entry of found) {
      signal?.throwIfAborted();
      if (typeof entry !== 'string') {
        yield entry;
        continue;
      }
      const version = await versionAt(this.#disk, this.#directories.path(entry));
      if (version !== undefined) yield infoOf(entry, version);
    }
  }

  async delete(
    keys: string | readonly string[],
    options: CallOptions = {},
  ): Promise<DeleteResult[]> {
    const given = typeof keys === 'string' ? [keys] : keys;
    const names = given.map(fileKey);
    options.signal?.throwIfAborted();
    const failures = await deleteObjects(
      names.map((name) => this.#target(name)),
      {
        disk: this.#disk,
        directories: this.#directories,
        names: this.#names,
        turns: this.#turns,
        signal: options.signal,
      },
    );
    return given.map((key, i) => {
      const error = failures.get(names[i] ?? '');
      return error === undefined ? { key, outcome: 'deleted' } : { key, outcome: 'failed', error };
    });
  }

  async #create(put: Put): Promise<PutResult> {
    const { target, source, lasting } = put;
    // A race that is lost already needs no bytes of a stream; those in memory cost less than the look.
    if (source.bytes === undefined) {
      await lasting;
      if ((await this.#disk.info(target.path)) !== undefined)
        return this.#publisher.conflict(target);
    }
    const staged = await this.#stage(put);
    return this.#publisher.last(await this.#publisher.add(staged, target), target);
  }

  async #overwrite(put: Put): Promise<PutResult> {
    const { target, signal } = put;
    const staged = await this.#stage(put);
    let endTurn: (() => Promise<void>) | undefined;
    try {
      endTurn = await this.#turns.takeIfUsed(lockPathOf(target.path), signal);
    } catch (error) {
      await this.#staging.discard(staged.path);
      throw error;
    }
    try {
      const result = await this.#publisher.replace(staged, target);
      return await this.#publisher.last(result, target);
    } finally {
      await endTurn?.();
    }
  }

  /** Compares, guards and publishes under the lock. */
  async #putInTurn(put: Put): Promise<PutResult> {
    const { target, source, mode, signal } = put;
    // Nobody waits for a stranger's stream with the lock in hand. What is in memory is staged under it, so that those
    // who lose the race have written nothing.
    const early = source.bytes === undefined ? await this.#stage(put) : undefined;
    let staged = early;
    let published = false;
    try {
      const endTurn = await this.#turns.take(lockPathOf(target.path), signal);
      let result: PutResult;
      try {
        const present = await versionAt(this.#disk, target.path);
        const holds =
          mode === 'overwrite' ||
          (mode === 'create' ? present === undefined : present?.etag === mode.ifMatch);
        if (!holds) return await this.#publisher.conflict(target);
        staged = await this.#guardAndStage(put, early);
        published = true;
        result =
          mode === 'create'
            ? await this.#publisher.add(staged, target)
            : await this.#publisher.replace(staged, target);
      } finally {
        await endTurn();
      }
      // After the lock: what the next writer adds on top is synced in the same directory, never before this.
      return await this.#publisher.last(
        result,
        target,
        typeof mode === 'object' ? mode.ifMatch : undefined,
      );
    } finally {
      if (staged !== undefined && !published) await this.#staging.discard(staged.path);
    }
  }

  /** The guard first: it may have something else to publish than the body. */
  async #guardAndStage(put: Put, early: Staged | undefined): Promise<Staged> {
    const instead = await put.beforePublish?.();
    put.signal?.throwIfAborted();
    if (instead === undefined) return early ?? this.#stage(put);
    if (early !== undefined) await this.#staging.discard(early.path);
    return this.#stage({ ...put, source: byteSource(instead) });
  }

  #stage({ target, source, mode, signal, lasting }: Put): Promise<Staged> {
    const { directory } = target;
    return this.#staging.stage(source, { directory, replaces: mode !== 'create', signal, lasting });
  }

  #target(key: string): Target {
    const directory = this.#directories.path(directoryOf(key));
    return { key, path: this.#directories.path(key), directory };
  }
}
