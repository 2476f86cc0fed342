/**
 * The error model: one class, a stable code, a kind that says what the caller can do, typed details.
 *
 * Expected outcomes at the store seam are values (a lost race, a missing object); they become errors only where a
 * caller asked for certainty. Aborts rethrow `signal.reason` untouched. `docs/errors.md` lists every code.
 */

/** What the caller can do about an error. */
export type LodeErrorKind =
  | 'missing' // create it, or look elsewhere
  | 'conflict' // re-read, rebase, retry
  | 'unavailable' // retry with backoff
  | 'uncertain' // read back, then decide; never retry blindly
  | 'denied' // fix credentials or policy
  | 'invalid' // fix the call
  | 'corrupt' // restore or repair
  | 'closed' // open again
  | 'unsupported' // choose another store or version
  | 'internal'; // report a bug

/** Stable, documented in `docs/errors.md`, exhaustive. */
export type LodeErrorCode =
  | 'LODE_NOT_FOUND'
  | 'LODE_NO_SNAPSHOTS'
  | 'LODE_NO_MANIFESTS'
  | 'LODE_NO_BUCKET'
  | 'LODE_RANGE_MISSING'
  | 'LODE_ALREADY_EXISTS'
  | 'LODE_SNAPSHOT_CONFLICT'
  | 'LODE_OBJECT_CHANGED'
  | 'LODE_OVERLAPPING_BLOCKS'
  | 'LODE_SUPERSEDED'
  | 'LODE_UNAVAILABLE'
  | 'LODE_UNREACHABLE'
  | 'LODE_TIMEOUT'
  | 'LODE_LOCKED'
  | 'LODE_STORAGE_FULL'
  | 'LODE_NOT_READY'
  | 'LODE_WRITE_UNCERTAIN'
  | 'LODE_PERMISSION_DENIED'
  | 'LODE_UNAUTHENTICATED'
  | 'LODE_TLS_FAILED'
  | 'LODE_READ_ONLY'
  | 'LODE_INVALID_ARGUMENT'
  | 'LODE_INVALID_KEY'
  | 'LODE_INVALID_RECORD'
  | 'LODE_SCHEMA_VIOLATION'
  | 'LODE_LIMIT_EXCEEDED'
  | 'LODE_WRONG_ENDPOINT'
  | 'LODE_DATASETS_NOT_MODELED'
  | 'LODE_CODEC_CONFIGURED'
  | 'LODE_CODEC_NOT_STREAMABLE'
  | 'LODE_PARTITIONING_NOT_SUPPORTED'
  | 'LODE_COMPONENT_MISMATCH'
  | 'LODE_LAYOUT_MISMATCH'
  | 'LODE_CHECKSUM_MISMATCH'
  | 'LODE_TRUNCATED'
  | 'LODE_MANIFEST_INVALID'
  | 'LODE_INVALID_FORMAT'
  | 'LODE_CLOSED'
  | 'LODE_FENCED'
  | 'LODE_POISONED'
  | 'LODE_UNSUPPORTED'
  | 'LODE_CONDITIONS_UNSUPPORTED'
  | 'LODE_INVALID_RESPONSE'
  | 'LODE_FORMAT_TOO_NEW'
  | 'LODE_INTERNAL';

