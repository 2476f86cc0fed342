/**
 * A journal into a dataset as it lies on the disk: without anybody's `apply`, without its lock and without changing it, so also while
 * another process has it open. What only that one can call durable, the last group it wrote, is left out.
 */
import type { Dataset } from '../../dataset/index.ts';
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import { assertRestored } from '../state/restoring.ts';
import { damageBefore, despiteUpkeep, findState } from '../state/saved-states.ts';
import type { FoundStates } from '../state/saved-states.ts';
import { examine } from '../wal/examine.ts';
import { assertJournal } from '../wal/open.ts';
import { readRecords } from '../wal/read.ts';
import { exportFrom, headOf } from './export.ts';
import type { ExportSource, JournalExport } from './export.ts';
import type { Part } from './parts.ts';

export interface ExportOptions {
  readonly disk?: Disk;
  readonly signal?: AbortSignal;
}

export interface JournalFilesExport extends JournalExport {
  /** Records that were left out, as nothing tells whether they are durable: none once the journal has been closed or recovered. */
  readonly pending: number;
}

/** Adds to a dataset without codec, which holds nothing else, what it lacks of the journal in `dir`. */
export async function exportJournal(
  dir: string | URL,
  dataset: Dataset<Uint8Array>,
  options: ExportOptions = {},
): Promise<JournalFilesExport> {
  assertOptions<ExportOptions>(options, '', { disk: true, signal: true });
  const { disk = nodeDisk(), signal } = options;
  const path = absolutePath(dir);
  return despiteUpkeep(disk, path, async () => {
    signal?.throwIfAborted();
    await assertRestored(disk, path);
    const head = await headOf(dataset);
    const source = await sourceIn(disk, path, head?.part, signal);
    const done = await exportFrom(source, dataset, head);
    return { ...done, pending: Math.max(0, source.lastLsn - done.lsn) };
  });
}

/** The log from `head` on, or else from the newest snapshot on. */
async function sourceIn(
  disk: Disk,
  dir: string,
  head: Part | undefined,
  signal: AbortSignal | undefined,
): Promise<ExportSource> {
  const visit = (): void => signal?.throwIfAborted();
  let found: FoundStates | undefined;
  let log = head && (await examine(disk, dir, { after: Math.max(0, head.lsn - 1), visit }));
  if (log === undefined || log.read.length === 0 || log.problem?.fault.isTorn === false) {
    found = await findState(disk, dir, {
      until: undefined,
      isTrusted: () => true,
      isStrict: false,
    });
    log = await examine(disk, dir, { after: found.chosen?.header.lsn ?? 0, visit });
    const { problem } = log;
    if (problem?.fault.isTorn === false) throw damageBefore(problem.error, found);
  }
  const { chosen } = found ?? {};
  const journalId = log.journalId ?? chosen?.header.journalId;
  if (journalId === undefined)
    throw new LodeError('LODE_NOT_FOUND', 'there is no journal in this directory', { key: dir });
  assertJournal(log, chosen?.header.journalId, dir);
  const base = chosen?.header.lsn ?? 0;
  const { scan } = log.read.at(-1) ?? {};
  const durableLsn = Math.max(base, (scan?.isSealed ? scan.lastLsn : scan?.settledLsn) ?? 0);
  const firstLsn = log.read[0]?.firstLsn ?? base + 1;
  const cursor: ExportSource['wal']['cursor'] = (options) => readRecords(disk, dir, options ?? {});
  return {
    disk,
    dir,
    wal: { journalId, firstLsn, durableLsn, cursor },
    lastLsn: Math.max(base, scan?.lastLsn ?? 0),
    takeSnapshot: () => Promise.resolve(chosen?.file),
    signal,
  };
}
