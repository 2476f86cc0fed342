/**
 * One bucket over one transport: signs requests, sends them, sorts the answers.
 *
 * What a request can set right by itself is set right once and sent again: a clock that is off, a region that the server
 * names, credentials that have expired. Redirects are never followed, so credentials go to no other host.
 */
import type { Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { concat } from '../../bytes/index.ts';
import { backoffMs, tellRetry, type Resent } from '../backoff.ts';
import type { CallOptions } from '../store.ts';
import { profileNamed, type CredentialKeeper, type S3Credentials } from './credentials.ts';
import { canonicalQuery, uriEncodeKey } from './encode.ts';
import type { Endpoint } from './endpoint.ts';
import {
  failureOf,
  faultOf,
  isBusy,
  isUnknown,
  lostOf,
  type Fault,
  type Lost,
} from './failures.ts';
import type { Settings } from './options.ts';
import { Signer } from './sign.ts';
import type { Transport, TransportResponse } from './transport.ts';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Absent for requests to the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer, or none. */
export type Reply = Answer | NoAnswer;

export interface Answer {
  readonly lost?: never;
  readonly status: number;
  readonly response: TransportResponse;
  /** Set unless the status is a success, or the `304` that was asked for: the body has been read then. */
  readonly fault: Fault | undefined;
}

interface NoAnswer {
  readonly lost: Lost;
  readonly fault?: never;
}

const errorBytesMax = 64 * 1024;

interface Setup {
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly credentials: CredentialKeeper;
  readonly settings: Settings;
  readonly env: Env;
  /** Given when the region is not: its profile may name one. */
  readonly profileOfRegion: { readonly name: string | undefined } | undefined;
}

/** What answers have taught, shared by all calls. */
interface Learned {
  readonly signer: Signer;
  profileOfRegion: Setup['profileOfRegion'];
  clockOffMs: number;
  bucketSeen: boolean;
  closed: boolean;
}

/** What a request was signed by. */
interface Used {
  readonly credentials: S3Credentials | undefined;
  readonly clockOffMs: number;
  readonly region: string;
}

export class S3Client {
  readonly settings: Settings;
  readonly env: Env;
  readonly #endpoint: Endpoint;
  readonly #transport: Transport;
  readonly #credentials: CredentialKeeper;
  readonly #setup: Setup;
  readonly #learned: Learned;
  readonly #onRetry: CallOptions['onRetry'];

  constructor(setup: Setup, learned?: Learned, onRetry?: CallOptions['onRetry']) {
    this.#setup = setup;
    this.#onRetry = onRetry;
    this.#learned = learned ?? {
      signer: new Signer(),
      profileOfRegion: setup.profileOfRegion,
      clockOffMs: 0,
      bucketSeen: false,
      closed: false,
    };
    this.settings = setup.settings;
    this.env = setup.env;
    this.#endpoint = setup.endpoint;
    this.#transport = setup.transport;
    this.#credentials = setup.credentials;
  }

  /** The same client, for one call that wants to hear of its retries. */
  for({ onRetry }: CallOptions): S3Client {
    return onRetry === undefined ? this : new S3Client(this.#setup, this.#learned, onRetry);
  }

  /** True once an answer has proved that the bucket is there: from then on a bare 404 means the key. */
  get bucketSeen(): boolean {
    return this.#learned.bucketSeen;
  }

  get bucket(): string {
    return this.#endpoint.bucket;
  }

  /** The platform may send a request again by itself, and tell nobody. */
  get mayRepeat(): boolean {
    return this.#transport.mayRepeat === true;
  }

  /** For requests that may be sent twice without harm: until there is an answer that is not "later". */
  async repeat(request: S3Request): Promise<Answer> {
    for (let failures = 0; ;) {
      const reply = await this.once(request, failures > 0);
      const again =
        reply.lost?.passes ?? (reply.fault && (isBusy(reply.fault) || isUnknown(reply.fault)));
      if (reply.lost === undefined && again !== true) return reply;
      if (again !== true || ++failures >= this.settings.attempts)
        throw this.failure(reply, request);
      const { key, signal } = request;
      await this.pause(failures, { key, signal, error: this.failure(reply, request) });
    }
  }

  /** One request and its corrections. Throws for aborts and for credentials that cannot be had. */
  async once(request: S3Request, fresh = false): Promise<Reply> {
    const { profileOfRegion } = this.#learned;
    if (profileOfRegion !== undefined) await this.#readRegion(profileOfRegion.name);
    for (let corrections = 0; ;) {
      request.signal?.throwIfAborted();
      if (this.#learned.closed) throw new LodeError('LODE_CLOSED', 'the store was closed', {});
      const credentials = this.#credentials.anonymous
        ? undefined
        : await this.#credentials.get(request.signal);
      const used = {
        credentials,
        clockOffMs: this.#learned.clockOffMs,
        region: this.#endpoint.region,
      };
      const reply = await this.#send(request, credentials, fresh);
      if (reply.lost !== undefined) return reply;
      const { fault } = reply;
      if (fault === undefined || fault.code === 'NoSuchKey') this.#learned.bucketSeen = true;
      if (fault === undefined || ++corrections > 3) return reply;
      if (!(await this.#correct(request, reply, fault, used))) return reply;
      this.#tellRetry(corrections, 0, { key: request.key, error: this.failure(reply, request) });
    }
  }

  /** What a reply that is no success means. */
  failure(reply: Reply, request: { readonly key?: string }): LodeError {
    if (reply.lost !== undefined) return reply.lost.error;
    const fault = reply.fault ?? { status: reply.status, code: '', region: undefined };
    const subject = fault.code === 'NoSuchBucket' ? undefined : request.key;
    return failureOf(fault, subject ?? this.bucket);
  }

  /** Waits before a request is sent again. */
  async pause(failures: number, { key, signal, error }: Resent): Promise<void> {
    const delayMs = backoffMs(failures, this.settings.backoff, this.env);
    this.#tellRetry(failures, delayMs, { key, error });
    await this.env.sleep(delayMs, signal);
  }

  #tellRetry(failures: number, delayMs: number, resent: Resent): void {
    tellRetry({ ...resent, onRetry: this.#onRetry }, failures, delayMs);
  }

  async close(): Promise<void> {
    this.#learned.closed = true;
    await this.#transport.close();
  }

  async #send(
    request: S3Request,
    credentials: S3Credentials | undefined,
    fresh: boolean,
  ): Promise<Reply> {
    const { method, key, body, signal } = request;
    const { origin, host, base } = this.#endpoint.address;
    const path = key === undefined ? base || '/' : `${base}/${uriEncodeKey(key)}`;
    const query = request.query === undefined ? '' : canonicalQuery(request.query);
    const headers: Record<string, string> = { host, ...request.headers };
    if (credentials !== undefined) {
      const unsigned = { method, path, query, headers, body };
      await this.#learned.signer.sign(unsigned, credentials, this.#endpoint.region, this.nowMs());
    }
    // Not under the signature: `fetch` has its own way with these.
    if (method === 'GET' || method === 'HEAD') headers['accept-encoding'] = 'identity';
    if (body !== undefined || method === 'PUT' || method === 'POST')
      headers['content-length'] = String(body?.length ?? 0);
    let response: TransportResponse;
    try {
      const target = query === '' ? path : `${path}?${query}`;
      response = await this.#transport.send({
        method,
        origin,
        path: target,
        headers,
        body,
        signal,
        fresh,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      return { lost: lostOf(cause, key ?? this.bucket, host) };
    }
    const { status } = response;
    // To anything else than such a read it says nothing, least of all that something was written.
    const isUnchanged =
      status === 304 && method === 'GET' && request.headers?.['if-none-match'] !== undefined;
    if ((status >= 200 && status < 300) || isUnchanged)
      return { status, response, fault: undefined };
    const text = method === 'HEAD' ? skip(response) : await readBody(response, errorBytesMax);
    signal?.throwIfAborted();
    const region = response.header('x-amz-bucket-region');
    return { status, response, fault: faultOf(status, text ?? new Uint8Array(0), region) };
  }

  /**
   * Sets right what the answer says is wrong; false when there is nothing to set right. What another call has set right since
   * the request was signed is right for this one too.
   */
  async #correct(
    { method, signal }: S3Request,
    { status, response }: Answer,
    { code, region }: Fault,
    used: Used,
  ): Promise<boolean> {
    if (code === 'ExpiredToken' || code === 'TokenRefreshRequired')
      return this.#renew(used, signal);
    if (status === 403 && (code === 'RequestTimeTooSkewed' || code === '')) {
      if (this.#learned.clockOffMs !== used.clockOffMs) return true;
      if (this.#correctClock(response.header('date'))) return true;
    }
    const redirected = status === 301 || status === 307 || status === 308;
    if (redirected || status === 400 || status === 403)
      if (this.#endpoint.correctRegion(region) || this.#endpoint.region !== used.region)
        return true;
    // Of an expired token HEAD says no more than that.
    return method === 'HEAD' && status === 400 && this.#renew(used, signal);
  }

  async #renew({ credentials }: Used, signal: AbortSignal | undefined): Promise<boolean> {
    if (credentials?.sessionToken === undefined) return false;
    this.#credentials.refuse(credentials);
    const next = await this.#credentials.get(signal);
    return next.sessionToken !== credentials.sessionToken;
  }

  /** Signatures hold for a quarter of an hour: smaller differences are not worth a request. */
  #correctClock(date: string | undefined): boolean {
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs) || Math.abs(theirs - this.nowMs()) < 4 * 60_000) return false;
    this.#learned.clockOffMs += theirs - this.nowMs();
    return true;
  }

  /** By the server's clock, as far as it is known. */
  nowMs(): number {
    return Number(this.env.now() / 1_000_000n) + this.#learned.clockOffMs;
  }

  async #readRegion(profile: string | undefined): Promise<void> {
    this.#endpoint.correctRegion((await profileNamed(profile))?.['region']);
    this.#learned.profileOfRegion = undefined;
  }
}

function skip(response: TransportResponse): undefined {
  response.discard();
}

/** A body of at most `bytesMax`; `undefined` when it is longer or breaks off. `onSize` hears how much came. */
export async function readBody(
  response: TransportResponse,
  bytesMax: number,
  onSize?: (bytes: number) => void,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.chunks()) {
      size += chunk.length;
      onSize?.(size);
      if (size > bytesMax) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return concat(chunks);
}
