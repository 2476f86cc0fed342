/** Room kept back on the disk, given up when it is full so that a snapshot or a clean close still fits. */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError } from '../../errors.ts';
import { reserveName, unfinished } from './names.ts';
import { dataOf } from './steps.ts';
import type { Steps } from './steps.ts';

export class Reserve {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytes: number;
  #isThere = false;

  constructor(disk: Disk, dir: string, bytes: number) {
    this.#disk = disk;
    this.#path = `${dir}/${reserveName}`;
    this.#bytes = bytes;
  }

  /** Makes it unless it is there. A disk that has no room for it is no reason to fail. */
  *keep(): Steps {
    if (this.#bytes === 0 || this.#isThere) return;
    const disk = this.#disk;
    const path = `${this.#path}${unfinished}`;
    try {
      this.#isThere = (disk.infoSync(this.#path)?.size ?? 0) >= this.#bytes;
      if (this.#isThere) return;
      const file = disk.openSync(path, 'open-or-create');
      try {
        // Not zeros: some file systems keep no blocks for those.
        file.writeSync(new Uint8Array(this.#bytes).fill(0x6c), 0);
        yield dataOf(file);
        disk.renameSync(path, this.#path);
        this.#isThere = true;
      } finally {
        // What is left under the other name takes no room, and is deleted by the next opening.
        try {
          if (!this.#isThere) file.truncateSync(0);
        } finally {
          file.closeSync();
        }
      }
    } catch (error) {
      if (!isLodeError(error)) throw error;
    }
  }

  /** True when there was one, and it has been given up. */
  async spend(): Promise<boolean> {
    try {
      await this.#disk.unlink(this.#path);
      await this.#disk.syncDirectory(this.#path.slice(0, -reserveName.length - 1));
      this.#isThere = false;
      return true;
    } catch (error) {
      if (isLodeError(error, 'LODE_NOT_FOUND')) return false;
      throw error;
    }
  }
}
