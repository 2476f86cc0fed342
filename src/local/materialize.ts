/**
 * A volume as a local file: as long as the volume, its gaps holes that take no space where the file system has such. The
 * file is written in place. Until the call resolves it is in the making; called again, it goes on where it stopped, by
 * the digests of what is there, so nothing is remembered beside it and no crash can mislead it.
 */
import type { Disk, DiskFile } from '../disk/disk.ts';
import { absolutePath, nodeDisk } from '../disk/node/index.ts';
import { LodeError } from '../errors.ts';
import { assertOptions } from '../options.ts';
import type {
  CopyOutOptions,
  CopyOutReport,
  SnapshotRef,
  Volume,
  VolumeTarget,
} from '../volume/index.ts';

export interface MaterializeOptions extends CopyOutOptions {
  /** Default: the latest. */
  readonly snapshot?: SnapshotRef;
  /** Instead of the machine's file system. */
  readonly disk?: Disk;
}

const names = {
  snapshot: true,
  disk: true,
  range: true,
  onProgress: true,
  signal: true,
  meter: true,
} as const;

/**
 * Writes a snapshot of a volume to the file at `path`, made when missing; durable once it resolves. A file that is longer
 * than the volume is not one of its copies, and refused. Any other is taken for one that is not finished, and written over
 * where it differs.
 */
export async function materialize(
  volume: Volume,
  path: string | URL,
  options: MaterializeOptions = {},
): Promise<CopyOutReport> {
  assertOptions<MaterializeOptions>(options, '', names);
  const { snapshot, disk = nodeDisk(), ...rest } = options;
  const at = options.disk === undefined ? absolutePath(path) : String(path);
  const source = snapshot ?? (await volume.latest({ signal: options.signal }));
  const before = await disk.info(at);
  if (before !== undefined && before.size > volume.length) throw notACopy(volume, at, before.size);
  const file = await disk.open(at, 'open-or-create');
  try {
    const target = fileTarget(file, before?.size ?? 0);
    await file.truncate(volume.length);
    const report = await volume.copyInto(source, target, rest);
    await file.datasync();
    // Whoever made the file may not have come as far as this.
    await disk.syncDirectory(at.replace(/[^/\\]*$/, '') || '.');
    return report;
  } finally {
    await file.close();
  }
}

/** @param size  Of the file as it was found: nothing behind it was ever written. */
function fileTarget(file: DiskFile, size: number): VolumeTarget {
  return {
    write: (bytes, offset) => file.write(bytes, offset),
    async read(offset, length) {
      if (offset + length > size) return undefined;
      const into = new Uint8Array(length);
      const count = await file.read(into, offset);
      return into.subarray(0, count);
    },
  };
}

function notACopy(volume: Volume, path: string, size: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'the file is longer than the volume', {
    volume: volume.id,
    key: path,
    expected: volume.length,
    actual: size,
    next: 'Name another file, or remove this one.',
  });
}
