/**
 * An S3 server in this process, on the loopback interface, with one bucket in memory: what a machine with only Node tests an
 * S3 adapter against. Conditions are honoured as AWS documents them; scripts make it misbehave.
 *
 * A request takes effect at one moment, whole: those that were sent at once are still served one by one. Its clock is
 * its `env`'s. Over sockets order is made by counting requests, never by waiting.
 */
import { listen } from '#platform/loopback.js';
import type { Loopback, LoopbackExchange } from '#platform/loopback.js';
import { utf8Decode, utf8Encode } from '../../bytes/index.ts';
import { systemEnv, type Env } from '../../env.ts';
import { LodeError } from '../../errors.ts';
import { Bucket, type S3Object, type S3Upload } from './bucket.ts';
import { deliver, wireAnswer } from './deliver.ts';
import { codeOf, fault } from './faults.ts';
import { RequestLog, type S3LogEntry } from './log.ts';
import { perform } from './perform.ts';
import { parseRequest, type S3Answer, type S3Request } from './protocol.ts';
import { ActiveRule, reply, without, type S3Act, type S3Rule } from './script.ts';
import { refuseBody, refuseHead, type S3Credentials } from './signature.ts';

export interface S3DoubleOptions {
  /** `bucket` unless told. Any other bucket does not exist. */
  readonly bucket?: string;
  /** `us-east-1` unless told. */
  readonly region?: string;
  /** Who may sign; one with fixed keys unless told. `'anyone'`: signatures are not looked at. */
  readonly credentials?: readonly S3Credentials[] | 'anyone';
  /** Host names, without port, below which the bucket may be the first part of the name. `localhost` unless told. */
  readonly hosts?: readonly string[];
  /** `md5` unless told: the same bytes have the same etag. `version`: each write has its own. */
  readonly etags?: 'md5' | 'version';
  /** Smallest part of an upload but for the last; 5 MiB unless told. */
  readonly partBytesMin?: number;
  /** How long every answer takes. Without it parallel requests are served one after the other, and counted as such. */
  readonly latencyMs?: number;
  /** With a `virtualEnv` waits cost nothing, and time stands still while bytes are on their way. */
  readonly env?: Env & { readonly stir?: () => void };
}

export interface S3Double {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly port: number;
  readonly bucket: string;
  readonly region: string;
  /** Those to sign with: the first that may. */
  readonly credentials: S3Credentials;
  readonly objects: ReadonlyMap<string, S3Object>;
  /** Multipart uploads begun and neither completed nor aborted. */
  readonly uploads: ReadonlyMap<string, S3Upload>;
  /** Puts an object there without a request. */
  put(key: string, body: string | Uint8Array, metadata?: Readonly<Record<string, string>>): void;
  /** Content of an object as text; `undefined` when it is not there, or no text. */
  text(key: string): string | undefined;
  /** Adds a rule. The first that is for a request is done. */
  script(rule: S3Rule): { readonly fired: number; remove(): void };
  /** Lets what is to happen later happen now; answers how much it was. */
  landLate(): number;
  /** Requests so far, in the order of their start. */
  readonly requests: readonly S3LogEntry[];
  /** Longest chain of requests each of which began after the one before had ended. */
  readonly depth: number;
  /** Forgets requests, rules and what was to happen later; objects and uploads stay. */
  clear(): void;
  /** Moves the server's clock, as seen in signatures and times. */
  stepClock(ms: number): void;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const fixedCredentials: S3Credentials = {
  accessKeyId: 'AKIDDOUBLE',
  secretAccessKey: 'double/secret+key',
};

/** Starts one. Node only. */
export async function s3Double(options: S3DoubleOptions = {}): Promise<S3Double> {
  if (listen === undefined)
    throw new LodeError('LODE_UNSUPPORTED', 'this platform cannot listen for connections', {});
  const double = new Server(options);
  await double.start(listen);
  return double;
}

interface Landing {
  left: number;
  readonly land: () => void;
}

type Entry = ReturnType<RequestLog['begin']>;

class Server implements S3Double {
  readonly #env: NonNullable<S3DoubleOptions['env']>;
  readonly #options: S3DoubleOptions;
  readonly #bucket: Bucket;
  /** One for each wait: a single signal that many listen to is warned of as a leak. */
  readonly #waits: Set<AbortController> = new Set();
  #closed = false;
  #log: RequestLog = new RequestLog();
  #rules: { readonly rule: ActiveRule; readonly before: Bucket }[] = [];
  #late: Landing[] = [];
  #loopback: Loopback | undefined;
  #skewMs = 0;
  #ids = 0;

