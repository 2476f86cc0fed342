/**
 * Instants as text: RFC 3339 with up to nine fractional digits, as stored in manifests and statistics (docs/formats/dataset.md, section 3).
 *
 * Nanoseconds since the Unix epoch are exact here; `Date` alone would drop the last six digits. What is stored keeps
 * the zone it was given in, so times are compared as instants, not as text.
 */
import { LodeError } from '../errors.ts';

/** Nanoseconds since the Unix epoch, a `Date`, or RFC 3339 text. */
export type TimeInput = bigint | Date | string;

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
/** First instants of the years 0000 and 10000. */
const NS_MIN = -62_167_219_200n * NS_PER_SECOND;
const NS_END = 253_402_300_800n * NS_PER_SECOND;

/** UTC text; trailing zeros of the fraction, and an empty fraction, are left out. Years 0000 to 9999 only. */
export function formatTime(ns: bigint): string {
  if (ns < NS_MIN || ns >= NS_END) throw unusable(`${ns} ns`);
  const below = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = secondsText((ns - below) / NS_PER_MS);
  if (below === 0n) return `${seconds}Z`;
  return `${seconds}.${trimZeros(String(below).padStart(9, '0'))}Z`;
}

/** Times come in order mostly: the second that was asked for last is often the one asked for now. */
let lastMs = 0n;
let lastText = '1970-01-01T00:00:00';

function secondsText(ms: bigint): string {
  if (ms !== lastMs) {
    lastText = new Date(Number(ms)).toISOString().slice(0, 19);
    lastMs = ms;
  }
  return lastText;
}

/** Brings a time to stored text. Text keeps its zone and is normalised otherwise; throws `LODE_INVALID_ARGUMENT`. */
export function timeText(time: TimeInput): string {
  if (typeof time === 'bigint') return formatTime(time);
  if (typeof time === 'string') {
    if (parseTime(time) === undefined) throw unusable(time);
    return normalised(time);
  }
  // Callers without types pass numbers and objects.
  if (!((time as unknown) instanceof Date)) throw unusable(typeof time);
  const ms = time.getTime();
  if (Number.isNaN(ms)) throw unusable('invalid Date');
  return formatTime(BigInt(ms) * NS_PER_MS);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Nanoseconds since the Unix epoch; `undefined` for anything but strict RFC 3339. Digits past the ninth are cut. */
export function parseTime(text: string): bigint | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour, zoneMinute] =
    match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined;
  const offset = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000;
  const ms = date.getTime() - (sign === '-' ? -offset : offset);
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** Orders two RFC 3339 texts as instants. Both must parse. */
export function compareTime(a: string, b: string): number {
  if (a === b) return 0;
  const x = parseTime(a);
  const y = parseTime(b);
  if (x === undefined || y === undefined) throw unusable(x === undefined ? a : b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The same instant and zone as it would have been written: no idle zeros, `Z` for no offset. */
function normalised(text: string): string {
  return text
    .replace(/\.(\d+)/, (_, digits: string) => {
      const kept = trimZeros(digits.slice(0, 9));
      return kept === '' ? '' : `.${kept}`;
    })
    .replace(/[+-]00:00$/, 'Z');
}

function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

function unusable(actual: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'this is not a time that can be stored', {
    field: 'time',
    actual,
    next: 'Pass nanoseconds as a bigint, a valid Date, or RFC 3339 text, in the years 0000 to 9999.',
  });
}
