/**
 * Opening a journal: the newest snapshot that can be trusted, and the log behind it, applied event by event while it is recovered.
 * When that fails, nothing on the disk has changed.
 */
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { systemEnv } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import type { SnapshotHeader } from '../snapshot/header.ts';
import { firstLsnOf } from '../wal/names.ts';
import { openWal } from '../wal/open.ts';
import type { WalOptions } from '../wal/options.ts';
import { OpenJournal } from './journal.ts';
import { assertDone, Machine } from './machine.ts';
import { settle } from './options.ts';
import type { JournalOptions, JournalPoint, JournalSettings } from './options.ts';
import { assertReached, isBehind } from './point.ts';
import { assertRestored } from './restoring.ts';
import { despiteUpkeep, findState, reachingBack, takeOver } from './saved-states.ts';
import type { FoundStates, SavedState } from './saved-states.ts';
import type { Journal } from './types.ts';
import type { WalRecord } from '../wal/types.ts';

/** Opens the journal in `dir`, a directory that exists, and recovers it. */
export async function openJournal<State, Event>(
  dir: string | URL,
  options: JournalOptions<State, Event>,
): Promise<Journal<State, Event>> {
  const settings = settle(options);
  const { disk = nodeDisk(), signal } = options;
  const path = absolutePath(dir);
  signal?.throwIfAborted();
  return despiteUpkeep(disk, path, () => openOnce(disk, path, options, settings));
}

async function openOnce<State, Event>(
  disk: Disk,
  dir: string,
  options: JournalOptions<State, Event>,
  settings: JournalSettings<State, Event>,
): Promise<Journal<State, Event>> {
  const { until, env = systemEnv, check, apply } = options;
  const { recovery, durability } = settings;
  await assertRestored(disk, dir);
  const found = await findState(disk, dir, {
    until,
    isTrusted: (header) => isTrusted(header, options, settings, dir),
    isStrict: recovery === 'strict',
  });
  await assertReplayable(disk, dir, found, settings);
  const { chosen } = found;
  const base = chosen?.header.lsn ?? 0;
  const state = stateOf(chosen, options, settings, dir);
  const machine = new Machine<State, Event>(settings.codecs, apply, dir, state, base);
  const replay = new Replay(machine, until, options.signal);
  const isRead = until !== undefined || recovery === 'salvage';
  const wal = await reachingBack(found, () =>
    openWal(dir, {
      ...walOptions(options, chosen),
      recovery: isRead ? 'salvage' : recovery,
      durability: durability === 'os' ? 'os' : 'group',
      after: base,
      visit: (record) => replay.visit(record),
      env,
      disk,
    }),
  );
  try {
    if (until !== undefined) {
      const { damage } = wal.recovery;
      const error = damage?.isTorn === false ? damage.error : undefined;
      await assertReached(disk, dir, until, replay, found, error);
    }
    const setAside = isRead ? [] : await takeOver(disk, dir, found);
    const lost = wal.nextLsn - 1 > machine.lsn;
    if (!isRead && lost) machine.skipTo(wal.nextLsn - 1);
    const journal = new OpenJournal<State, Event>({
      disk,
      dir,
      env,
      wal,
      machine,
      settings,
      check,
      recovery: {
        snapshot: chosen?.file,
        ignored: found.ignored,
        replayed: replay.records,
        lsn: machine.lsn,
        log: wal.recovery,
        setAside: [...wal.recovery.setAside, ...setAside],
      },
      readOnly: until !== undefined ? 'until' : recovery === 'salvage' ? 'salvage' : undefined,
      newest: chosen?.header.version === settings.version ? chosen.file : undefined,
      timeMs: replay.timeMs ?? chosen?.header.timeMs ?? 0,
      since: replay,
    });
    // The numbers of what is lost are not given again: from here on the log needs a state to begin with.
    if (!isRead && lost) await journal.snapshot();
    return journal;
  } catch (error) {
    await wal.close();
    throw error;
  }
}

