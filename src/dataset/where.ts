/**
 * Conditions on records: which files can be skipped by partition and statistics, and which records match.
 *
 * Skipping is sound: a file is left out only when its statistics or its path prove that no record in it matches. Strings
 * compare by UTF-8 bytes, times as instants; values of different kinds never match and never prune.
 */
import { compareUtf8 } from '../bytes/index.ts';
import type { ColumnStatistics, FileStatistics } from '../encoding/codec.ts';
import { formatTime, parseTime } from '../encoding/time.ts';
import { LodeError } from '../errors.ts';
import type { Layout } from './layout.ts';
import type { ManifestFile } from './manifest/index.ts';
import { escapeSegment, partitionText } from './partition.ts';

/** A value a condition compares with. */
export type Comparable = string | number | bigint | boolean | Date;

/** Bounds on a field; all that are given must hold. A `null` or missing field never matches. */
export interface Bounds<V> {
  readonly eq?: V;
  readonly in?: readonly V[];
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
}

/** A field whose type nobody declared may be compared with anything. */
type ComparableOf<V> = unknown extends V ? Comparable : Extract<V, Comparable>;

/** By field: a value to equal, or bounds. */
export type Where<R> = {
  readonly [K in keyof R]?: ComparableOf<R[K]> | Bounds<ComparableOf<R[K]>>;
};

/** A whole partition as it stands in paths (`day=2024-01-15/region=eu`), or values by key. */
export type PartitionFilter =
  | string
  | Readonly<Record<string, string | number | bigint | boolean | Date | null>>;

type Conditions = readonly (readonly [field: string, bounds: Bounds<Comparable>])[];

export class Selection {
  readonly #conditions: Conditions;
  readonly #components: readonly string[] | undefined;
  readonly #layout: Layout;

  /** @param keys  The partition keys there are, where they are known: a filter by another would select nothing. */
  constructor(
    layout: Layout,
    where: object | undefined,
    partition: PartitionFilter | undefined,
    keys?: readonly string[],
  ) {
    this.#layout = layout;
    this.#conditions = Object.entries(where ?? {}).flatMap(([field, condition]) =>
      condition === undefined ? [] : [[field, boundsOf(field, condition)] as const],
    );
    this.#components = partition === undefined ? undefined : componentsOf(partition);
    if (keys !== undefined) for (const part of this.#components ?? []) assertKey(part, keys);
  }

  /** False when no record of the file can match. */
  mayHold(file: ManifestFile): boolean {
    const partition = this.#layout.partitionOf(file.path);
    const components = partition.split('/');
    if (this.#components?.some((component) => !components.includes(component))) return false;
    return this.#conditions.every(([field, bounds]) => {
      const prefix = `${field}=`;
      const component = components.find((text) => text.startsWith(prefix));
      if (component !== undefined && !componentMayMatch(component, prefix, bounds)) return false;
      // Statistics beside a digest of the index are our codec's: those tell of values as they are stored.
      const { stats, index } = file;
      return stats === undefined || statisticsMayMatch(stats, field, bounds, index !== undefined);
    });
  }

  /** The same for a part of a file, by its statistics alone. */
  mayHoldPart(part: FileStatistics): boolean {
    return this.#conditions.every(([field, bounds]) =>
      statisticsMayMatch(part, field, bounds, true),
    );
  }

  /** Undefined when every record of a file that may match is wanted. */
  get matches(): ((record: unknown) => boolean) | undefined {
    const conditions = this.#conditions;
    if (conditions.length === 0) return undefined;
    return (record) =>
      typeof record === 'object' &&
      record !== null &&
      conditions.every(([field, bounds]) =>
        matches((record as Record<string, unknown>)[field], bounds),
      );
  }

  /** Fields that `matches` looks at. */
  get fields(): string[] {
    return this.#conditions.map(([field]) => field);
  }
}

function componentsOf(partition: PartitionFilter): string[] {
  if (typeof partition === 'string') return partition.split('/').filter((part) => part !== '');
  return Object.entries(partition).map(([key, value]) => {
    const text = partitionText(value);
    if (text === undefined)
      throw unusable(`partition.${key}`, 'a value a partition can have', value);
    return `${key}=${escapeSegment(text)}`;
  });
}

