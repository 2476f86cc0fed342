/** From stored values to JavaScript values, once it is settled how a column is to be handed out. */
import { LodeError } from '../../errors.ts';
import type { TimeUnit } from './footer-schema.ts';
import { corrupt } from './place.ts';
import type { Place } from './place.ts';
import { ByteSlices } from './slices.ts';
import { formatRfc3339 } from './timestamp.ts';
import type { Dense } from './values.ts';

/** How the values of a column are handed out. */
export type Shape =
  | { readonly kind: 'number' | 'boolean' | 'text' | 'bytes' | 'uuid' | 'float16' | 'date' }
  | {
      readonly kind: 'integer';
      readonly signed: boolean;
      readonly as: 'number' | 'bigint' | 'either';
    }
  | {
      readonly kind: 'timestamp';
      readonly unit: TimeUnit;
      readonly as: 'date' | 'string' | 'bigint';
    }
  | { readonly kind: 'decimal'; readonly scale: number };

/** One value of a page, by its index among the values that are not null. */
export type Cell = (index: number) => unknown;

export function cellsOf(shape: Shape, dense: Dense, place: Place): Cell {
  switch (shape.kind) {
    case 'number': {
      const values = dense as Float64Array;
      return (i) => values[i];
    }
    case 'boolean': {
      const bits = dense as Uint8Array;
      return (i) => bits[i] === 1;
    }
    case 'integer':
      return integers(dense, shape, place);
    case 'timestamp':
      return timestamps(dense, shape, place);
    case 'decimal': {
      const at = unscaled(dense);
      return (i) => decimalText(at(i), shape.scale);
    }
    case 'date': {
      const days = dense as Int32Array;
      return (i) => dateText(days[i] as number, place);
    }
    case 'text':
    case 'bytes':
    case 'uuid':
    case 'float16':
      if (!(dense instanceof ByteSlices))
        throw corrupt(place, 'a column holds another type than its schema says');
      return fromBytes(dense, shape.kind);
  }
}

function fromBytes(slices: ByteSlices, kind: 'text' | 'bytes' | 'uuid' | 'float16'): Cell {
  if (kind === 'text') return (i) => text(slices.bytes, slices.start(i), slices.end(i));
  if (kind === 'uuid') return (i) => uuidText(slices.view(i));
  if (kind === 'float16') return (i) => float16(slices.view(i));
  // A copy: a view would hold the whole page in memory, and share it with other records.
  return (i) => new Uint8Array(slices.view(i));
}

/** The two halves of 64-bit integers, low first, as the platforms JavaScript runs on store them. */
function halves(dense: BigInt64Array): Int32Array {
  return new Int32Array(dense.buffer, dense.byteOffset, dense.length * 2);
}

function integers(
  dense: Dense,
  shape: { readonly signed: boolean; readonly as: 'number' | 'bigint' | 'either' },
  place: Place,
): Cell {
  if (dense instanceof Int32Array) {
    const value = (i: number): number =>
      shape.signed ? (dense[i] as number) : (dense[i] as number) >>> 0;
    return shape.as === 'bigint' ? (i) => BigInt(value(i)) : value;
  }
  const big = dense as BigInt64Array;
  const exact = (i: number): bigint =>
    shape.signed ? (big[i] as bigint) : BigInt.asUintN(64, big[i] as bigint);
  if (shape.as === 'bigint') return exact;
  const half = halves(big);
  return (i) => {
    const high = half[2 * i + 1] as number;
    const number = high * 4294967296 + ((half[2 * i] as number) >>> 0);
    if (Number.isSafeInteger(number) && (shape.signed || high >= 0)) return number;
    if (shape.as === 'either') return exact(i);
    throw new LodeError(
      'LODE_SCHEMA_VIOLATION',
      'parquet: an integer is too large to be read as a number',
      { ...place, actual: exact(i), next: `Declare the field as { type: 'int64', as: 'bigint' }.` },
    );
  };
}

