/** Room kept back on the disk, given up when it is full so that a snapshot or a clean close still fits. */
import type { Disk } from '../../disk/disk.ts';
import { isLodeError } from '../../errors.ts';
import { reserveName, unfinished } from './names.ts';

export class Reserve {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytes: number;
  #isThere: boolean | undefined;

  constructor(disk: Disk, dir: string, bytes: number) {
    this.#disk = disk;
    this.#path = `${dir}/${reserveName}`;
    this.#bytes = bytes;
  }

  /** Makes it unless it is there. A disk that has no room for it is no reason to fail. */
  async keep(): Promise<void> {
    if (this.#bytes === 0 || this.#isThere === true) return;
    this.#isThere = ((await this.#disk.info(this.#path))?.size ?? 0) >= this.#bytes;
    if (this.#isThere) return;
    const path = `${this.#path}${unfinished}`;
    try {
      const file = await this.#disk.open(path, 'open-or-create');
      try {
        // Not zeros: some file systems keep no blocks for those.
        await file.write(new Uint8Array(this.#bytes).fill(0x6c), 0);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#disk.rename(path, this.#path);
      this.#isThere = true;
    } catch (error) {
      if (!isLodeError(error)) throw error;
      await this.#disk.unlink(path).catch(() => {});
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
