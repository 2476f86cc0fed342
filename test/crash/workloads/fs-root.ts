/** The directory that workloads keep their store in: there and durable from the start. */
import type { Disk } from '../../../src/disk/disk.ts';
import type { DiskImage } from '../../../src/disk/image.ts';
import type { Env } from '../../../src/env.ts';
import { fsStore } from '../../../src/fs.ts';
import type { Store } from '../../../src/store/store.ts';

const root = '/data';

export const rootImage: DiskImage = {
  kind: 'directory',
  inode: 1,
  entries: new Map([['data', { kind: 'directory', inode: 2, entries: new Map() }]]),
};

export function openFs(disk: Disk, env: Env): Store {
  return fsStore(root, { disk, env });
}

export function pathOf(key: string): string {
  return `${root}/${key}`;
}

/** Staged files and lock files are no objects. */
export function keyOf(path: string): string | undefined {
  const own = path.endsWith('.lock') || path.includes('/.lode-');
  return !own && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
}