/** Each code with its kind and the default next step that ends its message. */
const codes: Readonly<Record<LodeErrorCode, readonly [LodeErrorKind, string]>> = {
  LODE_NOT_FOUND: ['missing', 'Check the name, or list what exists.'],
  LODE_NO_SNAPSHOTS: ['missing', 'Commit a first snapshot, or check the dataset id and layout.'],
  LODE_NO_MANIFESTS: ['missing', 'Open the reader with the layout the data was written with.'],
  LODE_NO_BUCKET: ['missing', 'Create the bucket, or check its name, the region and the endpoint.'],
  LODE_RANGE_MISSING: ['missing', 'Stage and commit what details.gaps names, or read around it.'],

  LODE_ALREADY_EXISTS: ['conflict', 'Objects are written once: choose another key.'],
  LODE_SNAPSHOT_CONFLICT: ['conflict', 'Call latest(), rebase on it, and commit again.'],
  LODE_OBJECT_CHANGED: ['conflict', 'Read the object again from its beginning.'],
  LODE_OVERLAPPING_BLOCKS: ['conflict', 'Stage only what missing() names, and commit that.'],
  LODE_SUPERSEDED: ['conflict', 'Commit again: what was written is not part of the history.'],

  LODE_UNAVAILABLE: ['unavailable', 'Retry with backoff.'],
  LODE_UNREACHABLE: ['unavailable', 'Check the endpoint and the network; nothing was sent.'],
  LODE_TIMEOUT: ['unavailable', 'Retry, or allow more time.'],
  LODE_LOCKED: ['unavailable', 'Let its holder close it or end, and try again.'],
  LODE_STORAGE_FULL: ['unavailable', 'Free space and retry; nothing was made visible.'],
  LODE_NOT_READY: ['unavailable', 'Await ready(), then call again: this time it did nothing.'],

  LODE_WRITE_UNCERTAIN: ['uncertain', 'Call details.resolve() to learn whether the write landed.'],

  LODE_PERMISSION_DENIED: ['denied', 'Grant the process access to the storage.'],
  LODE_UNAUTHENTICATED: ['denied', 'Check the credentials.'],
  LODE_TLS_FAILED: ['denied', 'Make the certificate of the endpoint one this machine trusts.'],
  LODE_READ_ONLY: ['denied', 'Open storage that can be written.'],

  LODE_INVALID_ARGUMENT: ['invalid', 'Fix the call.'],
  LODE_INVALID_KEY: ['invalid', 'Use a relative, slash-separated name without reserved parts.'],
  LODE_INVALID_RECORD: ['invalid', 'Convert the value to one the codec can represent.'],
  LODE_SCHEMA_VIOLATION: ['invalid', 'Make the record match the schema, or change the schema.'],
  LODE_LIMIT_EXCEEDED: ['invalid', 'Raise the limit only for data you trust.'],
  LODE_WRONG_ENDPOINT: ['invalid', 'Set the region and the endpoint of the bucket.'],
  LODE_DATASETS_NOT_MODELED: ['invalid', 'Name the dataset: this layout cannot list datasets.'],
  LODE_CODEC_CONFIGURED: [
    'invalid',
    'Use streamWriteRecords(), or open the dataset without a codec.',
  ],
  LODE_CODEC_NOT_STREAMABLE: ['invalid', 'Use write(), or a codec that streams.'],
  LODE_PARTITIONING_NOT_SUPPORTED: ['invalid', 'Use a layout without partitions for raw bytes.'],
  LODE_COMPONENT_MISMATCH: ['invalid', 'Open the dataset with the components the manifest names.'],
  LODE_LAYOUT_MISMATCH: ['invalid', 'Open the dataset with the layout it was written with.'],

  LODE_CHECKSUM_MISMATCH: [
    'corrupt',
    'Restore the object from a copy; its bytes are not those committed.',
  ],
  LODE_TRUNCATED: ['corrupt', 'Restore the object from a copy; bytes are missing.'],
  LODE_MANIFEST_INVALID: ['corrupt', 'Restore the manifest from a copy, or read another snapshot.'],
  LODE_INVALID_FORMAT: [
    'corrupt',
    'Restore the object from a copy, or read it with the codec that wrote it.',
  ],

  LODE_CLOSED: ['closed', 'Open it again.'],
  LODE_FENCED: ['closed', 'Commit again: another writer gave this attempt up for dead.'],
  LODE_POISONED: [
    'closed',
    'Close it, check the disk, and open it again: that finds out what was kept.',
  ],

  LODE_UNSUPPORTED: ['unsupported', 'Choose another store or version.'],
  LODE_CONDITIONS_UNSUPPORTED: [
    'unsupported',
    "Choose storage with atomic conditional writes, or vouch for a single one: writers: 'single'.",
  ],
  LODE_INVALID_RESPONSE: [
    'unsupported',
    'Check that the endpoint is an S3 server and nothing in between changes its answers.',
  ],
  LODE_FORMAT_TOO_NEW: ['unsupported', 'Upgrade lode to read this format version.'],

  LODE_INTERNAL: ['internal', 'Please report this with the stack trace.'],
};

/** What an operation was on: a dataset or a volume, by its id. */
export interface Subject {
  readonly dataset?: string;
  readonly volume?: string;
}

