/**
 * A disk whose calls take uneven time, so that work done at once interleaves differently with every seed.
 *
 * A call waits a seeded number of turns before it happens and again before it resolves. A sync happens at once and only
 * resolves late: what is named or written meanwhile is not covered, which is all that a real one promises.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';
import { seededRandom } from '../random.ts';

/** Most calls are quick; now and then one takes so long that much else happens meanwhile. */
const turnsMax = { quick: 3, slow: 60 };
const slowShare = 0.15;

export function unevenDisk(disk: Disk, seed: number): Disk {
  const random = seededRandom(seed);
  const turns = async (): Promise<void> => {
    const most = random() < slowShare ? turnsMax.slow : turnsMax.quick;
    for (let left = Math.floor(random() * (most + 1)); left > 0; left--) await Promise.resolve();
  };
  const unevenly = async <T>(call: () => Promise<T>): Promise<T> => {
    await turns();
    try {
      return await call();
    } finally {
      await turns();
    }
  };
  const late = async <T>(happened: Promise<T>): Promise<T> => {
    try {
      return await happened;
    } finally {
      await turns();
    }
  };
  const unevenFile = (file: DiskFile): DiskFile => ({
    read: (into, position) => unevenly(() => file.read(into, position)),
    write: (bytes, position) => unevenly(() => file.write(bytes, position)),
    truncate: (size) => unevenly(() => file.truncate(size)),
    datasync: () => late(file.datasync()),
    info: () => unevenly(() => file.info()),
    setModified: (modifiedNs) => unevenly(() => file.setModified(modifiedNs)),
    close: () => unevenly(() => file.close()),
    readSync: (into, position) => file.readSync(into, position),
    writeSync: (bytes, position) => file.writeSync(bytes, position),
    truncateSync: (size) => file.truncateSync(size),
    datasyncSync: () => file.datasyncSync(),
    closeSync: () => file.closeSync(),
  });
  return {
    lockScope: disk.lockScope,
    open: async (path, mode) => unevenFile(await unevenly(() => disk.open(path, mode))),
    rename: (from, to) => unevenly(() => disk.rename(from, to)),
    link: (from, to) => unevenly(() => disk.link(from, to)),
    unlink: (path) => unevenly(() => disk.unlink(path)),
    makeDirectory: (path) => unevenly(() => disk.makeDirectory(path)),
    removeDirectory: (path) => unevenly(() => disk.removeDirectory(path)),
    syncDirectory: (path) => late(disk.syncDirectory(path)),
    list: (path) => unevenly(() => disk.list(path)),
    info: (path) => unevenly(() => disk.info(path)),
    tryLock: (path) => unevenly(() => disk.tryLock(path)),
    openSync: (path, mode) => unevenFile(disk.openSync(path, mode)),
    renameSync: (from, to) => disk.renameSync(from, to),
    syncDirectorySync: (path) => disk.syncDirectorySync(path),
    infoSync: (path) => disk.infoSync(path),
  };
}
