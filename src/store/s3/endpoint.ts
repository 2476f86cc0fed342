/**
 * Where a bucket lives: origin, the part of the path before the key, region. A region may be corrected by the server; a host
 * never is, except that AWS's own hosts follow from the region.
 */
import { LodeError } from '../../errors.ts';
import { uriEncode } from './encode.ts';

interface Address {
  /** `https://host:port` */
  readonly origin: string;
  /** As the `host` header has it. */
  readonly host: string;
  /** Path of the bucket, without a slash at its end: empty when the bucket is in the host name. */
  readonly base: string;
}

export class Endpoint {
  readonly bucket: string;
  readonly #custom: URL | undefined;
  readonly #pathStyle: boolean;
  #region: string;
  #address: Address | undefined;

  constructor(bucket: string, region: string, custom: string | undefined, pathStyle?: boolean) {
    this.bucket = checkBucket(bucket);
    this.#region = checkRegion(region);
    this.#custom = custom === undefined ? undefined : parseEndpoint(custom);
    // Servers of one's own seldom have a host name per bucket; certificates of AWS do not cover names with dots.
    this.#pathStyle = pathStyle ?? (custom !== undefined || bucket.includes('.'));
  }

  get region(): string {
    return this.#region;
  }

  /** Takes over the region a server named; false when it is no other, or no region. */
  correctRegion(region: string | undefined): boolean {
    if (region === undefined || region === this.#region || !regionForm.test(region)) return false;
    this.#region = region;
    this.#address = undefined;
    return true;
  }

  get address(): Address {
    return (this.#address ??= this.#locate());
  }

  #locate(): Address {
    const china = this.#region.startsWith('cn-') ? '.cn' : '';
    const url = this.#custom ?? new URL(`https://s3.${this.#region}.amazonaws.com${china}`);
    const before = url.pathname.replace(/\/+$/, '');
    const host = this.#pathStyle ? url.host : `${this.bucket}.${url.host}`;
    return {
      origin: `${url.protocol}//${host}`,
      host,
      base: this.#pathStyle ? `${before}/${uriEncode(this.bucket)}` : before,
    };
  }
}

const regionForm = /^[a-z0-9][a-z0-9-]{0,31}$/;

function checkRegion(region: string): string {
  if (regionForm.test(region)) return region;
  throw invalid('region', 'region is not the name of one', region);
}

/** Old buckets have upper-case letters and underscores; nothing that means something in a URL does. */
function checkBucket(bucket: string): string {
  if (typeof bucket === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    return bucket;
  // Not repeated: it may be a URL with a password in it.
  throw invalid('bucket', 'bucket is not the name of one');
}

/** Errors do not repeat the text: it may hold a password. */
function parseEndpoint(endpoint: string): URL {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw invalid('endpoint', 'endpoint is not a URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid('endpoint', 'endpoint is not an http or https URL', url.protocol);
  if (url.username !== '' || url.password !== '')
    throw invalid('endpoint', 'endpoint holds credentials: pass them as credentials');
  if (url.search !== '' || url.hash !== '')
    throw invalid('endpoint', 'endpoint has a query or fragment');
  return url;
}

function invalid(field: string, what: string, actual?: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', what, { field, actual: actual?.slice(0, 100) });
}
