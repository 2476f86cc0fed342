/** What a store in a bucket is opened with, and the same as a URL. */
import { environment } from '#platform/machine.js';
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { assertOptions } from '../../options.ts';
import type { Backoff } from '../backoff.ts';
import type { S3CredentialSource } from './credentials.ts';
import type { Transport } from './transport.ts';

export interface S3StoreOptions {
  readonly bucket: string;
  /** Keys of the store are those of the bucket below `prefix/`. */
  readonly prefix?: string | undefined;
  /** Else `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, `us-east-1`; corrected when the server names another. */
  readonly region?: string | undefined;
  /** URL of a server other than AWS. Else `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`. */
  readonly endpoint?: string | undefined;
  /** Else `AWS_ACCESS_KEY_ID` and its kin, profile files, or `@aws-sdk/credential-provider-node` where it is installed. */
  readonly credentials?: S3CredentialSource | undefined;
  /** Profile of the shared files. Else `AWS_PROFILE`, `default`. */
  readonly profile?: string | undefined;
  /** The bucket in the path, not in the host name. Default: with an endpoint, and for names with dots. */
  readonly forcePathStyle?: boolean | undefined;
  /** `probe` (the default) proves before the first conditional write that the server honours conditions; `assume` does not. */
  readonly conditions?: 'probe' | 'assume' | undefined;
  /** Tries of each request, the first included. Default 5. */
  readonly attempts?: number | undefined;
  /** Waits between tries. Default 50 ms, doubled up to 5 s, with full jitter. */
  readonly backoff?: Partial<Backoff> | undefined;
  /** A connection on which nothing moves for this long is given up. Default 30 s. Of the built-in transport. */
  readonly timeoutMs?: number | undefined;
  /** Size of the parts of large bodies, 5 MiB to 5 GiB. Default 8 MiB; more where 10,000 parts would not be enough. */
  readonly partBytes?: number | undefined;
  /** Parts under way at once. Default 8. A put holds `partBytes * parallelParts` in memory at most. */
  readonly parallelParts?: number | undefined;
  /** Another way to send requests than the platform's. */
  readonly transport?: Transport | undefined;
  readonly env?: Env | undefined;
}

const names = {
  bucket: true,
  prefix: true,
  region: true,
  endpoint: true,
  credentials: true,
  profile: true,
  forcePathStyle: true,
  conditions: true,
  attempts: true,
  backoff: true,
  timeoutMs: true,
  partBytes: true,
  parallelParts: true,
  transport: true,
  env: true,
} as const;
const backoffNames = { baseDelayMs: true, maxDelayMs: true, jitter: true } as const;

/** A misspelt `endpoint` would send everything to AWS. */
export function assertS3Options(options: S3StoreOptions): void {
  assertOptions<S3StoreOptions>(options, '', names);
  const { backoff } = options;
  if (backoff !== undefined) assertOptions<Partial<Backoff>>(backoff, 'backoff', backoffNames);
}

/** Parameters a URL may have. */
const parameters = ['endpoint', 'region', 'profile', 'forcePathStyle', 'conditions'] as const;

/** `s3://bucket/prefix?endpoint=…&region=…&profile=…&forcePathStyle=true&conditions=assume`. Errors do not repeat the URL. */
export function parseS3Url(url: string | URL): S3StoreOptions {
  const text = String(url);
  const [, bucket, path = '', query = ''] =
    /^s3:\/\/([^/?#@:]+)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text) ?? [];
  if (bucket === undefined) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this is not the URL of a bucket', {
      field: 'url',
      expected: 's3://bucket/prefix?endpoint=…&region=…',
      next: /^s3:\/\/[^/?#]*@/.test(text)
        ? 'Take the credentials out of the URL, and pass them as an option or in the environment.'
        : 'Fix the URL.',
    });
  }
  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    if ((parameters as readonly string[]).includes(name)) continue;
    throw new LodeError('LODE_INVALID_ARGUMENT', 'the URL has a parameter that means nothing', {
      field: 'url',
      expected: parameters.join(', '),
      actual: name.slice(0, 50),
    });
  }
  const value = (name: (typeof parameters)[number]): string | undefined =>
    given.get(name) || undefined;
  return {
    bucket,
    prefix: decode(path.slice(1)),
    endpoint: value('endpoint'),
    region: value('region'),
    profile: value('profile'),
    forcePathStyle: choice(given, 'forcePathStyle', { true: true, false: false }),
    conditions: choice(given, 'conditions', { probe: 'probe', assume: 'assume' } as const),
  };
}

function choice<T>(
  given: URLSearchParams,
  name: string,
  values: Readonly<Record<string, T>>,
): T | undefined {
  const value = given.get(name);
  if (value === null) return undefined;
  if (Object.hasOwn(values, value)) return values[value];
  throw new LodeError('LODE_INVALID_ARGUMENT', 'a parameter of the URL has an unknown value', {
    field: name,
    expected: Object.keys(values).join(' or '),
    actual: value.slice(0, 50),
  });
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'the path of the URL is not well encoded', {
      field: 'url',
    });
  }
}

export interface Settings {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly partBytes: number;
  readonly parallelParts: number;
}

const mebibyte = 1024 * 1024;

/** The numbers, checked. */
export function settingsOf(options: S3StoreOptions): Settings {
  const { backoff = {} } = options;
  return {
    attempts: whole('attempts', options.attempts ?? 5, 1, 100),
    backoff: {
      baseDelayMs: between('backoff.baseDelayMs', backoff.baseDelayMs ?? 50, 0, 60_000),
      maxDelayMs: between('backoff.maxDelayMs', backoff.maxDelayMs ?? 5_000, 0, 600_000),
      jitter: between('backoff.jitter', backoff.jitter ?? 1, 0, 1),
    },
    partBytes: whole('partBytes', options.partBytes ?? 8 * mebibyte, 5 * mebibyte, 5120 * mebibyte),
    parallelParts: whole('parallelParts', options.parallelParts ?? 8, 1, 100),
  };
}

export function timeoutOf(options: S3StoreOptions): number {
  return whole('timeoutMs', options.timeoutMs ?? 30_000, 1, 2 ** 31 - 1);
}

export function endpointOf(options: S3StoreOptions): string | undefined {
  return options.endpoint ?? environment('AWS_ENDPOINT_URL_S3') ?? environment('AWS_ENDPOINT_URL');
}

/** The region that is known without reading a file. */
export function regionOf(options: S3StoreOptions): string | undefined {
  return options.region ?? environment('AWS_REGION') ?? environment('AWS_DEFAULT_REGION');
}

function whole(field: string, value: number, min: number, max: number): number {
  if (!Number.isSafeInteger(value)) throw outOfRange(field, value, min, max);
  return between(field, value, min, max);
}

function between(field: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw outOfRange(field, value, min, max);
}

function outOfRange(field: string, value: number, min: number, max: number): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'option is out of range', {
    field,
    expected: `${min} to ${max}`,
    actual: String(value),
  });
}
