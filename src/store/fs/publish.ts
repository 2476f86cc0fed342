/**
 * How a staged file becomes an object: by a hard link where nothing may be replaced, by a rename where something may.
 * Both are atomic; the sync of the directory makes them last.
 *
 * A crash before link or rename leaves a hidden file, one after it an object that may or may not survive a power loss.
 * Only the sync turns that into a `stored`; when it fails, the outcome is open and says so.
 */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { ETag, PutResult } from '../store.ts';
import type { NameSyncs } from './sync-names.ts';
import type { Staged, Staging } from './staging.ts';
import { versionAt } from './version.ts';

/** Where an object goes. */
export interface Target {
  readonly key: string;
  readonly path: string;
  readonly directory: string;
}

interface PublisherOptions {
  readonly disk: Disk;
  readonly staging: Staging;
  /** Undefined when nothing has to last. */
  readonly names: NameSyncs | undefined;
}

export class Publisher {
  readonly #disk: Disk;
  readonly #staging: Staging;
  readonly #names: NameSyncs | undefined;

  constructor({ disk, staging, names }: PublisherOptions) {
    this.#disk = disk;
    this.#staging = staging;
    this.#names = names;
  }

  /** Gives the staged file its name unless something has it. `last` must follow. */
  async add(staged: Staged, target: Target): Promise<PutResult> {
    try {
      await this.#disk.link(staged.path, target.path);
    } catch (error) {
      if (isLodeError(error, 'LODE_ALREADY_EXISTS')) return await this.conflict(target);
      throw error;
    } finally {
      await this.#staging.discard(staged.path);
    }
    return { outcome: 'stored', etag: staged.etag };
  }

  /** Gives the staged file its name, whatever has it. `last` must follow. */
  async replace(staged: Staged, target: Target): Promise<PutResult> {
    try {
      await this.#disk.rename(staged.path, target.path);
    } catch (error) {
      await this.#staging.discard(staged.path);
      throw isLodeError(error, 'LODE_INVALID_ARGUMENT') ? directoryInTheWay(target) : error;
    }
    return { outcome: 'stored', etag: staged.etag };
  }

  /**
   * What a put answers that found something: the etag of what is there. Callers build on that, and take it for their own
   * when an earlier answer was lost, while whoever published it may not have synced its name yet or failed to: a power
   * loss must not take it away again.
   */
  async conflict(target: Target): Promise<PutResult> {
    await this.#names?.sync(target.directory);
    const present = await versionAt(this.#disk, target.path);
    if (present !== undefined) return { outcome: 'conflict', etag: present.etag };
    const info = await this.#disk.info(target.path);
    if (info?.kind === 'directory') throw directoryInTheWay(target);
    return { outcome: 'conflict' };
  }

  /** Makes what was published last, and passes its result on. `replaced` is the version it replaced, where known. */
  async last(result: PutResult, target: Target, replaced?: ETag): Promise<PutResult> {
    if (this.#names === undefined || result.outcome !== 'stored') return result;
    try {
      await this.#names.sync(target.directory);
    } catch (cause) {
      throw new LodeError(
        'LODE_WRITE_UNCERTAIN',
        'the object is in place, but its name could not be made durable',
        {
          key: target.key,
          resolve: () => this.#resolve(result.etag, target, replaced),
        },
        { cause },
      );
    }
    return result;
  }

  /**
   * A sync that failed is not tried again: it may find nothing left to write and succeed. A new name in the directory is
   * what the next sync has to carry, with all that is around it.
   */
  async #resolve(
    etag: ETag,
    target: Target,
    replaced: ETag | undefined,
  ): Promise<'landed' | 'not-landed'> {
    const present = (await versionAt(this.#disk, target.path))?.etag;
    const landed = replaced === undefined ? present === etag : present !== replaced;
    if (present === undefined || !landed) return 'not-landed';
    const again = this.#staging.name(target.directory);
    await this.#disk.link(target.path, again);
    await this.#disk.unlink(again);
    await this.#disk.syncDirectory(target.directory);
    return 'landed';
  }
}

function directoryInTheWay(target: Target): LodeError {
  return new LodeError('LODE_INVALID_KEY', 'other objects have this key as their directory', {
    key: target.key,
    next: 'In a directory no key can be the beginning of another: choose a different key.',
  });
}
