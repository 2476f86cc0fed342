/** Earliest and latest time of the records of one snapshot, as the caller's extractor gives them. */
import { compareTime, timeText } from '../encoding/time.ts';
import type { TimeInput } from '../encoding/time.ts';
import { isLodeError, LodeError } from '../errors.ts';

/** Time of a record; `undefined` or `null` for a record that has none. */
export type TimestampOf<R> = (record: R) => TimeInput | null | undefined;

export class TimeRange<R> {
  readonly #timestampOf: TimestampOf<R> | undefined;
  #min: TimeInput | undefined;
  #max: TimeInput | undefined;

  constructor(timestampOf: TimestampOf<R> | undefined) {
    this.#timestampOf = timestampOf;
  }

  add(record: R, index: number): void {
    const time = this.#timestampOf?.(record);
    if (time === undefined || time === null) return;
    try {
      if (this.#min === undefined || this.#max === undefined) {
        timeText(time);
        this.#min = kept(time);
        this.#max = this.#min;
      } else if (isBefore(time, this.#min)) this.#min = kept(time);
      else if (isBefore(this.#max, time)) this.#max = kept(time);
    } catch (error) {
      if (!isLodeError(error)) throw error;
      throw new LodeError('LODE_INVALID_RECORD', 'the timestamp of a record is not a time', {
        record: index,
        expected: 'a valid Date, RFC 3339 text with its zone, or nanoseconds as a bigint',
        // Text of a record stays out: messages end up in logs.
        actual: typeof time === 'string' ? `string of length ${time.length}` : error.details.actual,
        next: 'Return one of these, or undefined for a record without a time.',
      });
    }
  }

  /** Members of the manifest; none without a timestamped record. */
  members(): { readonly minTimestamp?: string; readonly maxTimestamp?: string } {
    if (this.#min === undefined || this.#max === undefined) return {};
    return { minTimestamp: timeText(this.#min), maxTimestamp: timeText(this.#max) };
  }
}

/** A date may be set to another time, for the next record or by whoever owns it. */
function kept(time: TimeInput): TimeInput {
  return time instanceof Date ? new Date(time) : time;
}

/** Two dates, or two bigints, compare as they are; anything else as text. */
function isBefore(a: TimeInput, b: TimeInput): boolean {
  if (a instanceof Date && b instanceof Date) {
    if (Number.isNaN(a.getTime()) || Number.isNaN(b.getTime()))
      timeText(Number.isNaN(a.getTime()) ? a : b);
    return a.getTime() < b.getTime();
  }
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b;
  return compareTime(timeText(a), timeText(b)) < 0;
}
