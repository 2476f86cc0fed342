/** The content of the double: objects, uploads that are not finished, and the conditions that writes are held to. */
import { md5 } from '../../encoding/checksums/index.ts';
import { SortedKeys } from '../../store/sorted-keys.ts';
import { fault } from './faults.ts';
import type { S3Answer, S3Request } from './protocol.ts';
import { unhex } from './signature.ts';

export interface S3Object {
  readonly key: string;
  readonly body: Uint8Array;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** User metadata by lower-case name, without `x-amz-meta-`. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly contentType: string;
}

export interface S3Upload {
  readonly id: string;
  readonly key: string;
  readonly startedMs: number;
  readonly metadata: ReadonlyMap<string, string>;
  readonly contentType: string;
  readonly parts: Map<number, { readonly etag: string; readonly body: Uint8Array }>;
}

interface BucketOptions {
  readonly name: string;
  readonly region: string;
  /** `md5`: the same bytes have the same etag. `version`: each write has its own, as with some encryptions. */
  readonly etags: 'md5' | 'version';
  readonly partBytesMin: number;
  readonly nowMs: () => number;
}

const keysPerLook = 1000;

export class Bucket {
  readonly options: BucketOptions;
  readonly uploads: Map<string, S3Upload> = new Map();
  readonly #objects: Map<string, S3Object>;
  readonly #keys: SortedKeys = new SortedKeys();
  #ids = 0;

  constructor(options: BucketOptions, objects: Iterable<[string, S3Object]> = []) {
    this.options = options;
    this.#objects = new Map(objects);
    for (const key of this.#objects.keys()) this.#keys.add(key);
  }

  /** The bucket as it is now, whatever is written to this one later. */
  frozen(): Bucket {
    return new Bucket(this.options, this.#objects);
  }

  get objects(): ReadonlyMap<string, S3Object> {
    return this.#objects;
  }

  /** Keys from the first that is at or above `from`, in order. */
  *keysFrom(from: string): Generator<string> {
    for (let at = from, more = true; more;) {
      const page = this.#keys.page(at, keysPerLook);
      yield* page;
      more = page.length === keysPerLook;
      // The least string above the last key.
      at = `${page.at(-1)}\0`;
    }
  }

  store(
    key: string,
    body: Uint8Array,
    about: Pick<S3Object, 'metadata' | 'contentType'> & { readonly etag?: string },
  ): S3Object {
    const { metadata, contentType } = about;
    const etag = about.etag ?? this.etagOf(body);
    const lastModifiedMs = this.options.nowMs();
    const object = { key, body, etag, lastModifiedMs, metadata, contentType };
    if (!this.#objects.has(key)) this.#keys.add(key);
    this.#objects.set(key, object);
    return object;
  }

  remove(key: string): void {
    if (this.#objects.delete(key)) this.#keys.remove(key);
  }

  etagOf(body: Uint8Array): string {
    return this.options.etags === 'version' ? `"v${++this.#ids}"` : `"${digest(body)}"`;
  }

  /** Of the parts' own digests, and their number: not the digest of the whole. */
  multipartEtag(bodies: readonly Uint8Array[]): string {
    if (this.options.etags === 'version') return this.etagOf(new Uint8Array());
    return `"${digest(unhex(bodies.map(digest).join('')))}-${bodies.length}"`;
  }

  startUpload(key: string, about: Pick<S3Object, 'metadata' | 'contentType'>): S3Upload {
    const id = `upload-${++this.#ids}`;
    const upload = { id, key, startedMs: this.options.nowMs(), ...about, parts: new Map() };
    this.uploads.set(id, upload);
    return upload;
  }
}

const digest = (bytes: Uint8Array): string => md5().hash?.(bytes) ?? '';

/** What `Content-MD5` has to say about these bytes. */
export function contentMd5(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...unhex(digest(bytes))));
}

/** Why a write may not happen now; `undefined` when its conditions hold. */
export function refuseWrite(bucket: Bucket, request: S3Request): S3Answer | undefined {
  const present = bucket.objects.get(request.key);
  const ifNoneMatch = request.headers.get('if-none-match');
  const ifMatch = request.headers.get('if-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*' || ifMatch !== undefined)
      return fault(request, 'NotImplemented', { Header: 'If-None-Match' });
    if (present) return fault(request, 'PreconditionFailed', { Condition: 'If-None-Match' });
  }
  if (ifMatch === undefined) return undefined;
  if (present === undefined) return fault(request, 'NoSuchKey', { Key: request.key });
  if (matches(ifMatch, present.etag)) return undefined;
  return fault(request, 'PreconditionFailed', { Condition: 'If-Match' });
}

/** By the strong comparison: a weak etag matches nothing. */
export function matches(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((one) => one.trim())
    .some((one) => one === '*' || one === etag || `"${one}"` === etag);
}
