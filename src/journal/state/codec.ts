/**
 * The codec port of a journal: events and states to bytes and back. What comes back has to be what went in, as a state is
 * rebuilt from it; a value of which that cannot be promised is refused before anything is logged.
 */
import { structuredBytes } from '#platform/structured.js';
import { parseJson, readDepthMax } from '../../encoding/json/index.ts';
import { pathText } from '../../encoding/json/path.ts';
import { LodeError } from '../../errors.ts';

export interface JournalCodec<T> {
  /** Kept in every snapshot, and compared when it is read. */
  readonly name: string;
  /** Throws when the value cannot be written. The bytes are not changed afterwards. */
  encode(value: T): Uint8Array;
  /** `bytes` are lent for the call. Every call returns a value of its own. */
  decode(bytes: Uint8Array): T;
}

/** One codec for events and another for states. */
export interface JournalCodecs<State, Event> {
  readonly event: JournalCodec<Event>;
  readonly state: JournalCodec<State>;
}

/** JSON. Values that it would change are refused: dates, maps, class instances, `NaN`, bigints, holes. Members that are `undefined` are left out, -0 becomes 0. */
export function json<T>(): JournalCodec<T> {
  return {
    name: 'json',
    encode: (value) => {
      assertPlain(value, []);
      return new TextEncoder().encode(JSON.stringify(value));
    },
    decode: (bytes) => parseJson(bytes, { bytesMax: Infinity }, { key: 'journal' }) as T,
  };
}

/** Bytes as they are. */
export function bytes(): JournalCodec<Uint8Array> {
  return {
    name: 'bytes',
    encode: (value) => {
      // Not slice(): a Buffer's shares its memory.
      if (value instanceof Uint8Array) return new Uint8Array(value);
      throw new LodeError('LODE_INVALID_RECORD', 'this codec takes bytes only', {
        expected: 'a Uint8Array',
        actual: typeof value,
      });
    },
    decode: (stored) => new Uint8Array(stored),
  };
}

/** Whatever structured clone can copy: maps, sets, dates, bigints, typed arrays, cycles. Readable by Node only. */
export function structured<T>(): JournalCodec<T> {
  const platform = structuredBytes();
  if (platform === undefined) {
    const next = 'Use json() or bytes().';
    throw new LodeError('LODE_UNSUPPORTED', 'this platform has no structured clone as bytes', {
      next,
    });
  }
  return {
    name: 'structured',
    encode: (value) => {
      try {
        return platform.serialize(value);
      } catch (cause) {
        const what = 'structured clone cannot copy this value';
        throw new LodeError('LODE_INVALID_RECORD', what, {}, { cause });
      }
    },
    decode: (stored) => {
      try {
        return platform.deserialize(new Uint8Array(stored)) as T;
      } catch (cause) {
        const what = 'these bytes are no structured clone';
        throw new LodeError('LODE_INVALID_FORMAT', what, {}, { cause });
      }
    },
  };
}

function assertPlain(value: unknown, path: (string | number)[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (typeof value !== 'object') throw notPlain(path, typeof value);
  if (path.length >= readDepthMax) throw notPlain(path, 'deeper than the limit');
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertMember(value[i], path, i);
    return;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain || 'toJSON' in value) {
    throw notPlain(path, prototype?.constructor?.name ?? 'an object with toJSON');
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(members)) {
    if (members[name] !== undefined) assertMember(members[name], path, name);
  }
}

function assertMember(value: unknown, path: (string | number)[], name: string | number): void {
  path.push(name);
  assertPlain(value, path);
  path.pop();
}

function notPlain(path: readonly (string | number)[], actual: string): LodeError {
  return new LodeError('LODE_INVALID_RECORD', 'JSON does not keep this value as it is', {
    field: pathText(path) || 'value',
    actual,
    next: "Convert it, or open the journal with the codec 'structured()'.",
  });
}
