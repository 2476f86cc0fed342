/**
 * A disk that fails when told to: the Nth sync, write, or call of any kind, once or from then on.
 *
 * A failed datasync of a recording disk loses what was not durable, as kernels do: the pages count as clean afterwards, so
 * that asking again answers yes and writes nothing. `retriedSyncs` counts who asks again. A short write leaves the first
 * half of its bytes.
 */
import type { Disk, DiskFile, DiskLock, OpenMode } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import type { RecordingDisk } from './recording.ts';

/** `sync`: of files and directories. `write`: and truncate. `name`: create, rename, link, unlink, directories, locks. */
export type DiskCallClass = 'sync' | 'write' | 'name' | 'read';

export type DiskFaultKind = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'short';

export interface DiskFaultPlan {
  /** Which calls are counted, and fail. */
  readonly on: DiskCallClass | 'any';
  /** Fails the call with this index among them, from 0. */
  readonly at: number;
  readonly kind: DiskFaultKind;
  /** Only that call, or that one and all that follow. */
  readonly times: 'once' | 'ever';
}

export interface FaultyDisk extends Disk {
  /** Calls made so far. A run without a plan counts what there is to fail. */
  readonly calls: Readonly<Record<DiskCallClass | 'any', number>>;
  /** Calls that failed by plan. */
  readonly failures: number;
  /** Datasyncs of a file asked for again, on the same handle, after one had failed. */
  readonly retriedSyncs: number;
}

export function faultyDisk(disk: Disk, plan?: DiskFaultPlan): FaultyDisk {
  return new PlannedDisk(disk, plan);
}

/** Calls counted against the plan, shared by a disk and its files. */
class Faults {
  readonly calls: Record<DiskCallClass | 'any', number> = {
    sync: 0,
    write: 0,
    name: 0,
    read: 0,
    any: 0,
  };
  failures = 0;
  retriedSyncs = 0;
  readonly #plan: DiskFaultPlan | undefined;

  constructor(plan: DiskFaultPlan | undefined) {
    this.#plan = plan;
  }

  /** The error this call is to fail with, if it is its turn. */
  next(call: DiskCallClass, path: string): LodeError | undefined {
    const plan = this.#plan;
    const index = { [call]: this.calls[call]++, any: this.calls.any++ };
    if (plan === undefined || (plan.on !== call && plan.on !== 'any')) return undefined;
    const at = index[plan.on] ?? 0;
    if (at < plan.at || (at > plan.at && plan.times === 'once')) return undefined;
    this.failures++;
    return faultError(plan.kind, call, path);
  }

  check(call: DiskCallClass, path: string): void {
    const error = this.next(call, path);
    if (error !== undefined) throw error;
  }

  /** Writes, or fails as planned; a short write does half of it first. */
  write(bytes: Uint8Array, path: string, write: (part: Uint8Array) => void): void {
    const error = this.next('write', path);
    if (error === undefined) return write(bytes);
    if (this.#plan?.kind === 'short') write(bytes.subarray(0, bytes.length >> 1));
    throw error;
  }
}

class PlannedDisk implements FaultyDisk {
  readonly lockScope: Disk['lockScope'];
  readonly #disk: Disk;
  readonly #faults: Faults;

  constructor(disk: Disk, plan: DiskFaultPlan | undefined) {
    this.#disk = disk;
    this.#faults = new Faults(plan);
    this.lockScope = disk.lockScope;
  }

  get calls(): Faults['calls'] {
    return this.#faults.calls;
  }

  get failures(): number {
    return this.#faults.failures;
  }

  get retriedSyncs(): number {
    return this.#faults.retriedSyncs;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.openSync(path, mode);
  }

  openSync(path: string, mode: OpenMode): DiskFile {
    this.#faults.check(mode === 'create' || mode === 'open-or-create' ? 'name' : 'read', path);
    const file = this.#disk.openSync(path, mode);
    const inode = this.#disk.infoSync(path)?.inode;
    const lose = (): void => {
      if (isRecording(this.#disk)) this.#disk.loseUnsynced(Number(inode));
    };
    return new PlannedFile(file, path, this.#faults, lose);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  renameSync(from: string, to: string): void {
    this.#faults.check('name', to);
    this.#disk.renameSync(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    this.#faults.check('name', to);
    return this.#disk.link(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.#faults.check('name', path);
    return this.#disk.unlink(path);
  }

  async makeDirectory(path: string): Promise<boolean> {
    this.#faults.check('name', path);
    return this.#disk.makeDirectory(path);
  }

  async removeDirectory(path: string): Promise<void> {
    this.#faults.check('name', path);
    return this.#disk.removeDirectory(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.syncDirectorySync(path);
  }

  syncDirectorySync(path: string): void {
    this.#faults.check('sync', path);
    this.#disk.syncDirectorySync(path);
  }

  async list(path: string): ReturnType<Disk['list']> {
    this.#faults.check('read', path);
    return this.#disk.list(path);
  }

  async info(path: string): ReturnType<Disk['info']> {
    return this.infoSync(path);
  }

  infoSync(path: string): ReturnType<Disk['infoSync']> {
    this.#faults.check('read', path);
    return this.#disk.infoSync(path);
  }

  async tryLock(path: string): Promise<DiskLock | undefined> {
    this.#faults.check('name', path);
    return this.#disk.tryLock(path);
  }
}

class PlannedFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #path: string;
  readonly #faults: Faults;
  readonly #lose: () => void;
  #syncFailed = false;

  constructor(file: DiskFile, path: string, faults: Faults, lose: () => void) {
    this.#file = file;
    this.#path = path;
    this.#faults = faults;
    this.#lose = lose;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return this.readSync(into, position);
  }

  readSync(into: Uint8Array, position: number): number {
    this.#faults.check('read', this.#path);
    return this.#file.readSync(into, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.writeSync(bytes, position);
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#faults.write(bytes, this.#path, (part) => this.#file.writeSync(part, position));
  }

  async truncate(size: number): Promise<void> {
    this.truncateSync(size);
  }

  truncateSync(size: number): void {
    this.#faults.check('write', this.#path);
    this.#file.truncateSync(size);
  }

  async datasync(): Promise<void> {
    this.datasyncSync();
  }

  datasyncSync(): void {
    if (this.#syncFailed) this.#faults.retriedSyncs++;
    const error = this.#faults.next('sync', this.#path);
    if (error === undefined) return this.#file.datasyncSync();
    this.#syncFailed = true;
    this.#lose();
    throw error;
  }

  async info(): ReturnType<DiskFile['info']> {
    this.#faults.check('read', this.#path);
    return this.#file.info();
  }

  async setModified(modifiedNs: bigint): Promise<void> {
    this.#faults.check('write', this.#path);
    return this.#file.setModified(modifiedNs);
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  closeSync(): void {
    this.#file.closeSync();
  }
}

function isRecording(disk: Disk): disk is RecordingDisk {
  return 'loseUnsynced' in disk;
}

/** What an adapter makes of the errno, with the errno as its cause. */
function faultError(kind: DiskFaultKind, call: DiskCallClass, path: string): LodeError {
  const errno = kind === 'short' ? 'ENOSPC' : kind;
  const cause = Object.assign(new Error(`${errno}: planned fault`), { code: errno });
  const what = `the disk failed a ${call} call`;
  return errno === 'EIO'
    ? new LodeError('LODE_UNAVAILABLE', what, { key: path }, { cause })
    : new LodeError('LODE_STORAGE_FULL', what, { key: path }, { cause });
}
