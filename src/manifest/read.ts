/**
 * What reading a manifest has in common for datasets and volumes: limits, JSON, the seal, and the members every manifest
 * begins with. Tolerance and strictness are as `docs/formats/dataset.md`, section 3, has them.
 */
import { parseJson } from '../encoding/json/index.ts';
import { parseTime } from '../encoding/time.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { Members } from './members.ts';
import { brokenSeal, verifySeal } from './seal.ts';

/** What a caller may attach to a snapshot: any JSON value by name. Integers past 2^53 are read as bigints. */
export type Metadata = Readonly<Record<string, unknown>>;

interface TextLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
}

/** Verifies the seal, if there is one. */
export function sealOf(bytes: Uint8Array, key: string, limits: TextLimits): string | undefined {
  // Not hashed when it is too long to be read at all.
  return bytes.length > limits.bytesMax ? undefined : verifySeal(bytes, key);
}

/** A manifest that says it is sealed, and is not, has lost its end. */
export function assertSealed(m: Members, seal: string | undefined): void {
  const announced = m.optionalString('manifest_checksum');
  if (announced !== undefined && seal === undefined)
    throw brokenSeal(m.key, 'the last member, as it was written', announced);
}

export function parseManifest(bytes: Uint8Array, key: string, limits: TextLimits): Members {
  const { bytesMax, depthMax } = limits;
  try {
    const options = { bytesMax, depthMax, integers: 'exact', trailing: 'ignore' } as const;
    return new Members(parseJson(bytes, options, { key }), key);
  } catch (error) {
    if (!isLodeError(error, 'LODE_INVALID_FORMAT')) throw error;
    const { offset } = error.details;
    throw new LodeError(
      'LODE_MANIFEST_INVALID',
      'a manifest is not JSON',
      { key, ...(offset === undefined ? {} : { offset }) },
      { cause: error },
    );
  }
}

/** The schema's name, and a version no later than `majorMax`. */
export function schemaOf(
  m: Members,
  schemaName: string,
  majorMax: number,
): { readonly schemaName: string; readonly formatVersion: string } {
  const schema = m.name('schema_name');
  if (schema !== schemaName) throw m.fault('schema_name', schemaName, schema);
  const version = m.name('format_version');
  const major = /^(\d{1,9})(?:\.\d+){0,2}$/.exec(version)?.[1];
  if (major === undefined) throw m.fault('format_version', 'digits such as 1.0.0', version);
  if (Number(major) > majorMax) {
    throw new LodeError('LODE_FORMAT_TOO_NEW', 'a manifest is of a later format version', {
      key: m.key,
      field: 'format_version',
      expected: majorMax,
      actual: version,
    });
  }
  return { schemaName: schema, formatVersion: version };
}

/** The year 1, Go's zero time, stands for "not set". */
const ZERO_TIME_NS = -62_135_596_800_000_000_000n;

export function creationTime(m: Members): string {
  const text = m.name('created_at');
  const ns = parseTime(text);
  if (ns === undefined || ns === ZERO_TIME_NS)
    throw m.fault('created_at', 'an RFC 3339 time', text);
  return text;
}

export function metadataOf(m: Members): Metadata {
  const value = m.value('metadata');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    // Metadata is the user's: its text stays out of messages.
    throw m.fault('metadata', 'an object', typeof value === 'string' ? 'string' : value);
  return value as Metadata;
}

export function parentOf(m: Members, snapshotId: string): { readonly parentSnapshotId?: string } {
  const parentSnapshotId = m.optionalString('parent_snapshot_id');
  if (parentSnapshotId === snapshotId)
    throw m.fault('parent_snapshot_id', 'another snapshot', snapshotId);
  return parentSnapshotId === undefined ? {} : { parentSnapshotId };
}

/** Refuses the manifest of something else than the key promises. */
export function assertMember(
  key: string,
  field: string,
  actual: string,
  expected: string | undefined,
): void {
  if (expected === undefined || actual === expected) return;
  throw new LodeError('LODE_MANIFEST_INVALID', 'this is the manifest of something else', {
    key,
    field,
    expected,
    actual,
  });
}
