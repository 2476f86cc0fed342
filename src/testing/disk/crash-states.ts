/**
 * Every state of the disk a power loss may leave: at each point of a recording, before, between and after its entries.
 *
 * At each point, of the changes not yet durable: none arrived; each prefix of them; every subset when they are few, else
 * a seeded sample; the last write cut at every sector and just inside its ends; a file grown without its bytes; all names
 * but no bytes; all bytes but no names; any one name missing; a rename that shows both names.
 * `power-loss.ts` says what may be lost at all. States that repeat, with the same marks before them, are given once.
 */
import type { DiskImage } from '../../disk/image.ts';
import { seededRandom } from '../random.ts';
import { mix } from './content.ts';
import type { Fate } from './content.ts';
import { PowerLossModel, crossesDirectories } from './power-loss.ts';
import type { Effect } from './power-loss.ts';
import type { Recording } from './recording.ts';

export interface CrashState {
  /** Entries of the recording that happened before the crash. */
  readonly point: number;
  /** Labels marked before the crash, in order. */
  readonly marks: readonly string[];
  readonly image: DiskImage;
  /** Says which changes were open and what became of each. */
  readonly describe: () => string;
}

export interface CrashCounts {
  /** Points enumerated so far; one more than there are entries once all are. */
  points: number;
  /** Outcomes considered, repeated ones included. */
  outcomes: number;
  /** States given. */
  states: number;
}

export interface CrashStates extends Iterable<CrashState> {
  readonly counts: Readonly<CrashCounts>;
}

export interface CrashStateOptions {
  /** The first point to enumerate, 0 by default. */
  readonly from?: number;
  /** For the samples. */
  readonly seed?: number;
  /** Up to so many open changes, every subset of them is tried. */
  readonly subsetsMax?: number;
  /** Above that, so many seeded samples. */
  readonly samples?: number;
}

const sectorBytes = 512;

export function crashStates(recording: Recording, options: CrashStateOptions = {}): CrashStates {
  const counts: CrashCounts = { points: 0, outcomes: 0, states: 0 };
  return { counts, [Symbol.iterator]: () => enumerate(recording, options, counts) };
}

function* enumerate(
  { base, entries }: Recording,
  { from = 0, seed = 1, subsetsMax = 10, samples = 256 }: CrashStateOptions,
  counts: CrashCounts,
): Generator<CrashState> {
  const model = new PowerLossModel(base);
  const random = seededRandom(seed);
  const seen = new Set<number>();
  let marks: readonly string[] = [];
  function* statesAt(point: number): Generator<CrashState> {
    const pending = model.pending();
    const sampled = pending.length > subsetsMax;
    const subsets = sampled ? sampleSubsets(pending, samples, random) : allSubsets(pending.length);
    counts.points++;
    for (const outcomes of [subsets, prefixes(pending.length), damages(pending)]) {
      for (const fates of outcomes) {
        counts.outcomes++;
        const view = model.view(fates);
        const id = mix(model.fingerprint(view), marks.length);
        if (seen.has(id)) continue;
        seen.add(id);
        counts.states++;
        const describe = (): string => describeFates(point, pending, fates);
        yield { point, marks, image: model.image(view), describe };
      }
    }
  }

  for (let point = 0; point <= entries.length; point++) {
    if (point >= from) yield* statesAt(point);
    const entry = entries[point];
    if (entry === undefined) return;
    if (entry.kind === 'mark') marks = [...marks, entry.label];
    model.apply(entry, point);
  }
}

function* allSubsets(count: number): Generator<Fate[]> {
  for (let bits = 0; bits < 2 ** count; bits++) {
    yield fill(count, (i) => ((bits >> i) & 1 ? 'full' : 'none'));
  }
}

function* sampleSubsets(
  pending: readonly Effect[],
  samples: number,
  random: () => number,
): Generator<Fate[]> {
  for (let sample = 0; sample < samples; sample++) {
    // Each sample leans its own way, so that near-empty and near-full subsets come up too.
    const lean = random();
    yield pending.map((effect) => {
      if (random() < lean) return 'full';
      const torn = damagesOf(effect);
      return random() < 0.25 ? (torn[Math.floor(random() * torn.length)] ?? 'none') : 'none';
    });
  }
}

function* prefixes(count: number): Generator<Fate[]> {
  for (let length = 0; length <= count; length++) {
    yield fill(count, (i) => (i < length ? 'full' : 'none'));
  }
}

/** The outcomes with a name in the literature, each tried among all other changes and among the names alone. */
function* damages(pending: readonly Effect[]): Generator<Fate[]> {
  const isName = pending.map(({ event }) => event.kind === 'names');
  const namesOnly = isName.map((name): Fate => (name ? 'full' : 'none'));
  const all = fill(pending.length, () => 'full');
  yield namesOnly;
  yield isName.map((name) => (name ? 'none' : 'full'));
  for (const [i, effect] of pending.entries()) {
    if (isName[i]) yield all.with(i, 'none');
    for (const fate of damagesOf(effect)) {
      yield all.with(i, fate);
      yield namesOnly.with(i, fate);
      yield fill(pending.length, (j) => (j < i ? 'full' : j === i ? fate : 'none'));
    }
  }
  const last = isName.lastIndexOf(false);
  for (const cut of cutsOf(pending[last])) {
    yield all.with(last, cut);
    yield namesOnly.with(last, cut);
    yield fill(pending.length, (j) => (j < last ? 'full' : j === last ? cut : 'none'));
  }
}

/** The partial fates of one change, cuts of a write aside. */
function damagesOf({ event }: Effect): Fate[] {
  if (event.kind === 'write') return ['zeros', 'garbage'];
  return event.kind === 'names' && crossesDirectories(event) ? ['target'] : [];
}

function cutsOf(effect: Effect | undefined): Set<number> {
  const cuts = new Set<number>();
  if (effect?.event.kind !== 'write') return cuts;
  const { length } = effect.event.bytes;
  for (let cut = sectorBytes; cut < length; cut += sectorBytes) cuts.add(cut);
  for (const cut of [1, length >> 1, length - 1]) if (cut > 0 && cut < length) cuts.add(cut);
  return cuts;
}

function fill(count: number, fate: (index: number) => Fate): Fate[] {
  return Array.from({ length: count }, (_, i) => fate(i));
}

function describeFates(point: number, pending: readonly Effect[], fates: readonly Fate[]): string {
  const open = pending.map(({ index, event }, i) => {
    const what =
      event.kind === 'names'
        ? event.changes.map(({ name, node }) => `${name}=${node?.inode ?? '-'}`).join(',')
        : `inode ${event.inode}`;
    return `${event.kind}#${index}(${what}): ${fates[i] ?? 'none'}`;
  });
  return `crash after ${point} entries; ${open.join('; ') || 'nothing open'}`;
}
