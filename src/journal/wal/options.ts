/** Options of `openWal`, checked, with their defaults. */
import type { Disk } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import type { RecoveryMode, VisitRecord } from './types.ts';

export interface WalOptions {
  /** What to do about damage; `tail` by default. */
  readonly recovery?: RecoveryMode;
  /**
   * `group` (the default): acknowledged records survive a power loss; those appended meanwhile share one sync. `os`: they survive
   * the end of the process.
   */
  readonly durability?: 'group' | 'os';
  /** A segment that has grown so long is followed by another; 64 MiB by default. */
  readonly segmentBytes?: number;
  /** Written ahead as zeros, which makes short syncs cheaper; 1 MiB by default, 0 for none. */
  readonly preallocateBytes?: number;
  /** Kept back on the disk for a snapshot and a clean close when it is full; 1 MiB by default, 0 for none. */
  readonly reserveBytes?: number;
  /**
   * Once so much is accepted and not yet durable, `append` takes nothing more until some of it is; 64 MiB by default. Counted as
   * `Wal.pendingBytes` says; one record always fits.
   */
  readonly pendingBytesMax?: number;
  /** The journal that the log must belong to, and the one that a new log will: 32 lower-case hex digits. */
  readonly journalId?: string;
  /** Everything up to this LSN is safe elsewhere, in a verified snapshot: the log may begin behind it, or end before it. */
  readonly after?: number;
  /** Given every record that the recovery reads, in order: records need not be read a second time. */
  readonly visit?: VisitRecord;
  readonly env?: Env;
  /** Another disk than the machine's. */
  readonly disk?: Disk;
}

const names = {
  recovery: true,
  durability: true,
  segmentBytes: true,
  preallocateBytes: true,
  reserveBytes: true,
  pendingBytesMax: true,
  journalId: true,
  after: true,
  visit: true,
  env: true,
  disk: true,
} as const;

const MiB = 1024 * 1024;
export const walDefaults: {
  readonly recovery: RecoveryMode;
  readonly durability: 'group' | 'os';
  readonly segmentBytes: number;
  readonly preallocateBytes: number;
  readonly reserveBytes: number;
  readonly pendingBytesMax: number;
} = {
  recovery: 'tail',
  durability: 'group',
  segmentBytes: 64 * MiB,
  preallocateBytes: MiB,
  reserveBytes: MiB,
  pendingBytesMax: 64 * MiB,
};

/** A record may be as long as this. */
export const recordBytesMax: number = 64 * MiB;

export function checkWalOptions(options: WalOptions): void {
  assertOptions<WalOptions>(options, '', names);
  const { recovery, durability, journalId } = { ...walDefaults, ...options };
  refuseUnless(
    ['tail', 'strict', 'last-good', 'salvage'].includes(recovery),
    'recovery',
    'tail, strict, last-good or salvage',
  );
  refuseUnless(['group', 'os'].includes(durability), 'durability', 'group or os');
  const sizes = ['segmentBytes', 'preallocateBytes', 'reserveBytes', 'pendingBytesMax'] as const;
  for (const field of [...sizes, 'after'] as const) {
    const value = options[field];
    const isSize = value === undefined || (Number.isSafeInteger(value) && value >= 0);
    refuseUnless(isSize, field, 'a whole number, not negative');
  }
  refuseUnless(
    journalId === undefined || /^[0-9a-f]{32}$/.test(journalId),
    'journalId',
    '32 lower-case hex digits',
  );
}

function refuseUnless(holds: boolean, field: string, expected: string): void {
  if (holds) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this log cannot be opened', { field, expected });
}

/** Nothing that merely compares like one: `undefined` is below no record and above none. */
export function assertLsn(value: unknown, field: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this is no number of a record', {
    field,
    expected: 'a whole number, not negative',
  });
}