function assertKey(component: string, keys: readonly string[]): void {
  const key = component.slice(0, Math.max(0, component.indexOf('=')));
  if (keys.includes(key)) return;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'the layout has no such partition key', {
    field: 'partition',
    expected: keys.length === 0 ? 'no partition: the layout has none' : keys.join(', '),
    actual: key === '' ? 'no key' : key,
    next: 'Name partitions by the keys of the layout; for other fields use where.',
  });
}

const comparisons = ['eq', 'gt', 'gte', 'lt', 'lte'] as const;

/** What TypeScript would have refused is refused here: a condition that is ignored would select everything. */
function boundsOf(field: string, condition: unknown): Bounds<Comparable> {
  const isBounds =
    typeof condition === 'object' && condition !== null && !(condition instanceof Date);
  if (!isBounds) return { eq: comparable(`where.${field}`, condition) };
  const bounds = condition as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(bounds)) {
    const member = `where.${field}.${name}`;
    if (value === undefined) continue;
    if ((comparisons as readonly string[]).includes(name)) comparable(member, value);
    else if (name !== 'in') throw unusable(member, [...comparisons, 'in'].join(', '), name);
    else if (!Array.isArray(value)) throw unusable(member, 'an array', value);
    else for (const any of value) comparable(member, any);
  }
  return bounds as Bounds<Comparable>;
}

function comparable(field: string, value: unknown): Comparable {
  const usable =
    value instanceof Date
      ? !Number.isNaN(value.getTime())
      : ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
  if (usable) return value as Comparable;
  throw unusable(field, 'a string, number, bigint, boolean or valid Date', value);
}

/** Text of a value stays out: it may be a secret of the caller. */
function unusable(field: string, expected: string, value: unknown): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this condition cannot be checked', {
    field,
    expected,
    actual: value === null ? 'null' : value instanceof Date ? 'invalid Date' : typeof value,
  });
}

function matches(value: unknown, bounds: Bounds<Comparable>): boolean {
  if (value === undefined || value === null) return false;
  const order = (to: Comparable): number => compare(value, to);
  const holds = (to: Comparable | undefined, test: (n: number) => boolean): boolean =>
    to === undefined || test(order(to));
  return (
    holds(bounds.eq, (n) => n === 0) &&
    (bounds.in === undefined || bounds.in.some((to) => order(to) === 0)) &&
    holds(bounds.gt, (n) => n > 0) &&
    holds(bounds.gte, (n) => n >= 0) &&
    holds(bounds.lt, (n) => n < 0) &&
    holds(bounds.lte, (n) => n <= 0)
  );
}

/** Only equality says anything about the text of a partition value. */
function componentMayMatch(
  component: string,
  prefix: string,
  { eq, in: any }: Bounds<Comparable>,
): boolean {
  const is = (value: Comparable): boolean => {
    const text = partitionText(value);
    if (text !== undefined && component === prefix + escapeSegment(text)) return true;
    return isWrittenOtherwise(value, component.slice(prefix.length));
  };
  return (eq === undefined || is(eq)) && (any === undefined || any.some(is));
}

/**
 * Whether a record that holds `value` may lie in a partition of another text: a time lies under its day, Go writes large
 * and fractional numbers in its own way, and bytes, which are text in a record, as a list of numbers.
 */
function isWrittenOtherwise(value: Comparable, escaped: string): boolean {
  if (value instanceof Date) return true;
  if (typeof value === 'boolean') return false;
  if (typeof value === 'string') return parseTime(value) !== undefined || escaped.startsWith('%5B');
  const number = escaped === '' ? Number.NaN : Number(escaped.replaceAll('%2B', '+'));
  // A column of float32 holds the nearest one.
  return Number.isNaN(number) || number === Number(value) || Math.fround(number) === Number(value);
}

function statisticsMayMatch(
  { rowCount, columns }: FileStatistics,
  field: string,
  bounds: Bounds<Comparable>,
  asStored: boolean,
): boolean {
  const column = columns.find(({ name }) => name === field);
  return column === undefined || columnMayMatch(column, rowCount, bounds, asStored);
}

