/** A disk whose slow calls, those off the calling thread, can be held back: a sync that takes as long as a test wants. */
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { memoryDisk } from '../../../src/testing/index.ts';

export interface HeldDisk {
  readonly disk: Disk;
  /** From now on such calls wait; those of files whose path ends so, or of all. */
  hold(call: 'datasync' | 'write', ending?: string): void;
  /** The next write on the calling thread, or the next of at most so many bytes. */
  failNextWrite(error: Error, bytesMax?: number): void;
  failNextOpen(error: Error): void;
  /** Lets all of them happen, or fail. */
  release(error?: Error): void;
  /** Calls held at this moment, and files opened so far that have been closed. */
  readonly waiting: number;
  readonly opened: number;
  readonly closed: number;
}

export async function heldDisk(dir: string): Promise<HeldDisk> {
  const inner = memoryDisk();
  await inner.makeDirectory(dir);
  let held: { readonly call: string; readonly ending: string } | undefined;
  let waiting: ((error: Error | undefined) => void)[] = [];
  let failing:
    | { readonly call: string; readonly error: Error; readonly bytesMax: number }
    | undefined;
  /** Throws what the next such call is to fail with. */
  const maybeFailing = (call: 'write' | 'open', bytes: number): void => {
    if (failing?.call !== call || bytes > failing.bytesMax) return;
    const { error } = failing;
    failing = undefined;
    throw error;
  };
  const counts = { opened: 0, closed: 0 };
  const maybeHeld = async (
    call: string,
    path: string,
    work: () => Promise<void>,
  ): Promise<void> => {
    if (held?.call === call && path.endsWith(held.ending)) {
      const error = await new Promise<Error | undefined>((resolve) => waiting.push(resolve));
      if (error !== undefined) throw error;
    }
    await work();
  };
  const open = (path: string, mode: Parameters<Disk['open']>[1]): DiskFile => {
    maybeFailing('open', 0);
    const file = inner.openSync(path, mode);
    counts.opened++;
    const own: Partial<DiskFile> = {
      datasync: () => maybeHeld('datasync', path, () => file.datasync()),
      write: (bytes, position) => maybeHeld('write', path, () => file.write(bytes, position)),
      writeSync(bytes, position) {
        maybeFailing('write', bytes.length);
        file.writeSync(bytes, position);
      },
      closeSync() {
        counts.closed++;
        file.closeSync();
      },
      async close() {
        counts.closed++;
        await file.close();
      },
    };
    return over(file, own);
  };
  return {
    disk: over(inner, { openSync: open, open: async (path, mode) => open(path, mode) }),
    hold(call, ending = '') {
      held = { call, ending };
    },
    failNextWrite(error, bytesMax = Infinity) {
      failing = { call: 'write', error, bytesMax };
    },
    failNextOpen(error) {
      failing = { call: 'open', error, bytesMax: Infinity };
    },
    release(error) {
      held = undefined;
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve(error);
    },
    get waiting() {
      return waiting.length;
    },
    get opened() {
      return counts.opened;
    },
    get closed() {
      return counts.closed;
    },
  };
}

/** Everything that can go on has gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function over<T extends object>(base: T, own: Partial<T>): T {
  return new Proxy(base, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(name in own ? own : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