/** Applies the records that the recovery of the log reads. */
class Replay<State, Event> {
  readonly #machine: Machine<State, Event>;
  readonly #until: JournalPoint | undefined;
  readonly #signal: AbortSignal | undefined;
  records = 0;
  bytes = 0;
  timeMs: number | undefined;
  /** The point asked for is passed. */
  isPast = false;

  constructor(
    machine: Machine<State, Event>,
    until: JournalPoint | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#machine = machine;
    this.#until = until;
    this.#signal = signal;
  }

  visit({ lsn, timeMs, bytes }: WalRecord): void {
    this.#signal?.throwIfAborted();
    if (lsn <= this.#machine.lsn || this.isPast) return;
    this.isPast = isBehind(this.#until, { lsn, timeMs });
    if (this.isPast) return;
    this.#machine.replay(lsn, bytes);
    this.records++;
    this.bytes += bytes.length;
    this.timeMs = timeMs;
  }

  get lsn(): number {
    return this.#machine.lsn;
  }
}

function isTrusted<State, Event>(
  { codec, version, journalId }: SnapshotHeader,
  options: JournalOptions<State, Event>,
  settings: JournalSettings<State, Event>,
  key: string,
): boolean {
  const { name } = settings.codecs.state;
  const { journalId: wanted = journalId } = options;
  if (journalId !== wanted) {
    const field = 'journalId';
    const what = 'this directory holds another journal';
    throw new LodeError('LODE_INVALID_ARGUMENT', what, {
      key,
      field,
      expected: wanted,
      actual: journalId,
    });
  }
  if (codec !== name) {
    throw new LodeError('LODE_COMPONENT_MISMATCH', 'another codec wrote the state', {
      key,
      field: 'codec',
      expected: codec,
      actual: name,
      next: 'Open the journal with the codec that its snapshots name.',
    });
  }
  return version === settings.version || settings.upgrades;
}

/** A state of another version is of no use; without one, the log has to go back to the first event. */
async function assertReplayable<State, Event>(
  disk: Disk,
  dir: string,
  { chosen, ignored }: FoundStates,
  { version }: JournalSettings<State, Event>,
): Promise<void> {
  if (chosen !== undefined || !ignored.some(({ reason }) => reason === 'version')) return;
  const names = await disk.list(dir);
  const first = Math.min(...names.flatMap(({ name }) => firstLsnOf(name) ?? []));
  if (first === 1) return;
  throw new LodeError('LODE_COMPONENT_MISMATCH', 'another version of apply made the state', {
    key: dir,
    field: 'version',
    actual: version,
    next: 'Its log is gone: open the journal with that version, or give `upgrade`.',
  });
}

function stateOf<State, Event>(
  chosen: SavedState | undefined,
  { initial, upgrade }: JournalOptions<State, Event>,
  { codecs, version }: JournalSettings<State, Event>,
  dir: string,
): State {
  if (chosen === undefined) {
    const state = assertDone(initial(), 'initial');
    // One that its codec cannot write could be in no snapshot: to be heard of before there are events.
    codecs.state.encode(state);
    return state;
  }
  const { header, bytes, file } = chosen;
  try {
    const state = codecs.state.decode(bytes);
    if (header.version === version || upgrade === undefined) return state;
    return assertDone(upgrade(state, header.version), 'upgrade');
  } catch (cause) {
    const what = 'the state in this snapshot cannot be used';
    const expected = header.codec;
    throw new LodeError(
      'LODE_INVALID_FORMAT',
      what,
      { key: `${dir}/${file.name}`, lsn: header.lsn, field: 'codec', expected },
      { cause },
    );
  }
}

function walOptions<State, Event>(
  options: JournalOptions<State, Event>,
  chosen: SavedState | undefined,
): WalOptions {
  const { segmentBytes, preallocateBytes, reserveBytes, pendingBytesMax } = options;
  const journalId = options.journalId ?? chosen?.header.journalId;
  return {
    ...(segmentBytes !== undefined && { segmentBytes }),
    ...(preallocateBytes !== undefined && { preallocateBytes }),
    ...(reserveBytes !== undefined && { reserveBytes }),
    ...(pendingBytesMax !== undefined && { pendingBytesMax }),
    ...(journalId !== undefined && { journalId }),
  };
}