function columnMayMatch(
  { min, max, nullCount, isTime }: ColumnStatistics,
  rowCount: number,
  { eq, in: any, gt, gte, lt, lte }: Bounds<Comparable>,
  asStored: boolean,
): boolean {
  // A manifest may lack the count, which reads as 0.
  if (min === undefined || max === undefined) return nullCount < rowCount || rowCount === 0;
  if (isReadOtherwise(min) || isReadOtherwise(max)) return true;
  // Values that cannot be compared give NaN, which proves nothing.
  const order = (bound: typeof min, value: Comparable): number => {
    const given = compareBound(isTime, bound, value);
    if (typeof bound !== 'number' && typeof bound !== 'bigint') return given;
    // Digits of a manifest may be the shortest ones of a float64; Go's those of what a column of float32 was given.
    const double = Number(bound);
    const read = asStored ? [double] : [double, Math.fround(double)];
    const sign = Math.sign(given);
    return read.every((as) => Math.sign(compare(as, value)) === sign) ? given : Number.NaN;
  };
  const inside = (value: Comparable): boolean =>
    !(order(min, value) > 0) && !(order(max, value) < 0);
  return (
    (eq === undefined || inside(eq)) &&
    (any === undefined || any.some(inside)) &&
    (gt === undefined || !(order(max, gt) <= 0)) &&
    (gte === undefined || !(order(max, gte) < 0)) &&
    (lt === undefined || !(order(min, lt) >= 0)) &&
    (lte === undefined || !(order(min, lte) > 0))
  );
}

/** Text bounds of times are as given: in a spelling we do not order, or past the 64 bits of nanoseconds, where Go wraps. */
function isReadOtherwise(bound: string | number | bigint | boolean): boolean {
  if (typeof bound !== 'string') return false;
  const at = parseTime(bound);
  return at === undefined ? goTime.test(bound) : at !== BigInt.asIntN(64, at);
}

/** Go takes a fraction after a comma, hours of one digit, and zones of a whole day. */
const goTime = /^\d{4}-\d\d-\d\dT\d.*(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Sign of a bound - b, `NaN` when it would prove nothing. Text that is a time bounds a column of times, ordered as instants
 * and read in UTC or as a `Date`, or a column of text, ordered by bytes: unless it is known, what is concluded has to hold for
 * both. So text has to differ in its whole seconds, and a `Date` has to lie more than a zone's offset, a day, outside.
 */
function compareBound(
  isTime: true | undefined,
  bound: string | number | bigint | boolean,
  b: Comparable,
): number {
  const order = compare(bound, b);
  const at = typeof bound === 'string' ? parseTime(bound) : undefined;
  if (at === undefined || typeof bound !== 'string') return order;
  let coarse = 0;
  if (typeof b === 'string') {
    coarse = compareUtf8(formatTime(at).slice(0, 19), b.slice(0, 19));
  } else if (b instanceof Date) {
    const asText = Date.parse(`${bound.slice(0, 19)}Z`) - b.getTime();
    const asInstant = Number(at / 1_000_000n) - b.getTime();
    // A `Date` that was read has lost what is below a millisecond: one of difference proves nothing yet.
    if (isTime) coarse = Math.abs(asInstant) > 1 ? asInstant : 0;
    else if (Math.min(Math.abs(asText), Math.abs(asInstant)) > dayMs) coarse = asText;
  }
  return coarse !== 0 && Math.sign(coarse) === Math.sign(order) ? order : Number.NaN;
}

/** And an hour, which takes in what is below a second. */
const dayMs = 25 * 60 * 60 * 1_000;

/** Sign of a - b, `NaN` when the two cannot be compared. */
function compare(a: unknown, b: Comparable): number {
  if (typeof b === 'string') return typeof a === 'string' ? compareUtf8(a, b) : Number.NaN;
  if (b instanceof Date) return compareInstants(a, b);
  if (typeof b === 'boolean') return typeof a === 'boolean' ? Number(a) - Number(b) : Number.NaN;
  if (typeof a !== 'number' && typeof a !== 'bigint') return Number.NaN;
  return a < b ? -1 : a > b ? 1 : Number(a) === Number(b) ? 0 : Number.NaN;
}

function compareInstants(a: unknown, b: Date): number {
  if (a instanceof Date) return a.getTime() - b.getTime();
  const at = typeof a === 'string' ? parseTime(a) : undefined;
  if (at === undefined) return Number.NaN;
  const to = BigInt(b.getTime()) * 1_000_000n;
  return at < to ? -1 : at > to ? 1 : 0;
}