  constructor(options: S3DoubleOptions) {
    this.#options = options;
    this.#env = options.env ?? systemEnv;
    this.#bucket = new Bucket({
      name: options.bucket ?? 'bucket',
      region: options.region ?? 'us-east-1',
      etags: options.etags ?? 'md5',
      partBytesMin: options.partBytesMin ?? 5 * 1024 * 1024,
      nowMs: () => this.#nowMs(),
    });
  }

  async start(open: NonNullable<typeof listen>): Promise<void> {
    const onActivity = (): void => this.#env.stir?.();
    onActivity();
    this.#loopback = await open({ serve: (exchange) => this.#serve(exchange), onActivity });
  }

  get port(): number {
    return this.#loopback?.port ?? 0;
  }
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get bucket(): string {
    return this.#bucket.options.name;
  }
  get region(): string {
    return this.#bucket.options.region;
  }
  get credentials(): S3Credentials {
    const { credentials } = this.#options;
    return (typeof credentials === 'object' ? credentials[0] : undefined) ?? fixedCredentials;
  }
  get objects(): ReadonlyMap<string, S3Object> {
    return this.#bucket.objects;
  }
  get uploads(): ReadonlyMap<string, S3Upload> {
    return this.#bucket.uploads;
  }
  get requests(): readonly S3LogEntry[] {
    return this.#log.entries;
  }
  get depth(): number {
    return Math.max(0, ...this.#log.entries.map(({ depth }) => depth));
  }

  put(key: string, body: string | Uint8Array, metadata: Record<string, string> = {}): void {
    this.#bucket.store(key, typeof body === 'string' ? utf8Encode(body) : body.slice(), {
      metadata: new Map(Object.entries(metadata)),
      contentType: 'binary/octet-stream',
    });
  }

  text(key: string): string | undefined {
    const object = this.#bucket.objects.get(key);
    return object && utf8Decode(object.body);
  }

  script(rule: S3Rule): { readonly fired: number; remove(): void } {
    const active = new ActiveRule(rule);
    this.#rules.push({ rule: active, before: this.#bucket.frozen() });
    return {
      get fired() {
        return active.fired;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other.rule !== active);
      },
    };
  }

  landLate(): number {
    const late = this.#late;
    this.#late = [];
    for (const { land } of late) land();
    return late.length;
  }

  clear(): void {
    this.#log = new RequestLog();
    this.#rules = [];
    this.#late = [];
  }

  stepClock(ms: number): void {
    this.#skewMs += ms;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wait of this.#waits) wait.abort();
    await this.#loopback?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #nowMs(): number {
    return Number(this.#env.now() / 1_000_000n) + this.#skewMs;
  }

  async #serve(exchange: LoopbackExchange): Promise<void> {
    const id = (++this.#ids).toString(16).toUpperCase().padStart(16, '0');
    const { method, target, headers } = exchange;
    const hosts = this.#options.hosts ?? ['localhost'];
    const parsed = parseRequest(id, method, target, headers, hosts);
    const request = parsed ?? parseRequest(id, method, '/', headers, []);
    if (request === undefined) return exchange.end('reset');
    const log = this.#log;
    const entry = log.begin(request, exchange.connection);
    try {
      const { act, before } = this.#actFor(request);
      if (act.refuse) exchange.end(act.refuse);
      else await this.#exchange(exchange, request, parsed !== undefined, act, before, entry);
    } catch (error) {
      // Waits end when the double closes; whatever else went wrong is a fault of a script, and is seen.
      exchange.end('reset');
      if (!this.#closed) throw error;
    } finally {
      log.end(entry);
    }
  }

  #actFor(request: S3Request): { act: S3Act; before: Bucket } {
    // Every rule counts the request, whichever of them is done.
    const [due] = this.#rules.filter(({ rule }) => rule.sees(request));
    return { act: due?.rule.fire() ?? {}, before: due?.before ?? this.#bucket };
  }

  async #exchange(
    exchange: LoopbackExchange,
    head: S3Request,
    readable: boolean,
    act: S3Act,
    before: Bucket,
    entry: Entry,
  ): Promise<void> {
    const refused = readable ? this.#refuseHead(head) : fault(head, 'InvalidURI');
    const waits = head.headers.get('expect')?.toLowerCase() === '100-continue';
    let answer: S3Answer | undefined;
    let how = act;
    if (act.early || (waits && refused)) {
      exchange.discard();
      how = { ...act, early: true };
      answer = reply(act.answer, refused ?? fault(head, 'InternalError'), head);
    } else {
      const body = await exchange.read();
      if (body === undefined) return;
      entry.bytesIn = body.length;
      if (act.delayMs !== undefined) await this.#sleep(act.delayMs);
      this.#landDue();
      const request = { ...head, body };
      const run = (seen: S3Request): S3Answer =>
        refused ?? this.#refuseBody(request) ?? perform(act.stale ? before : this.#bucket, seen);
      answer = await this.#effect(request, act, run);
    }
    if (this.#options.latencyMs !== undefined) await this.#sleep(this.#options.latencyMs);
    if (act.answerDelayMs !== undefined) await this.#sleep(act.answerDelayMs);
    if (act.hang) return gone(exchange);
    if (answer === undefined) return exchange.end(act.end ?? 'reset');
    const wire = wireAnswer(answer, head, act, this.#nowMs());
    entry.status = answer.status;
    entry.code = codeOf(answer);
    entry.headBytes = wire.head.length;
    entry.bodyBytes = wire.body.length;
    await deliver(exchange, wire, how, (ms) => this.#sleep(ms));
  }

  /** What happens, and the answer; `undefined` when there is none. */
  async #effect(
    request: S3Request,
    act: S3Act,
    run: (seen: S3Request) => S3Answer,
  ): Promise<S3Answer | undefined> {
    const seen = act.ignore === undefined ? request : without(request, act.ignore);
    if (typeof act.effect === 'object') {
      this.#late.push({ left: act.effect.laterBy, land: () => void run(seen) });
      return act.answer && reply(act.answer, fault(request, 'InternalError'), request);
    }
    if (act.effect === 'none') return reply(act.answer, fault(request, 'InternalError'), request);
    if (act.effect === 'twice') run(seen);
    const answer = act.serve ? await act.serve(seen, run) : run(seen);
    return reply(act.answer, answer, request);
  }

  #landDue(): void {
    const due = this.#late.filter((landing) => --landing.left <= 0);
    this.#late = this.#late.filter(({ left }) => left > 0);
    for (const { land } of due) land();
  }

  #refuseHead(request: S3Request): S3Answer | undefined {
    const { credentials = [fixedCredentials] } = this.#options;
    if (credentials === 'anyone') return undefined;
    return refuseHead(request, credentials, this.region, this.#nowMs());
  }

  #refuseBody(request: S3Request): S3Answer | undefined {
    return this.#options.credentials === 'anyone' ? undefined : refuseBody(request);
  }

  async #sleep(ms: number): Promise<void> {
    const wait = new AbortController();
    this.#waits.add(wait);
    try {
      await this.#env.sleep(ms, wait.signal);
    } finally {
      this.#waits.delete(wait);
    }
  }
}

function gone({ gone: signal }: LoopbackExchange): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
