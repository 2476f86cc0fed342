/** Options of `openJournal`, checked, with their defaults. */
import type { Disk } from '../../disk/disk.ts';
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import { wordOf } from '../snapshot/header.ts';
import type { WalOptions } from '../wal/options.ts';
import { json } from './codec.ts';
import type { JournalCodec, JournalCodecs } from './codec.ts';
import type { RecoveryMode } from '../wal/types.ts';

export interface SnapshotPolicy {
  /** A snapshot is taken once so many bytes of events were logged since the last one; 64 MiB by default, 0 for never. */
  readonly everyBytes?: number;
  /** The same, counted in events; 0, the default, for never. */
  readonly everyRecords?: number;
  /** So many snapshots that can be used are kept, with the log from the oldest of them on; 2 by default. */
  readonly keep?: number;
}

/** A point in the past: the last event that counts, or the last moment. */
export type JournalPoint =
  | { readonly lsn: number; readonly timeMs?: undefined }
  | { readonly timeMs: number; readonly lsn?: undefined };

type LogOptions =
  | 'recovery'
  | 'segmentBytes'
  | 'preallocateBytes'
  | 'reserveBytes'
  | 'pendingBytesMax'
  | 'journalId';

export interface JournalOptions<State, Event> extends Pick<WalOptions, LogOptions> {
  /** The state before the first event. Called once or more; each call returns a state of its own. */
  readonly initial: () => State;
  /**
   * The state after an event: changes the one it is given, or returns another. It is all that a state depends on, so it must do the same
   * on every replay: no clock, no chance. When it throws, the journal is poisoned.
   */
  readonly apply: (state: State, event: Event, lsn: number) => State | void;
  /** Throws to refuse an event. Nothing is logged then. It sees all that was accepted so far, and changes nothing. */
  readonly check?: (state: State, event: Event) => void;
  /** How events and states become bytes; `json()` by default, which has no maps, sets or dates: `structured()` does. */
  readonly codec?: JournalCodec<State | Event> | JournalCodecs<State, Event>;
  /**
   * `group` (the default): an acknowledged event survives a power loss; those appended meanwhile share one sync. `each`: the same, with
   * one sync each on the calling thread, which is faster for one at a time. `os`: it survives the end of the process.
   */
  readonly durability?: 'group' | 'each' | 'os';
  readonly snapshot?: SnapshotPolicy;
  /** Which `apply` this is. A state that another version made is not trusted: it is made again from the log. */
  readonly version?: string;
  /** Brings a state of another version to this one, so that its log need not be kept. */
  readonly upgrade?: (state: unknown, version: string) => State;
  /** Opens the journal as it was then, to be read only; nothing is locked or changed. */
  readonly until?: JournalPoint;
  readonly env?: Env;
  /** Another disk than the machine's. */
  readonly disk?: Disk;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

const names = {
  initial: true,
  apply: true,
  check: true,
  codec: true,
  durability: true,
  snapshot: true,
  version: true,
  upgrade: true,
  until: true,
  recovery: true,
  segmentBytes: true,
  preallocateBytes: true,
  reserveBytes: true,
  pendingBytesMax: true,
  journalId: true,
  env: true,
  disk: true,
  signal: true,
} as const;

export interface JournalSettings<State, Event> {
  readonly codecs: JournalCodecs<State, Event>;
  readonly durability: 'group' | 'each' | 'os';
  readonly recovery: RecoveryMode;
  readonly snapshot: Required<SnapshotPolicy>;
  readonly version: string;
  /** States of other versions are taken too. */
  readonly upgrades: boolean;
}

const snapshotDefaults = { everyBytes: 64 * 1024 * 1024, everyRecords: 0, keep: 2 };

export function settle<State, Event>(
  options: JournalOptions<State, Event>,
): JournalSettings<State, Event> {
  assertOptions<JournalOptions<State, Event>>(options, '', names);
  const { initial, apply, check, upgrade, until, version = '' } = options;
  const { durability = 'group', recovery = 'tail' } = options;
  for (const [field, value] of Object.entries({ initial, apply, check, upgrade })) {
    const isMissing = value === undefined && (field === 'initial' || field === 'apply');
    refuseUnless(!isMissing && isFunction(value), field, 'a function');
  }
  refuseUnless(['group', 'each', 'os'].includes(durability), 'durability', 'group, each or os');
  refuseUnless(typeof version === 'string', 'version', 'a string');
  const policy = options.snapshot ?? {};
  assertOptions<SnapshotPolicy>(policy, 'snapshot', {
    everyBytes: true,
    everyRecords: true,
    keep: true,
  });
  const snapshot = { ...snapshotDefaults, ...policy };
  refuseUnless(isCount(snapshot.everyBytes, 0), 'snapshot.everyBytes', 'a whole number');
  refuseUnless(isCount(snapshot.everyRecords, 0), 'snapshot.everyRecords', 'a whole number');
  refuseUnless(isCount(snapshot.keep, 1), 'snapshot.keep', 'a whole number, at least 1');
  if (until !== undefined) checkPoint(until);
  const codecs = codecsOf(options.codec);
  // A journal whose snapshots could not say what made them would never have one.
  wordOf(version, 'version');
  wordOf(codecs.state.name, 'codec');
  const upgrades = upgrade !== undefined;
  return { codecs, durability, recovery, snapshot, version, upgrades };
}

export function checkPoint(until: JournalPoint): void {
  assertOptions<{ lsn: number; timeMs: number }>(until, 'until', { lsn: true, timeMs: true });
  const isPoint = isCount(until.lsn, 0)
    ? until.timeMs === undefined
    : until.lsn === undefined && Number.isFinite(until.timeMs);
  refuseUnless(isPoint, 'until', 'either lsn or timeMs');
}

function codecsOf<State, Event>(
  given: JournalOptions<State, Event>['codec'],
): JournalCodecs<State, Event> {
  if (given === undefined) return { event: json<Event>(), state: json<State>() };
  const isPair = typeof given === 'object' && given !== null && 'event' in given;
  const codecs = isPair ? given : { event: given, state: given };
  for (const codec of [codecs.event, codecs.state] as readonly Partial<
    JournalCodec<State | Event>
  >[]) {
    const isCodec = typeof codec?.encode === 'function' && typeof codec.decode === 'function';
    refuseUnless(isCodec && typeof codec.name === 'string', 'codec', 'name, encode and decode');
  }
  // Each is given what it takes: one that takes both takes either.
  return codecs as JournalCodecs<State, Event>;
}

function isFunction(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function refuseUnless(holds: boolean, field: string, expected: string): void {
  if (holds) return;
  const what = 'this journal cannot be opened';
  throw new LodeError('LODE_INVALID_ARGUMENT', what, { field, expected });
}
