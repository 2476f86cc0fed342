/**
 * Partition values as text in a path: `key=value` per key, the value escaped as one URL path segment (docs/formats/dataset.md, section 2).
 *
 * The bytes are those the Go implementation writes for the same value, or the record is refused: a value whose text
 * would depend on the writer's language (a fraction, an integer past 2^53) never names a partition.
 */
import { isWellFormed } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';

/** Types a record field may have to be a partition key. Strings are what to use; `null` is a value of its own. */
export type PartitionValue = string | number | bigint | boolean | Date | Uint8Array | null;

/** Gives the partition of a record as escaped text, `''` without keys; throws `LODE_INVALID_RECORD`. */
export type Partitioner = (record: unknown, index: number) => string;

/** Values repeat from record to record: components made are kept, up to this many a key. */
const CACHED_VALUES_MAX = 512;
const CACHED_LENGTH_MAX = 256;

export function createPartitioner(keys: readonly string[]): Partitioner {
  const components = keys.map(componentOf);
  const [only] = components;
  if (only === undefined) return () => '';
  if (components.length === 1) return only;
  return (record, index) => {
    let partition = only(record, index);
    for (let i = 1; i < components.length; i++)
      partition += `/${components[i]?.(record, index) ?? ''}`;
    return partition;
  };
}

function componentOf(key: string): Partitioner {
  const made = new Map<unknown, string>();
  return (record, index) => {
    if (typeof record !== 'object' || record === null)
      throw refused('a record to partition is not an object', key, index, typeof record);
    const value = (record as Record<string, unknown>)[key];
    let component = made.get(value);
    if (component !== undefined) return component;
    if (value === undefined)
      throw refused('a record lacks a partition key', key, index, 'undefined');
    const text = partitionText(value);
    if (text === undefined)
      throw refused('a record has no usable partition value', key, index, shown(value));
    component = `${key}=${escapeSegment(text)}`;
    if (typeof value !== 'object' && text.length <= CACHED_LENGTH_MAX) {
      if (made.size >= CACHED_VALUES_MAX) made.clear();
      made.set(value, component);
    }
    return component;
  };
}

/** The text of a value before escaping; `undefined` for what cannot name a partition. */
export function partitionText(value: unknown): string | undefined {
  if (typeof value === 'string') return isWellFormed(value) ? value : undefined;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value === null) return '<nil>';
  if (value instanceof Date) return dateText(value);
  if (value instanceof Uint8Array) return `[${value.join(' ')}]`;
  return undefined;
}

function dateText(date: Date): string | undefined {
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : undefined;
}

/** Escapes well-formed text: `A-Z a-z 0-9 - _ . ~ $ & + : = @` stay, other UTF-8 bytes become `%XX`. */
export function escapeSegment(text: string): string {
  if (/^[\w\-.~$&+:=@]*$/.test(text)) return text;
  return encodeURIComponent(text)
    .replace(/%(?:24|26|2B|3A|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : Array.isArray(value) ? 'array' : typeof value;
}

function refused(what: string, field: string, record: number, actual: string): LodeError {
  return new LodeError('LODE_INVALID_RECORD', what, {
    field,
    record,
    actual,
    next: 'Give every record a string for each partition key (dates, booleans, null and safe integers work too).',
  });
}
