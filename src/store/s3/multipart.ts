/**
 * Large bodies: parts in parallel from a few buffers, and a completion that is as conditional as a single put.
 *
 * Nothing shows before the completion. Whatever goes wrong, the upload is aborted on a deadline of its own, whatever became
 * of the caller's signal; after that nothing of it can land any more. What a crash leaves is invisible, and swept by
 * `abortAbandonedUploads()`.
 */
import { utf8Encode, type ByteSource } from '../../bytes/index.ts';
import { isLodeError, LodeError, withCleanupFailures } from '../../errors.ts';
import type { PutResult } from '../store.ts';
import { readBody, type Answer, type Reply, type S3Client } from './client.ts';
import { failureOf, faultOf, isRace, senseless } from './failures.ts';
import { readXml } from './list.ts';
import { cutParts, partBytesFor, uploadAll } from './parts.ts';
import { headAnswer } from './read.ts';
import type { Write } from './write.ts';
import { childText, escapeXml, parseXml, xmlBytesMax } from './xml.ts';

/** "The upload must be done again", said by a completion. */
const redo = Symbol('redo');

export async function putInParts(
  client: S3Client,
  write: Write,
  source: ByteSource,
): Promise<PutResult> {
  const partBytes = partBytesFor(write.key, source.size, client.settings.partBytes);
  const early = await lostAlready(client, write);
  if (early !== undefined) return early;
  const tries = source.replayable ? client.settings.attempts : 1;
  for (let failures = 0; ;) {
    const result = await new Upload(client, write, partBytes).run(source);
    if (result !== redo) return result;
    if (++failures >= tries) {
      throw new LodeError('LODE_UNAVAILABLE', 'other writers were in the way of the upload', {
        key: write.key,
      });
    }
    await client.pause(failures, write);
  }
}

/** One request that may save the whole upload. The completion decides, not this. */
async function lostAlready(
  client: S3Client,
  { key, mode, signal }: Write,
): Promise<PutResult | undefined> {
  if (mode === 'overwrite') return undefined;
  const found = await headAnswer(client, key, signal);
  const etag = found?.response.header('etag');
  const lost = mode === 'create' ? found !== undefined : etag !== mode.ifMatch;
  return lost ? { outcome: 'conflict', ...(etag !== undefined && { etag }) } : undefined;
}

class Upload {
  readonly #client: S3Client;
  readonly #write: Write;
  readonly #partBytes: number;

  constructor(client: S3Client, write: Write, partBytes: number) {
    this.#client = client;
    this.#write = write;
    this.#partBytes = partBytes;
  }

  async run(source: ByteSource): Promise<PutResult | typeof redo> {
    const { key, signal, identity } = this.#write;
    const started = await readXml(this.#client, 'InitiateMultipartUploadResult', {
      method: 'POST',
      key,
      query: { uploads: '' },
      headers: identity,
      signal,
    });
    const id = childText(started, 'UploadId') ?? '';
    if (id === '') throw senseless(key, 'the server began an upload without an id');
    let result: PutResult | typeof redo;
    try {
      const etags = await this.#uploadParts(id, source);
      result = await this.#complete(id, etags);
    } catch (error) {
      const failed = await this.#abort(id);
      throw withCleanupFailures(error, failed);
    }
    if (result === redo || result.outcome === 'conflict') await this.#abort(id);
    return result;
  }

  #uploadParts(id: string, source: ByteSource): Promise<string[]> {
    const { key, signal } = this.#write;
    const { parallelParts } = this.#client.settings;
    const cut = cutParts(source, this.#partBytes);
    return uploadAll(cut, parallelParts, signal, async (number, body, stop) => {
      const query = { partNumber: String(number), uploadId: id };
      const answer = await this.#client.repeat({ method: 'PUT', key, query, body, signal: stop });
      if (answer.fault !== undefined) throw this.#failureOfPart(answer);
      answer.response.discard();
      const etag = answer.response.header('etag') ?? '';
      if (etag === '') throw senseless(key, 'the server gave a part no etag');
      return etag;
    });
  }

  #failureOfPart(answer: Answer): LodeError {
    const { key } = this.#write;
    if (answer.fault?.code !== 'NoSuchUpload') return this.#client.failure(answer, { key });
    return new LodeError('LODE_UNAVAILABLE', 'somebody aborted the upload', { key });
  }

  async #complete(id: string, etags: readonly string[]): Promise<PutResult | typeof redo> {
    const write = this.#write;
    const parts = etags.map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    );
    const space = 'http://s3.amazonaws.com/doc/2006-03-01/';
    const text = `<CompleteMultipartUpload xmlns="${space}">${parts.join('')}</CompleteMultipartUpload>`;
    const body = utf8Encode(text);
    for (let failures = 0; ;) {
      const reply = await write.attempt(
        { method: 'POST', query: { uploadId: id }, headers: write.condition, body },
        failures > 0,
      );
      const seen = await this.#lookInside(reply);
      if ('outcome' in seen) return seen;
      const verdict = await this.#judge(seen);
      if (verdict !== 'again') return verdict;
      if (++failures >= this.#client.settings.attempts) return write.exhausted(seen);
      await this.#client.pause(failures, write);
    }
  }

  /** A completion may begin as a success and end as a failure: only its body tells. */
  async #lookInside(reply: Reply): Promise<PutResult | Reply> {
    if (reply.lost !== undefined || reply.fault !== undefined) return reply;
    const body = await readBody(reply.response, xmlBytesMax);
    this.#write.signal?.throwIfAborted();
    const root = body && parseXml(body);
    if (root?.name === 'CompleteMultipartUploadResult')
      return this.#write.stored(childText(root, 'ETag')?.trim());
    const { code } = faultOf(200, body ?? new Uint8Array(0), undefined);
    const status = statusOf[code] ?? 500;
    return { ...reply, status, fault: { status, code, region: undefined } };
  }

  async #judge(reply: Reply): Promise<PutResult | typeof redo | 'again'> {
    const { fault } = reply;
    // Redoing is safe only while no completion is open.
    if (fault !== undefined && isRace(fault) && !this.#write.unanswered) return redo;
    // After an unanswered completion: it has gone through, or somebody aborted the upload.
    if (fault?.code === 'NoSuchUpload') {
      if (this.#write.unanswered) return this.#write.exhausted(reply);
      // Something in between may have delivered the completion twice.
      const landed = await this.#write.landed();
      if (landed !== undefined) return landed;
      throw failureOf({ ...fault, status: 503 }, this.#write.key);
    }
    return this.#write.judge(reply);
  }

  /** Failures of this, for the error that caused it. */
  async #abort(id: string): Promise<LodeError[]> {
    const failed = await abortUpload(this.#client, this.#write.key, id);
    return failed === undefined ? [] : [failed];
  }
}

const statusOf: Readonly<Record<string, number>> = {
  PreconditionFailed: 412,
  ConditionalRequestConflict: 409,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  EntityTooSmall: 400,
  AccessDenied: 403,
};

/** Not on anybody's signal. An upload that is gone counts as aborted. */
export async function abortUpload(
  client: S3Client,
  key: string,
  id: string,
): Promise<LodeError | undefined> {
  try {
    const request = { method: 'DELETE', key, query: { uploadId: id } } as const;
    const answer = await client.repeat(request);
    if (answer.fault !== undefined && answer.fault.status !== 404)
      return client.failure(answer, request);
    if (answer.fault === undefined) answer.response.discard();
    return undefined;
  } catch (error) {
    if (isLodeError(error)) return error;
    throw error;
  }
}
