/** A disk of which a test replaces some calls. */
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';

export type FileHooks = (file: DiskFile, path: string) => Partial<DiskFile>;

export function hooked(disk: Disk, calls: Partial<Disk>, ofFile: FileHooks = () => ({})): Disk {
  const opened = (file: DiskFile, path: string): DiskFile => over(file, ofFile(file, path));
  return over(disk, {
    ...calls,
    open: async (path, mode) =>
      opened(await (calls.open?.(path, mode) ?? disk.open(path, mode)), path),
    openSync: (path, mode) =>
      opened((calls.openSync ?? disk.openSync.bind(disk))(path, mode), path),
  });
}

/** What a file system whose locks do not work makes of them. */
export const noLocks: Partial<Disk> = { tryLock: async () => ({ release: async () => {} }) };

function over<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(name in members ? members : target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