const perSecond: Readonly<Record<TimeUnit, bigint>> = {
  MILLIS: 1_000n,
  MICROS: 1_000_000n,
  NANOS: 1_000_000_000n,
};

function timestamps(
  dense: Dense,
  shape: { readonly unit: TimeUnit; readonly as: 'date' | 'string' | 'bigint' },
  place: Place,
): Cell {
  const factor = 1_000_000_000n / perSecond[shape.unit];
  const nanos =
    dense instanceof ByteSlices
      ? (i: number): bigint => int96Nanos(dense.view(i))
      : (i: number): bigint => ((dense as BigInt64Array)[i] as bigint) * factor;
  if (shape.as === 'bigint') return nanos;
  if (shape.as === 'string') return (i) => timestampText(nanos(i), place);
  if (dense instanceof BigInt64Array && shape.unit === 'NANOS') return dates(dense, place);
  return (i) => exactDate(nanos(i), place);
}

function timestampText(nanos: bigint, place: Place): string {
  checkRange(nanos / 1_000_000n, place);
  return formatRfc3339(nanos);
}

function dateText(days: number, place: Place): string {
  checkRange(BigInt(days) * 86_400_000n, place);
  return new Date(days * 86_400_000).toISOString().replace(/T.*/, '');
}

/** Years 1 to 9999, which is what RFC 3339 can write. */
function checkRange(millis: bigint, place: Place): void {
  if (millis < -62_135_596_800_000n || millis > 253_402_300_799_999n)
    throw corrupt(place, 'an instant lies outside the years 1 to 9999');
}

/** Nanoseconds to Dates in exact double arithmetic: 2^32 ns are 4294 ms and 967296 ns. */
function dates(dense: BigInt64Array, place: Place): Cell {
  const half = halves(dense);
  return (i) => {
    const high = half[2 * i + 1] as number;
    const rest = high * 967_296 + ((half[2 * i] as number) >>> 0);
    const millis = Math.floor(rest / 1_000_000);
    if (rest !== millis * 1_000_000) return exactDate(dense[i] as bigint, place);
    return new Date(high * 4294 + millis);
  };
}

function exactDate(nanos: bigint, place: Place): Date {
  checkRange(nanos / 1_000_000n, place);
  if (nanos % 1_000_000n !== 0n) {
    throw new LodeError(
      'LODE_SCHEMA_VIOLATION',
      'parquet: a timestamp is finer than the milliseconds of a Date',
      {
        ...place,
        actual: formatRfc3339(nanos),
        next: `Declare the field as { type: 'timestamp', as: 'string' } or { as: 'bigint' }.`,
      },
    );
  }
  return new Date(Number(nanos / 1_000_000n));
}

/** The oldest form: nanoseconds of the day, then the Julian day. */
function int96Nanos(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const days = BigInt(view.getInt32(8, true) - 2_440_588);
  return days * 86_400_000_000_000n + view.getBigInt64(0, true);
}

function unscaled(dense: Dense): (i: number) => bigint {
  if (!(dense instanceof ByteSlices)) return (i) => BigInt((dense as BigInt64Array)[i] as bigint);
  return (i) => {
    let value = 0n;
    const bytes = dense.view(i);
    for (const byte of bytes) value = (value << 8n) | BigInt(byte);
    return BigInt.asIntN(bytes.length * 8, value);
  };
}

function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return (value * 10n ** BigInt(-scale)).toString();
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function float16(bytes: Uint8Array): number {
  const bits = (bytes[0] as number) | ((bytes[1] as number) << 8);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const shortText = 24;

/** UTF-8; bytes that are not are replaced, as JSON readers do. Short ASCII skips the decoder's fixed cost. */
function text(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= shortText) {
    let ascii = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) break;
      ascii += String.fromCharCode(byte);
    }
    if (at === end) return ascii;
  }
  return decoder.decode(bytes.subarray(start, end));
}
