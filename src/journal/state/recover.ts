/** The recovery of a journal on its own: what it would do, or doing it, without anybody's `apply`. */
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import { asideName } from '../wal/names.ts';
import { inspectWal, openWal } from '../wal/open.ts';
import { checkWalOptions } from '../wal/options.ts';
import { checkPoint } from './options.ts';
import type { JournalPoint } from './options.ts';
import { assertRestored } from './restoring.ts';
import { rewind } from './rewind.ts';
import { damagedNames, findState, reachingBack, takeOver } from './saved-states.ts';
import type { JournalRecovery } from './types.ts';
import type { RecoveryMode } from '../wal/types.ts';

export interface RecoverOptions {
  /** `tail` by default. */
  readonly recovery?: Exclude<RecoveryMode, 'salvage'>;
  /**
   * Takes the journal back to this point: what is behind it is set aside, whatever it is. A time is compared with those of events, which are
   * milliseconds, one for all that became durable together: the journal ends before the first event that is later.
   */
  readonly until?: JournalPoint;
  /** Say what would be done, and change nothing. */
  readonly dryRun?: boolean;
  readonly env?: Env;
  readonly disk?: Disk;
}

/** Brings a journal to the state that opening it leaves, or that it had at an earlier point. Throws what the mode refuses. */
export async function recover(
  dir: string | URL,
  options: RecoverOptions = {},
): Promise<JournalRecovery> {
  const names = { recovery: true, until: true, dryRun: true, env: true, disk: true } as const;
  assertOptions<RecoverOptions>(options, '', names);
  const { recovery = 'tail', until, dryRun = false, env, disk = nodeDisk() } = options;
  const path = absolutePath(dir);
  if ((recovery as RecoveryMode) === 'salvage') {
    // That mode takes no lock, and what follows changes files.
    const expected = 'tail, strict or last-good';
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this recovery only reads', {
      field: 'recovery',
      expected,
    });
  }
  if (until !== undefined) {
    checkWalOptions({ recovery });
    checkPoint(until);
    return rewind(disk, path, until, { mode: recovery, dryRun });
  }
  const isStrict = recovery === 'strict';
  await assertRestored(disk, path);
  const found = await findState(disk, path, {
    until: undefined,
    isTrusted: () => true,
    isStrict,
  });
  const { chosen, ignored } = found;
  const after = chosen?.header.lsn ?? 0;
  const id = chosen?.header.journalId;
  const facts = { snapshot: chosen?.file, ignored };
  let replayed = 0;
  const visit = ({ lsn }: { readonly lsn: number }): void => {
    if (lsn > after) replayed++;
  };
  if (dryRun) {
    const log = await reachingBack(found, () => inspectWal(path, { recovery, after, visit, disk }));
    const setAside = damagedNames(ignored).map(asideName);
    return { ...facts, log, replayed, lsn: after + replayed, setAside };
  }
  const journalId = id === undefined ? {} : { journalId: id };
  const wal = await reachingBack(found, () =>
    openWal(path, { recovery, after, visit, disk, ...(env && { env }), ...journalId }),
  );
  try {
    const aside = await takeOver(disk, path, found);
    const setAside = [...wal.recovery.setAside, ...aside];
    return { ...facts, log: wal.recovery, replayed, lsn: after + replayed, setAside };
  } finally {
    await wal.close();
  }
}
