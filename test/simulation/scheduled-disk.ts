/**
 * A recorded disk of a process that can be killed. Each call off the calling thread waits to happen, and then to be told, until the schedule
 * lets it: nobody knows in which order the threads of a pool do their work. Any call may fail.
 *
 * Of a sync that fails, the machine forgets what it did not write. Each descriptor that was open then is told once, one opened later only if
 * nobody was told before.
 */
import type { Disk, DiskFile, DiskLock, OpenMode } from '../../src/disk/disk.ts';
import { LodeError } from '../../src/errors.ts';
import type { RecordingDisk } from '../../src/testing/index.ts';

type Call = (...args: never[]) => unknown;
type CallClass = 'read' | 'write' | 'sync' | 'name';

const classes: Readonly<Record<string, CallClass>> = {
  read: 'read',
  info: 'read',
  list: 'read',
  write: 'write',
  truncate: 'write',
  datasync: 'sync',
  syncDirectory: 'sync',
  rename: 'name',
  unlink: 'name',
};

/** How often calls fail, by class; none to begin with. */
export type Rates = Readonly<Partial<Record<CallClass, number>>>;

/** What the machine knows of a file's failed syncs, however many processes come and go. */
export type SyncErrors = Map<bigint, { count: number; isTold: boolean }>;

export class Schedule {
  readonly random: () => number;
  rates: Rates = {};
  code: 'LODE_STORAGE_FULL' | 'LODE_UNAVAILABLE' = 'LODE_UNAVAILABLE';
  failures = 0;
  /** Nothing waits. */
  isFree = false;
  readonly locks: DiskLock[] = [];
  #waiting: (() => void)[] = [];
  #isDead = false;

  constructor(random: () => number) {
    this.random = random;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** One call goes on. */
  letOne(): void {
    const [go] = this.#waiting.splice(Math.floor(this.random() * this.#waiting.length), 1);
    go?.();
  }

  /** What has not happened yet never will. */
  async kill(): Promise<void> {
    this.#isDead = true;
    for (const lock of this.locks) await lock.release();
  }

  async later<T>(work: () => T): Promise<Awaited<T>> {
    await this.#turn();
    try {
      return await work();
    } finally {
      await this.#turn();
    }
  }

  isFailing(call: CallClass | undefined): boolean {
    const isFailing = call !== undefined && this.random() < (this.rates[call] ?? 0);
    if (isFailing) this.failures++;
    return isFailing;
  }

  error(): LodeError {
    return new LodeError(this.code, 'planned fault', {});
  }

  async #turn(): Promise<void> {
    const waits = !this.isFree && this.random() < 0.5;
    if (waits) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isDead) await new Promise(() => {});
  }
}

export function scheduledDisk(
  inner: RecordingDisk,
  schedule: Schedule,
  syncErrors: SyncErrors,
): Disk {
  return scheduled(inner, schedule, {
    openSync(path: string, mode: OpenMode) {
      if (schedule.isFailing(mode === 'read' ? 'read' : 'name')) throw schedule.error();
      const file = inner.openSync(path, mode);
      return scheduledFile(inner, file, inner.infoSync(path)?.inode ?? 0n, schedule, syncErrors);
    },
    async tryLock(path: string) {
      const lock = await inner.tryLock(path);
      if (lock !== undefined) schedule.locks.push(lock);
      return lock;
    },
  });
}

function scheduledFile(
  inner: RecordingDisk,
  file: DiskFile,
  inode: bigint,
  schedule: Schedule,
  syncErrors: SyncErrors,
): DiskFile {
  const errors = syncErrors.get(inode) ?? { count: 0, isTold: true };
  syncErrors.set(inode, errors);
  let told = errors.isTold ? errors.count : errors.count - 1;
  return scheduled(file, schedule, {
    writeSync(bytes: Uint8Array, position: number) {
      if (!schedule.isFailing('write')) return file.writeSync(bytes, position);
      const written = Math.floor(schedule.random() * (bytes.length + 1));
      if (written > 0) file.writeSync(bytes.subarray(0, written), position);
      throw schedule.error();
    },
    datasyncSync() {
      if (schedule.isFailing('sync')) {
        inner.loseUnsynced(Number(inode));
        errors.count++;
        errors.isTold = false;
      }
      file.datasyncSync();
      if (told === errors.count) return;
      told = errors.count;
      errors.isTold = true;
      throw schedule.error();
    },
  });
}

/** Calls on the calling thread are made at once, the others when it is their turn. */
function scheduled<T extends object>(
  target: T,
  schedule: Schedule,
  own: Readonly<Record<string, Call>>,
): T {
  const call = (name: string, args: never[]): unknown => {
    const its = own[name];
    if (its !== undefined) return its(...args);
    if (schedule.isFailing(classes[name.replace('Sync', '')])) throw schedule.error();
    return (Reflect.get(target, name) as Call).apply(target, args);
  };
  return new Proxy(target, {
    get(_, name: string): unknown {
      if (typeof Reflect.get(target, name) !== 'function') return Reflect.get(target, name);
      if (name.endsWith('Sync') || name === 'tryLock')
        return (...args: never[]) => call(name, args);
      const made = `${name}Sync` in target ? `${name}Sync` : name;
      return (...args: never[]) => schedule.later(() => call(made, args));
    },
  });
}
