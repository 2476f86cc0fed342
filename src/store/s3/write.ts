/**
 * What became of one write. Every put carries an id in the object's metadata, so that a write whose answer was lost can be
 * recognised: a conflict counts as ours only when the object that is there bears our id.
 *
 * - A conflict before any unanswered attempt is a lost race, no questions asked, unless the server was busy before it.
 * - After one, an object with our id means stored; one that was there before we began means a lost race; anything else is
 *   open, since ours may have landed and been replaced: `LODE_WRITE_UNCERTAIN`.
 */
import type { Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { ETag, PutMode, PutResult } from '../store.ts';
import type { Reply, S3Client, S3Request } from './client.ts';
import { isBusy, isRace, isUnknown } from './failures.ts';
import { headAnswer } from './read.ts';

const idHeader = 'x-amz-meta-lode-write-id';

/** Of a server's times: they have whole seconds. */
const clockStepMs = 2000;

interface Setup {
  readonly client: S3Client;
  readonly env: Env;
  readonly key: string;
  readonly mode: PutMode;
  readonly signal: AbortSignal | undefined;
}

interface Found {
  readonly etag: ETag;
  readonly ours: boolean;
  /** It was there before the first attempt. */
  readonly older: boolean;
}

export class Write {
  readonly key: string;
  readonly mode: PutMode;
  signal: AbortSignal | undefined;
  /** Puts the same once more, where that is ours to do: for `resolve()`. */
  repeat: (() => Promise<PutResult>) | undefined;
  /** An attempt may have landed, now or later. */
  unanswered = false;
  /** The server said that it was busy. It should have done nothing then; something in front of it may have said so. */
  #busy = false;
  readonly #client: S3Client;
  readonly #env: Env;
  readonly #id: string;
  readonly #startMs: number;

  constructor({ client, env, key, mode, signal }: Setup) {
    this.key = key;
    this.mode = mode;
    this.signal = signal;
    this.#client = client;
    this.#env = env;
    this.#id = env.id();
    this.#startMs = env.monotonic();
  }

  get identity(): Readonly<Record<string, string>> {
    return { 'x-amz-meta-lode-write-id': this.#id };
  }

  get condition(): Readonly<Record<string, string>> {
    if (this.mode === 'overwrite') return {};
    return this.mode === 'create' ? { 'if-none-match': '*' } : { 'if-match': this.mode.ifMatch };
  }

  /** Both: what a single request that writes carries. Spelled out, since every small put makes one. */
  get headers(): Readonly<Record<string, string>> {
    const { mode } = this;
    const id = this.#id;
    if (mode === 'overwrite') return { 'x-amz-meta-lode-write-id': id };
    if (mode === 'create') return { 'if-none-match': '*', 'x-amz-meta-lode-write-id': id };
    return { 'if-match': mode.ifMatch, 'x-amz-meta-lode-write-id': id };
  }

  /** One attempt. What keeps it from being sent, such as a closed store, says nothing of those before it. */
  async attempt(request: Omit<S3Request, 'key' | 'signal'>, fresh: boolean): Promise<Reply> {
    const { key, signal } = this;
    try {
      return await this.#client.once({ ...request, key, signal }, fresh);
    } catch (error) {
      throw isLodeError(error) ? this.#open(error) : error;
    }
  }

  /** A verdict on a reply that is no success: a lost race, or `again`; what is neither is thrown. */
  async judge(reply: Reply): Promise<PutResult | 'again'> {
    if (reply.lost !== undefined) {
      if (reply.lost.sent) this.unanswered = true;
      if (!reply.lost.passes) throw this.#open(reply.lost.error);
      return reply.lost.cutOff === true ? this.#cutOff() : 'again';
    }
    const { fault } = reply;
    if (fault === undefined) return 'again';
    if (fault.status === 412) return this.lostRace();
    const gone =
      fault.status === 404 && fault.code !== 'NoSuchBucket' && fault.code !== 'NoSuchUpload';
    if (gone && typeof this.mode === 'object') return this.lostRace();
    if (isBusy(fault)) this.#busy = true;
    if (isRace(fault) || isBusy(fault)) return 'again';
    if (isUnknown(fault)) {
      this.unanswered = true;
      return 'again';
    }
    throw this.#open(this.#client.failure(reply, this));
  }

  /** The condition did not hold. */
  async lostRace(): Promise<PutResult> {
    const first = !this.unanswered && !this.#busy;
    if (first && !this.#client.mayRepeat) return { outcome: 'conflict' };
    const found = await this.#look();
    if (found?.ours === true) return { outcome: 'stored', etag: found.etag };
    if (!this.unanswered || found?.older === true)
      return { outcome: 'conflict', ...(found !== undefined && { etag: found.etag }) };
    throw this.uncertain(undefined);
  }

  /** Stored after all, by an attempt that somebody else sent on for us; `undefined` when what is there is not ours. */
  async landed(): Promise<PutResult | undefined> {
    const found = await this.#look();
    return found?.ours === true ? { outcome: 'stored', etag: found.etag } : undefined;
  }

  /** No attempt is left. */
  async exhausted(reply: Reply): Promise<PutResult> {
    const error = this.#client.failure(reply, this);
    const raced = reply.fault !== undefined && isRace(reply.fault);
    if (!this.unanswered && !raced) throw error;
    const found = await this.#look();
    if (found?.ours === true) return { outcome: 'stored', etag: found.etag };
    if (this.unanswered) throw this.uncertain(error);
    // Whoever was in our way is through: compare.
    if (this.#holds(found)) throw error;
    return { outcome: 'conflict', ...(found !== undefined && { etag: found.etag }) };
  }

  /**
   * A server that refuses a large body may hang up while it is sent, and its answer is lost with the connection. One request
   * tells whether that was a lost race: less than the body again.
   */
  async #cutOff(): Promise<PutResult | 'again'> {
    if (this.mode === 'overwrite' || this.unanswered) return 'again';
    const found = await this.#find();
    if (this.#holds(found)) return 'again';
    return { outcome: 'conflict', ...(found !== undefined && { etag: found.etag }) };
  }

  #holds(found: Found | undefined): boolean {
    if (this.mode === 'overwrite') return true;
    return this.mode === 'create' ? found === undefined : found?.etag === this.mode.ifMatch;
  }

  /** The etag of a success, as the server told it or else as it stands now. */
  async stored(etag: string | undefined): Promise<PutResult> {
    if (isStrong(etag)) return { outcome: 'stored', etag };
    const found = await this.#look();
    if (found?.ours === true && isStrong(found.etag))
      return { outcome: 'stored', etag: found.etag };
    throw noStrongEtag(this.key, etag ?? 'none');
  }

  uncertain(cause: unknown): LodeError<'LODE_WRITE_UNCERTAIN'> {
    const resolve = async (): Promise<'landed' | 'not-landed'> => {
      // The call is over: from here on the write is this function's alone.
      this.signal = undefined;
      const found = await this.#look();
      if (found?.ours === true) return 'landed';
      // Overwriting now could undo what others wrote since.
      if (this.mode === 'overwrite') return 'not-landed';
      if (this.repeat !== undefined)
        return (await this.repeat()).outcome === 'stored' ? 'landed' : 'not-landed';
      if (this.#holds(found) || found?.older === true) return 'not-landed';
      // It may have landed and been replaced.
      throw this.uncertain(cause);
    };
    const what = 'the server did not say whether it took the write';
    return new LodeError('LODE_WRITE_UNCERTAIN', what, { key: this.key, resolve }, { cause });
  }

  #open(error: LodeError): LodeError {
    return this.unanswered ? this.uncertain(error) : error;
  }

  async #look(): Promise<Found | undefined> {
    try {
      return await this.#find();
    } catch (error) {
      if (!isLodeError(error)) throw error;
      throw this.uncertain(error);
    }
  }

  async #find(): Promise<Found | undefined> {
    const answer = await headAnswer(this.#client, this.key, this.signal);
    if (answer === undefined) return undefined;
    const { response } = answer;
    const now = Date.parse(response.header('date') ?? '');
    const written = Date.parse(response.header('last-modified') ?? '');
    const startMs = now - (this.#env.monotonic() - this.#startMs);
    return {
      etag: response.header('etag') ?? '',
      ours: response.header(idHeader) === this.#id,
      older: written + clockStepMs < startMs,
    };
  }
}

/** Weak etags say "about the same", missing ones nothing: neither can decide a comparison. */
export function isStrong(etag: string | undefined): etag is string {
  return etag !== undefined && etag !== '' && !etag.startsWith('W/');
}

export function noStrongEtag(key: string, actual: string): LodeError {
  return new LodeError('LODE_CONDITIONS_UNSUPPORTED', 'the server gives objects no strong etag', {
    key,
    field: 'etag',
    actual,
  });
}