/** What every error may carry. Values are data for programs; the message repeats them for people. */
export interface ErrorDetails extends Subject {
  /** Object key in the store, or path on disk. */
  readonly key?: string;
  /** Byte offset in the object. */
  readonly offset?: number;
  /** Member, field or option at fault, such as `files[3].size_bytes`. */
  readonly field?: string;
  /** Index of the record at fault, from 0, in the order given. */
  readonly record?: number;
  /** Record of a log, by its log sequence number. */
  readonly lsn?: number;
  readonly expected?: string | number | bigint | undefined;
  readonly actual?: string | number | bigint | undefined;
  /** Snapshot the operation was on. */
  readonly snapshot?: string;
  /** Replaces the default next step of the code. */
  readonly next?: string;
  /** Failures of the clean-up that followed; they never replace the error itself. */
  readonly cleanup?: readonly unknown[];
}

/** Bytes `[offset, offset + length)` of a volume. */
export interface VolumeRange {
  readonly offset: number;
  readonly length: number;
}

/** Details that a code adds to `ErrorDetails`. */
interface DetailsByCode {
  LODE_RANGE_MISSING: {
    /** Every gap in what was asked for, in order. */
    readonly gaps: readonly VolumeRange[];
  };
  LODE_OVERLAPPING_BLOCKS: {
    /** Two blocks that claim the same bytes. */
    readonly blocks: readonly [VolumeRange, VolumeRange];
  };
  LODE_SNAPSHOT_CONFLICT: {
    /** The head this writer expected; `undefined` means "no snapshot yet". */
    readonly expectedHead: string | undefined;
    /** The head found in the store; `undefined` when it could not be named. */
    readonly actualHead: string | undefined;
  };
  LODE_WRITE_UNCERTAIN: {
    /** Reads back and answers: did the write land? Safe to call again until it answers. */
    readonly resolve: () => Promise<'landed' | 'not-landed'>;
  };
}

export type LodeErrorDetails<C extends LodeErrorCode> = ErrorDetails &
  (C extends keyof DetailsByCode ? DetailsByCode[C] : unknown);

/** Shared by every copy of this package in a process. */
const brand = Symbol.for('lode.error');

export class LodeError<C extends LodeErrorCode = LodeErrorCode> extends Error {
  readonly code: C;
  readonly kind: LodeErrorKind;
  readonly details: LodeErrorDetails<C>;

  /**
   * @param what  What failed, as a sentence without its full stop. Key, offset, expected, actual and the next step are
   *              added from `details`.
   */
  constructor(code: C, what: string, details: LodeErrorDetails<C>, options?: { cause?: unknown }) {
    super(describe(code, what, details), options);
    this.name = 'LodeError';
    this.code = code;
    this.kind = codes[code][0];
    this.details = details;
    Object.defineProperty(this, brand, { value: true });
  }

  toJSON(): Record<string, unknown> {
    const details: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(this.details)) {
      if (typeof value === 'function') continue;
      details[name] = typeof value === 'bigint' ? String(value) : value;
    }
    return { name: this.name, code: this.code, kind: this.kind, message: this.message, details };
  }
}

/** True for a `LodeError` of any copy of this package, narrowed to the codes asked for (any code when none is). */
export function isLodeError<C extends LodeErrorCode = LodeErrorCode>(
  error: unknown,
  ...wanted: readonly C[]
): error is LodeError<C> {
  if (!(error instanceof Error) || !(brand in error)) return false;
  const { code } = error as unknown as LodeError<C>;
  return wanted.length === 0 || wanted.includes(code);
}

/** Attaches failures of the clean-up that followed to the error that caused it. */
export function withCleanupFailures(error: unknown, failures: readonly unknown[]): unknown {
  if (failures.length > 0 && isLodeError(error))
    Object.assign(error.details, { cleanup: failures });
  return error;
}

/** Checks an invariant of our own code. Data from disk or network is validated before it gets here. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new LodeError('LODE_INTERNAL', `broken invariant: ${invariant}`, {});
}

const shown = [
  'dataset',
  'volume',
  'snapshot',
  'key',
  'offset',
  'field',
  'record',
  'lsn',
  'expected',
  'actual',
] as const;

function describe(code: LodeErrorCode, what: string, details: ErrorDetails): string {
  const facts: string[] = [];
  for (const name of shown) {
    const value = details[name];
    if (value !== undefined)
      facts.push(`${name} ${typeof value === 'string' ? JSON.stringify(value) : value}`);
  }
  const where = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  return `${what}${where}. ${details.next ?? codes[code][1]}`;
}
