/** Where in which file a reader is, so that every complaint about bytes names it. */
import { LodeError } from '../../errors.ts';

export interface Place {
  readonly key: string;
  /** Column being read. */
  readonly field?: string;
  /** Offset in the file of the part being read: a page, or the footer. */
  readonly offset: number;
}

interface Found {
  readonly expected?: string | number;
  readonly actual?: string | number;
}

/** The bytes are not what the format says: `LODE_INVALID_FORMAT`. */
export function corrupt(place: Place, what: string, found: Found = {}): LodeError {
  return new LodeError('LODE_INVALID_FORMAT', `parquet: ${what}`, { ...place, ...found });
}

/** The bytes ask for more memory than the reader may use. */
export function tooLarge(place: Place, what: string, limit: number, actual: number): LodeError {
  return new LodeError('LODE_LIMIT_EXCEEDED', `parquet: ${what}`, {
    ...place,
    expected: limit,
    actual,
  });
}

/** Valid Parquet that this reader does not decode. */
export function unsupported(place: Place, what: string, actual?: string | number): LodeError {
  return new LodeError('LODE_UNSUPPORTED', `parquet: ${what}`, {
    ...place,
    actual,
    next: 'Rewrite the file with a common encoding, or read only the other columns.',
  });
}
