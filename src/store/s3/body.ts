/**
 * The body of a read. A connection that breaks is replaced by another one for the rest of the range, pinned to the same version:
 * bytes of two versions never mix. What is shorter or longer than announced is an error, never an end.
 */
import { concat } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type { ClippedRange } from '../range.ts';
import { objectChanged, readOnce } from '../stored-bytes.ts';
import type { ETag, ObjectInfo, StoredObject } from '../store.ts';
import type { Answer, S3Client } from './client.ts';
import { senseless } from './failures.ts';
import type { TransportResponse } from './transport.ts';

interface Opened {
  readonly info: ObjectInfo;
  readonly part: ClippedRange & { readonly skip?: number };
  /** Absent when the range is empty. */
  readonly answer: Answer | undefined;
  readonly signal: AbortSignal | undefined;
}

export class S3Object implements StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: ETag;
  readonly lastModifiedMs: number;
  readonly range: ClippedRange;
  readonly #client: S3Client;
  readonly #skip: number;
  readonly #signal: AbortSignal | undefined;
  #response: TransportResponse | undefined;
  #used = false;

  constructor(client: S3Client, { info, part, answer, signal }: Opened) {
    this.key = info.key;
    this.size = info.size;
    this.etag = info.etag;
    this.lastModifiedMs = info.lastModifiedMs;
    this.range = { offset: part.offset, length: part.length };
    this.#client = client;
    this.#skip = part.skip ?? 0;
    this.#response = answer?.response;
    this.#signal = signal;
  }

  stream(): AsyncIterable<Uint8Array> {
    this.#use();
    return this.#chunks();
  }

  async bytes(): Promise<Uint8Array> {
    this.#use();
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#chunks()) chunks.push(chunk);
    const whole = concat(chunks);
    // A short body is a piece of the buffer it was received in: that would stay in memory with it.
    return whole.buffer.byteLength > whole.length * 2 ? new Uint8Array(whole) : whole;
  }

  async cancel(): Promise<void> {
    this.#used = true;
    this.#response?.discard();
    this.#response = undefined;
  }

  #use(): void {
    if (this.#used) throw readOnce(this.key);
    this.#used = true;
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    const { length } = this.range;
    const progress = { done: 0 };
    let response = this.#response;
    let skip = this.#skip;
    for (let failures = 0; progress.done < length || response !== undefined;) {
      const before = progress.done;
      let cause: unknown;
      try {
        if (response !== undefined) yield* this.#partOf(response, skip, progress);
        if (progress.done === length) return;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof LodeError) throw error;
        cause = error;
      }
      if (progress.done > before) failures = 0;
      if (++failures >= this.#client.settings.attempts) throw this.#truncated(progress.done, cause);
      await this.#client.pause(failures, { key: this.key, signal: this.#signal, error: cause });
      response = await this.#resume(progress.done);
      skip = 0;
    }
  }

  /** The chunks of one answer, without what lies before and after the range. */
  async *#partOf(
    response: TransportResponse,
    skip: number,
    progress: { done: number },
  ): AsyncGenerator<Uint8Array> {
    const { length } = this.range;
    const wholeObject = this.#skip > 0 || length < this.size;
    for await (const chunk of response.chunks()) {
      this.#signal?.throwIfAborted();
      let rest = chunk;
      if (skip > 0) {
        rest = chunk.subarray(skip);
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
      }
      const left = length - progress.done;
      if (rest.length > left) {
        if (!wholeObject || response.status === 206)
          throw senseless(this.key, 'the body is longer than the server announced', length);
        rest = rest.subarray(0, left);
      }
      if (rest.length > 0) {
        progress.done += rest.length;
        yield rest;
      }
      if (rest.length === left && response.status !== 206 && wholeObject) return;
    }
  }

  async #resume(done: number): Promise<TransportResponse> {
    const first = this.range.offset + done;
    const last = this.range.offset + this.range.length - 1;
    const answer = await this.#client.repeat({
      method: 'GET',
      key: this.key,
      headers: {
        range: `bytes=${first}-${last}`,
        'if-match': this.etag,
      },
      signal: this.#signal,
    });
    const { response, fault } = answer;
    if (fault?.status === 412 || fault?.status === 404)
      throw objectChanged(this.key, this.etag, response.header('etag') ?? 'none');
    // The object ends before the range that was announced.
    if (fault?.status === 416) throw this.#truncated(done, undefined);
    if (fault !== undefined) throw this.#client.failure(answer, { key: this.key });
    const found = response.header('etag') ?? 'none';
    if (
      found !== this.etag ||
      !response.header('content-range')?.startsWith(`bytes ${first}-${last}/`)
    ) {
      response.discard();
      throw found === this.etag
        ? senseless(this.key, 'the server cannot go on in the middle of an object')
        : objectChanged(this.key, this.etag, found);
    }
    return response;
  }

  #truncated(done: number, cause: unknown): LodeError {
    return new LodeError(
      'LODE_TRUNCATED',
      'the body ended early',
      {
        key: this.key,
        expected: this.range.length,
        actual: done,
        next: 'Read it again; when that fails too, restore the object from a copy.',
      },
      { cause },
    );
  }
}
