/**
 * Members of a decoded JSON object as a manifest reader wants them: by name in any case, typed, with faults that name
 * the key of the object and the path of the member.
 */
import { LodeError } from '../errors.ts';

/** Every name the format knows, at any level. */
// Pure, so that bundles which read no manifests leave it out.
const known: ReadonlySet<string> = new Set(
  /* @__PURE__ */ (
    'schema_name format_version dataset_id snapshot_id created_at metadata files parent_snapshot_id row_count ' +
    'min_timestamp max_timestamp codec compressor partitioner checksum_algorithm manifest_checksum ' +
    'path size_bytes checksum stats index_checksum index_bytes columns name min max null_count distinct_count ' +
    'volume_id total_length blocks offset length runs recent'
  ).split(' '),
);

const none: Readonly<Record<string, unknown>> = Object.freeze({});

/** Where an object lies in the manifest: text is made of it only when there is a fault to name. */
interface Place {
  readonly of: Members;
  readonly member: string;
  readonly index?: number;
}

export class Members {
  readonly key: string;
  readonly #place: Place | undefined;
  readonly #members: Readonly<Record<string, unknown>>;

  /** Without a place, the manifest itself. `null` counts as an object without members. */
  constructor(object: unknown, key: string, place?: Place) {
    this.key = key;
    this.#place = place;
    this.#members = none;
    if (object === null) return;
    if (typeof object !== 'object' || Array.isArray(object))
      throw this.#fault(this.#path(), 'an object', object);
    this.#members = unfolded(object as Readonly<Record<string, unknown>>);
  }

  /** The members of a member, or of one of its items. */
  within(object: unknown, member: string, index?: number): Members {
    return new Members(object, this.key, {
      of: this,
      member,
      ...(index === undefined ? {} : { index }),
    });
  }

  value(member: string): unknown {
    return this.#members[member];
  }

  /** A string that is not empty. */
  name(member: string): string {
    return this.optionalString(member) ?? this.#missing(member);
  }

  /** `undefined` when absent, null or empty: Go cannot tell these apart. */
  optionalString(member: string): string | undefined {
    const value = this.#members[member];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.fault(member, 'a string', value);
    return value;
  }

  /** An integer from 0 to 2^53 - 1; absent and null mean 0. */
  count(member: string): number {
    const value = this.#members[member] ?? 0;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw this.fault(member, 'an integer from 0 to 2^53 - 1', value);
    return value === 0 ? 0 : value;
  }

  /** Null means none; absent is a fault. */
  array(member: string): readonly unknown[] {
    const value = this.#members[member];
    if (value === null) return [];
    if (value === undefined) return this.#missing(member);
    if (!Array.isArray(value)) throw this.fault(member, 'an array', value);
    return value as readonly unknown[];
  }

  fault(member: string, expected: string, actual: unknown): LodeError {
    return this.#fault(this.#field(member), expected, actual);
  }

  #field(member: string): string {
    const path = this.#path();
    return path === '' ? member : `${path}.${member}`;
  }

  #path(): string {
    const place = this.#place;
    if (place === undefined) return '';
    const field = place.of.#field(place.member);
    return place.index === undefined ? field : `${field}[${place.index}]`;
  }

  #missing(member: string): never {
    throw new LodeError('LODE_MANIFEST_INVALID', 'a manifest lacks a member', {
      key: this.key,
      field: this.#field(member),
    });
  }

  #fault(field: string, expected: string, actual: unknown): LodeError {
    return new LodeError('LODE_MANIFEST_INVALID', 'a manifest holds a value that cannot be', {
      key: this.key,
      ...(field === '' ? {} : { field }),
      expected,
      actual: shown(actual),
    });
  }
}

/** The same members under the names of the format. The object itself unless a name is in another case. */
function unfolded(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const names = Object.keys(object);
  if (names.every((name) => known.has(name) || !known.has(folded(name)))) return object;
  const members = Object.create(null) as Record<string, unknown>;
  for (const name of names) {
    const plain = folded(name);
    members[known.has(plain) ? plain : name] = object[name];
  }
  return members;
}

/** As Go folds: ASCII case, and the two letters outside ASCII whose lower case is in it. */
function folded(name: string): string {
  return name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}

function shown(value: unknown): string | number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'string') return value.length > 200 ? `${value.slice(0, 200)}…` : value;
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
