/** Members of the options that calls on a dataset take: what is not among them was meant to do something, and is refused. */
import { LodeError } from '../errors.ts';
import type { MeteredOptions } from '../history/index.ts';
import { assertOptions, kindOf } from '../options.ts';
import type { CopyOptions } from './copy.ts';
import type {
  ReadOptions,
  SnapshotRange,
  SnapshotsOptions,
  StreamRecordsOptions,
  WriteOptions,
} from './types.ts';

const metered = { signal: true, meter: true } as const;

export function assertMeteredOptions(options: MeteredOptions): void {
  assertOptions<MeteredOptions>(options, '', metered);
}

export function assertReadOptions<R>(options: ReadOptions<R>): void {
  const names = { partition: true, where: true, columns: true, ...metered } as const;
  assertOptions<ReadOptions<R>>(options, '', names);
  const { columns } = options;
  if (columns !== undefined && !Array.isArray(columns))
    throw wrong('columns', 'a list of names', kindOf(columns));
}

export function assertSnapshotRange(range: SnapshotRange): void {
  assertOptions<SnapshotRange>(range, '', { since: true, until: true });
}

export function assertSnapshotsOptions(options: SnapshotsOptions): void {
  const names = { since: true, until: true, order: true, unreachable: true, ...metered } as const;
  assertOptions<SnapshotsOptions>(options, '', names);
}

export function assertWriteOptions(options: WriteOptions): void {
  assertOptions<WriteOptions>(options, '', { expectedParent: true, signal: true });
}

export function assertStreamRecordsOptions(options: StreamRecordsOptions): void {
  const names = { expectedParent: true, openFilesMax: true, signal: true } as const;
  assertOptions<StreamRecordsOptions>(options, '', names);
  const { openFilesMax: most = 1 } = options;
  if (!(Number.isInteger(most) && most > 0))
    throw wrong('openFilesMax', 'an integer from 1', String(most));
}

export function assertCopyOptions(options: CopyOptions): void {
  assertOptions<CopyOptions>(options, '', { snapshot: true, onProgress: true, signal: true });
}

export function assertRepairOptions(options: object): void {
  assertOptions<{ dryRun: boolean; signal: AbortSignal }>(options, '', {
    dryRun: true,
    signal: true,
  });
}

function wrong(field: string, expected: string, actual: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this option cannot have such a value', {
    field,
    expected,
    actual,
  });
}
