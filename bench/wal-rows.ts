/** What the log bars share: a preallocated file appended to by hand, a log and its peers, all in one directory of their own. */
import * as fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk, DiskFile } from '../src/disk/disk.ts';
import { nodeDisk } from '../src/disk/node/index.ts';
import { openWal, type Wal } from '../src/journal.ts';
import { logPeers, type LogPeer } from './log-peers.ts';

export const record: Buffer = Buffer.alloc(100, 'r');

/** Long enough that neither side leaves it: both write into space made ahead. */
const spaceBytes = 64 * 1024 * 1024;

export interface Contest extends AsyncDisposable {
  readonly wal: Wal;
  readonly raw: RawLog;
  readonly peers: readonly LogPeer[];
}

export interface RawLog {
  /** One write, one datasync, on the calling thread. */
  appendSync(bytes: Uint8Array): void;
  /** The same with the sync off the thread. */
  append(bytes: Uint8Array): Promise<void>;
  /** The same at the end of a file that grows. */
  grow(bytes: Uint8Array): Promise<void>;
}

export async function contest(): Promise<Contest> {
  const root = await mkdtemp(join(tmpdir(), 'lode-wal-'));
  const wal = await openWal(root, { reserveBytes: 0 });
  await wal.ready();
  const raw = rawLog(join(root, 'raw'));
  const peers = await logPeers(join(root, 'peers'));
  return {
    wal,
    raw,
    peers,
    async [Symbol.asyncDispose]() {
      await wal.close();
      raw.close();
      for (const peer of peers) await peer.close();
      await rm(root, { recursive: true });
    },
  };
}

function rawLog(path: string): RawLog & { close(): void } {
  const descriptor = fs.openSync(path, 'w+');
  const growing = fs.openSync(`${path}-growing`, 'w+');
  let size = 0;
  const zeros = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < spaceBytes; at += zeros.length)
    fs.writeSync(descriptor, zeros, 0, zeros.length, at);
  fs.fdatasyncSync(descriptor);
  let position = 0;
  const write = (bytes: Uint8Array): void => {
    if (position + bytes.length > spaceBytes) position = 0;
    position += fs.writeSync(descriptor, bytes, 0, bytes.length, position);
  };
  return {
    appendSync(bytes) {
      write(bytes);
      fs.fdatasyncSync(descriptor);
    },
    append(bytes) {
      write(bytes);
      return synced(descriptor);
    },
    grow(bytes) {
      // As long as a segment; then from the beginning.
      if (size >= spaceBytes) fs.ftruncateSync(growing, (size = 0));
      size += fs.writeSync(growing, bytes, 0, bytes.length, size);
      return synced(growing);
    },
    close() {
      fs.closeSync(descriptor);
      fs.closeSync(growing);
    },
  };
}

function synced(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fs.fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error))),
  );
}

/** The machine's disk, and how often files on it were synced. */
export function countingDisk(): { readonly disk: Disk; readonly syncs: () => number } {
  const inner = nodeDisk();
  let count = 0;
  const counted = (file: DiskFile): DiskFile =>
    withMethods(file, {
      datasync() {
        count++;
        return file.datasync();
      },
      datasyncSync() {
        count++;
        file.datasyncSync();
      },
    });
  const disk = withMethods(inner, {
    open: async (path, mode) => counted(await inner.open(path, mode)),
    openSync: (path, mode) => counted(inner.openSync(path, mode)),
  });
  return { disk, syncs: () => count };
}

/** The same object but for some methods. */
function withMethods<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(
        Reflect.has(methods, name) ? methods : target,
        name,
        target,
      );
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
