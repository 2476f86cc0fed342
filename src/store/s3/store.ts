/**
 * A store in a bucket of AWS S3 or any server that speaks its protocol and honours conditional writes.
 *
 * - `create` is `If-None-Match: *`, `ifMatch` is `If-Match`: decided by the server, against every writer.
 * - Before the first conditional write the server has to prove that it honours conditions (see `withProbe`); reads never wait.
 * - A write whose answer is lost is asked for again and recognised by its id: stored, lost, or `LODE_WRITE_UNCERTAIN`.
 * - A read's bytes are of one version, also when the connection breaks and another goes on.
 * - Nothing is sent until the first call. Credentials go to the endpoint, nowhere else.
 *
 * Retries requests, never commits; caches nothing; holds no lock.
 */
import { httpClient } from '#platform/http.js';
import type { ByteInput } from '../../bytes/index.ts';
import { systemEnv } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { keyBytesMax, normaliseKey, normalisePrefix } from '../key.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from '../store.ts';
import { ForwardingStore } from '../wrappers/forwarding.ts';
import { withPrefix } from '../wrappers/prefix.ts';
import { withProbe } from '../wrappers/probe.ts';
import { S3Client } from './client.ts';
import { CredentialKeeper } from './credentials.ts';
import { deleteObjects } from './delete.ts';
import { Endpoint } from './endpoint.ts';
import { listObjects } from './list.ts';
import {
  assertS3Options,
  endpointOf,
  parseS3Url,
  regionOf,
  settingsOf,
  timeoutOf,
  type S3StoreOptions,
} from './options.ts';
import { putObject } from './put.ts';
import { getObject, headObject, SizeMemory } from './read.ts';
import { sweepUploads, type AbandonedUpload, type SweepOptions } from './sweep.ts';

export interface S3Store extends Store, AsyncDisposable {
  /** Aborts uploads of large bodies that were begun long ago and never finished, below the prefix of this store. */
  abortAbandonedUploads(options?: SweepOptions): AsyncIterable<AbandonedUpload>;
  /** Closes kept connections. Calls after it fail with `LODE_CLOSED`. */
  close(): Promise<void>;
}

/** A store in a bucket, which must exist; or in what an `s3://bucket/prefix?endpoint=…` URL names. Sends nothing yet. */
export function s3Store(options: S3StoreOptions): S3Store;
export function s3Store(url: string | URL, options?: Partial<S3StoreOptions>): S3Store;
export function s3Store(
  where: string | URL | S3StoreOptions,
  more: Partial<S3StoreOptions> = {},
): S3Store {
  const isUrl = typeof where === 'string' || where instanceof URL;
  const options = isUrl ? { ...parseS3Url(where), ...more } : where;
  assertS3Options(options);
  const { env = systemEnv, conditions = 'probe', prefix = '' } = options;
  if (conditions !== 'probe' && conditions !== 'assume') {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'conditions are probed or assumed', {
      field: 'conditions',
      actual: String(conditions),
    });
  }
  const custom = endpointOf(options);
  const region = regionOf(options);
  const client = new S3Client({
    endpoint: new Endpoint(options.bucket, region ?? 'us-east-1', custom, options.forcePathStyle),
    transport: options.transport ?? httpClient({ timeoutMs: timeoutOf(options) }),
    credentials: new CredentialKeeper(options.credentials, options.profile, env),
    settings: settingsOf(options),
    env,
    profileOfRegion:
      region === undefined && custom === undefined ? { name: options.profile } : undefined,
  });
  const base = normalisePrefix(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);
  const objects = withPrefix(new S3Objects(client), base);
  return new BucketStore(
    objects,
    client,
    base,
    conditions === 'probe' ? withProbe(objects, { env }) : objects,
  );
}

const capabilities: StoreCapabilities = {
  name: 's3',
  conditionalWrites: 'all',
  guardedPut: false,
  orderedList: true,
  durable: true,
  keyBytesMax,
  componentBytesMax: keyBytesMax,
  concurrency: 32,
  // A manifest is one upload behind its pointer.
  settleMs: 5000,
};

/** The five methods on whole keys of the bucket. */
class S3Objects implements Store {
  readonly capabilities: StoreCapabilities = capabilities;
  readonly #client: S3Client;
  readonly #sizes = new SizeMemory();

  constructor(client: S3Client) {
    this.#client = client;
  }

  async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const name = normaliseKey(key);
    return putObject(this.#client.for(options), name, body, options);
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    return getObject(this.#client.for(options), this.#sizes, normaliseKey(key), options);
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return headObject(this.#client.for(options), normaliseKey(key), options);
  }

  list(prefix: string, options?: ListOptions & { delimiter?: never }): AsyncIterable<ObjectInfo>;
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo | CommonPrefix>;
  list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo | CommonPrefix> {
    return listObjects(this.#client.for(options), prefix, options);
  }

  async delete(
    keys: string | readonly string[],
    options: CallOptions = {},
  ): Promise<DeleteResult[]> {
    const { signal } = options;
    const given = typeof keys === 'string' ? [keys] : keys;
    const names = given.map(normaliseKey);
    signal?.throwIfAborted();
    const failures = await deleteObjects(this.#client.for(options), names, signal);
    return given.map((key, i) => {
      const error = failures.get(names[i] ?? '');
      return error === undefined ? { key, outcome: 'deleted' } : { key, outcome: 'failed', error };
    });
  }
}

/** The store that callers hold: puts go through the probe, everything else past it. */
class BucketStore extends ForwardingStore implements S3Store {
  readonly #client: S3Client;
  readonly #base: string;
  readonly #puts: Store;

  constructor(inner: Store, client: S3Client, base: string, puts: Store) {
    super(inner);
    this.#client = client;
    this.#base = base;
    this.#puts = puts;
  }

  override put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    return this.#puts.put(key, body, options);
  }

  abortAbandonedUploads(options: SweepOptions = {}): AsyncIterable<AbandonedUpload> {
    return sweepUploads(this.#client, this.#base, options);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
