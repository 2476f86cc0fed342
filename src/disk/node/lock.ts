/**
 * Exclusive file locks: one mechanism per platform, the same for every process, so that all of them exclude each other
 * and Go Lode. Each lock is tied to an open file description, so it ends with its holder, however that ends, and two
 * descriptors of one process exclude each other too. No pid files, nothing to break or clean up.
 *
 * - Linux: `flock(2)`, called through the optional `koffi`, else by the `flock` program on an inherited descriptor. Both
 *   take the same kernel lock.
 * - macOS and BSD: `O_EXLOCK`, which is `flock` at open. Windows: an open that shares with nobody.
 * - Elsewhere: this process only.
 */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import type { Disk, DiskLock } from '../disk.ts';
import { call, diskError, errorNumber } from './errors.ts';
import { canFlock, flock } from './flock.ts';
import type { Flock } from './flock.ts';

export interface LockMechanism {
  readonly scope: Disk['lockScope'];
  tryLock(path: string): Promise<DiskLock | undefined>;
}

const { O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants;

export function platformLock(platform: string = process.platform): LockMechanism {
  switch (platform) {
    case 'linux':
      return flockLock(flock, canFlock);
    case 'darwin':
    case 'freebsd':
    case 'openbsd':
      // O_EXLOCK | O_NONBLOCK
      return exclusiveOpenLock(0x20 | 0x04, ['EAGAIN', 'EWOULDBLOCK']);
    case 'win32':
      // UV_FS_O_EXLOCK
      return exclusiveOpenLock(0x10000000, ['EBUSY', 'EACCES', 'EPERM']);
    default:
      return processLock();
  }
}

/** `flock(2)` by `take`; within this process only where `available()` says there is no way to call it. */
export function flockLock(take: Flock, available: () => boolean): LockMechanism {
  let able: boolean | undefined;
  const isAble = (): boolean => (able ??= available());
  const alone = processLock();
  return {
    get scope() {
      return isAble() ? 'machine' : 'process';
    },
    async tryLock(path) {
      if (!isAble()) return alone.tryLock(path);
      const descriptor = openLockFile(path);
      let taken = false;
      try {
        taken = await take(descriptor, path);
      } finally {
        if (!taken) fs.closeSync(descriptor);
      }
      return taken ? heldBy(descriptor, path) : undefined;
    },
  };
}

/** The open is the lock. */
function exclusiveOpenLock(exclusive: number, refusals: readonly string[]): LockMechanism {
  return {
    scope: 'machine',
    async tryLock(path) {
      try {
        return heldBy(fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | exclusive, 0o644), path);
      } catch (error) {
        if (refusals.includes(errorNumber(error))) return undefined;
        throw diskError(error, 'lock', path);
      }
    },
  };
}

/** Paths locked by this process, over all its disks. */
const locked = new Set<string>();

/** An entry in memory: where the platform offers nothing that other processes would respect. */
export function processLock(): LockMechanism {
  return {
    scope: 'process',
    async tryLock(path) {
      const descriptor = openLockFile(path);
      const name = call('lock', path, () => fs.realpathSync(resolve(path)));
      fs.closeSync(descriptor);
      if (locked.has(name)) return undefined;
      locked.add(name);
      let held = true;
      return {
        async release() {
          if (held) locked.delete(name);
          held = false;
        },
      };
    },
  };
}

function openLockFile(path: string): number {
  return call('open a lock file', path, () =>
    fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644),
  );
}

/** Closing the last descriptor of an open file description ends its lock. Nobody else has one: they close on exec. */
function heldBy(descriptor: number, path: string): DiskLock {
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      call('unlock', path, () => fs.closeSync(descriptor));
    },
  };
}
