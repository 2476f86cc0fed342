/** What can go wrong with one call of a store, by name, and the calls each fault applies to. */

export type StoreCall = 'put' | 'get' | 'head' | 'list' | 'delete';

export type StoreFaultKind =
  /** Nothing happens; `LODE_UNAVAILABLE` (a 503). */
  | 'fail'
  /** Nothing happens; `LODE_TIMEOUT`. */
  | 'time-out'
  /** Nothing happens; `LODE_PERMISSION_DENIED`. */
  | 'deny'
  /** Nothing happens, ever, until the call is aborted. */
  | 'hang'
  /** It happens; the answer is lost: `LODE_WRITE_UNCERTAIN` for a put, `LODE_UNAVAILABLE` for a delete. */
  | 'effect-then-fail'
  /** It happens; the answer claims that it did not: `LODE_UNAVAILABLE`. No honest adapter does this. */
  | 'effect-then-lie'
  /** It happens; no answer until the call is aborted. */
  | 'effect-then-hang'
  /** `LODE_WRITE_UNCERTAIN` now; it happens `laterBy` calls on. */
  | 'late-effect'
  /** Nothing happens; a conflict is reported where there is none (a 409). */
  | 'false-conflict'
  /** It happens; a conflict with the own write is reported (a 412 after a lost response). */
  | 'conflict-with-own'
  /** The object is reported missing (a 404; for `ifMatch` a conflict without an etag). */
  | 'missing'
  /** The body comes in single bytes. */
  | 'slow-body'
  /** The body breaks off half-way with `LODE_TRUNCATED`. */
  | 'cut-body'
  /** The body breaks off half-way with `LODE_UNAVAILABLE`. */
  | 'dropped-body'
  /** The body ends half-way and nothing says so. No honest adapter does this. */
  | 'short-body'
  /** The body goes on after its end. No honest adapter does this. */
  | 'long-body'
  /** One bit of the body is flipped. */
  | 'corrupt-body'
  /** The announced size is one more than there is. */
  | 'wrong-size'
  /** The listing does not know the last three keys that were put. */
  | 'stale-list'
  /** The listing comes in reverse. */
  | 'unordered-list'
  /** The listing breaks off half-way with `LODE_UNAVAILABLE`. */
  | 'cut-list';

const always = ['fail', 'time-out', 'deny', 'hang'] as const;

/** The faults that apply to each call: what a test that goes through all of them loops over. */
export const storeFaults: Readonly<Record<StoreCall, readonly StoreFaultKind[]>> = {
  put: [
    ...always,
    'effect-then-fail',
    'effect-then-lie',
    'effect-then-hang',
    'late-effect',
    'false-conflict',
    'conflict-with-own',
    'missing',
  ],
  get: [
    ...always,
    'missing',
    'slow-body',
    'cut-body',
    'dropped-body',
    'short-body',
    'long-body',
    'corrupt-body',
    'wrong-size',
  ],
  head: [...always, 'missing', 'wrong-size'],
  list: [...always, 'stale-list', 'unordered-list', 'cut-list'],
  delete: [...always, 'effect-then-fail', 'effect-then-hang'],
};

export interface StoreFault {
  readonly kind: StoreFaultKind;
  /** Only these calls. Default: every call the kind applies to. */
  readonly on?: StoreCall;
  /** Only keys (for a list: prefixes) this accepts. */
  readonly key?: (key: string) => boolean;
  /** Which of the calls that match, from 0. Default 0. */
  readonly at?: number;
  /** How many of them from there. Default 1; `Infinity` for ever. */
  readonly times?: number;
  /** For `late-effect`: how many calls later. Default 3. */
  readonly laterBy?: number;
}
