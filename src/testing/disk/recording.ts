/**
 * A disk in memory that remembers how it came to be: every write, sync and change of a name, in order, and the marks a
 * test sets between them. `crashStates` turns such a recording into what a power loss could have left at any moment.
 */
import { memoryDisk } from '../../disk/memory.ts';
import type { Disk } from '../../disk/disk.ts';
import type { DiskEvent, DiskImage } from '../../disk/image.ts';
import type { Env } from '../../env.ts';

/** One thing that happened. `lost`: a datasync of the file failed, and no later one will write what was pending. */
export type RecordedEntry =
  | DiskEvent
  | { readonly kind: 'lost'; readonly inode: number }
  | { readonly kind: 'mark'; readonly label: string };

export interface Recording {
  /** What the disk held before the first entry, all of it durable. */
  readonly base: DiskImage;
  readonly entries: readonly RecordedEntry[];
}

export interface RecordingDisk extends Disk {
  readonly recording: Recording;
  /** Notes that the workload got here: typically that it began something, or acknowledged it. */
  readonly mark: (label: string) => void;
  /** What a failed datasync does: content not yet durable will not be made so by any later sync. */
  loseUnsynced(inode: number): void;
}

export interface RecordingDiskOptions {
  readonly env?: Env;
  /** What is there, durably, from the start. Nothing but `/` by default. */
  readonly image?: DiskImage;
}

const emptyImage: DiskImage = { kind: 'directory', inode: 1, entries: new Map() };

export function recordingDisk(options: RecordingDiskOptions = {}): RecordingDisk {
  const { image: base = emptyImage, env } = options;
  const entries: RecordedEntry[] = [];
  const disk = memoryDisk({
    ...(env && { env }),
    image: base,
    observe: (event) => entries.push(kept(event)),
  });
  return Object.assign(disk, {
    recording: { base, entries },
    mark: (label: string) => void entries.push({ kind: 'mark', label }),
    loseUnsynced: (inode: number) => void entries.push({ kind: 'lost', inode }),
  });
}

/** Owns its data: bytes are copied, and nodes no longer lead back into the disk. */
function kept(event: DiskEvent): DiskEvent {
  if (event.kind === 'write') return { ...event, bytes: event.bytes.slice() };
  if (event.kind !== 'names') return event;
  const changes = event.changes.map(({ directory, name, node }) => ({
    directory,
    name,
    node: node && { kind: node.kind, inode: node.inode },
  }));
  return { kind: 'names', changes };
}
