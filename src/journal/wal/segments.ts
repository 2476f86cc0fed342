/**
 * The segments of a log that is written: those that are sealed, and the one that grows. Here is the order in which one follows
 * the other; what a sync that fails means is for the caller to say, who runs them all.
 */
import type { LogPosition, NewSegment } from './group.ts';
import type { LiveSegment, LogOptions } from './log-options.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { Steps, Syncing } from './steps.ts';

/** A group, as far as it says where the log was before it. */
interface Place {
  before: LogPosition;
}

export class Segments {
  readonly sealed: LiveSegment[];
  /** The one being written. */
  active: SegmentWriter | undefined;
  /** Up to here it may be read. */
  durableEnd = 0;
  /** One is being sealed, or made: nobody may come in between. */
  isRotating = false;
  readonly #options: LogOptions;

  constructor(options: LogOptions, sealed: readonly LiveSegment[]) {
    this.#options = options;
    this.sealed = [...sealed];
  }

  /** Seals the active segment and makes the next. `place` is then where that begins. */
  *rotate(place: Place, { header, bytes, running }: NewSegment, syncing: Syncing): Steps {
    const { owner, beforeSegment } = this.#options;
    this.isRotating = true;
    try {
      yield* this.seal(place, syncing);
      yield* syncing(beforeSegment());
      const checkPlace = (): void => owner.checkPlace();
      this.active = yield* SegmentWriter.create(this.#options, header, bytes, syncing, checkPlace);
    } finally {
      this.isRotating = false;
    }
    // One of the same name, without a record, is gone.
    if (this.sealed.at(-1)?.header.firstLsn === header.firstLsn) this.sealed.pop();
    this.durableEnd = bytes.length;
    const { firstLsn, logNumber, timeMs } = header;
    const made = { firstLsn, logNumber, position: bytes.length, running, timeMs };
    place.before = { ...place.before, ...made, hasSegment: true, restarts: false };
  }

  /** Ends the active segment for good, if there is one, where `place` says that it ends. */
  *seal(place: Place, syncing: Syncing): Steps {
    const { active } = this;
    if (active === undefined) return;
    const { header, path } = active;
    const { position, running, nextLsn } = place.before;
    const lastLsn = nextLsn - 1;
    try {
      active.writeSeal(position, running, lastLsn);
    } catch (error) {
      yield* syncing(active.cutBack(position));
      throw error;
    }
    yield* syncing(active.datasync());
    this.sealed.push({ header, path, lastLsn, end: position });
    this.active = undefined;
    // Before anything else can fail: nobody may append to a segment that is gone.
    place.before = { ...place.before, hasSegment: false };
    active.close();
  }
}
