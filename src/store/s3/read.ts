/** `get` and `head`: one request each, and an answer that is checked before anything of it is believed. */
import { LodeError } from '../../errors.ts';
import { checkRange, clipRange, type ClippedRange } from '../range.ts';
import { notModified, objectChanged } from '../stored-bytes.ts';
import type { ByteRange, CallOptions, GetOptions, ObjectInfo, StoredObject } from '../store.ts';
import { S3Object } from './body.ts';
import type { Answer, S3Client } from './client.ts';
import { senseless } from './failures.ts';

/** Sizes of versions seen lately: an answer "not modified" does not tell them. */
export class SizeMemory {
  readonly #sizes: Map<string, number> = new Map();

  keep(key: string, etag: string, size: number): void {
    const name = `${etag} ${key}`;
    this.#sizes.delete(name);
    this.#sizes.set(name, size);
    if (this.#sizes.size <= 1000) return;
    for (const oldest of this.#sizes.keys()) {
      this.#sizes.delete(oldest);
      return;
    }
  }

  sizeOf(key: string, etag: string): number | undefined {
    return this.#sizes.get(`${etag} ${key}`);
  }
}

export async function getObject(
  client: S3Client,
  sizes: SizeMemory,
  key: string,
  options: GetOptions,
): Promise<StoredObject | undefined> {
  checkRange(options.range);
  const { range, ifMatch, ifNoneMatch, signal } = options;
  // A range of nothing has no spelling.
  if (isEmpty(range)) return getNothing(client, key, options);
  const answer = await client.repeat({
    method: 'GET',
    key,
    headers: {
      ...(range !== undefined && { range: spell(range) }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
    },
    signal,
  });
  const { response, fault } = answer;
  if (fault !== undefined) {
    if (fault.status === 404 && fault.code !== 'NoSuchBucket') return undefined;
    if (fault.status === 412) throw await changed(client, key, ifMatch ?? '', signal);
    if (fault.status === 416) return getNothing(client, key, options);
    throw client.failure(answer, { key });
  }
  if (answer.status === 304) {
    response.discard();
    return unmodified(client, sizes, key, answer, options);
  }
  try {
    const { info, part } = partOf(answer, key, range);
    sizes.keep(key, info.etag, info.size);
    return new S3Object(client, { info, part, answer, signal });
  } catch (error) {
    response.discard();
    throw error;
  }
}

export async function headObject(
  client: S3Client,
  key: string,
  { signal }: CallOptions,
): Promise<ObjectInfo | undefined> {
  const answer = await headAnswer(client, key, signal);
  return answer && infoOf(answer, key, lengthOf(answer, key));
}

/** The answer to HEAD; `undefined` when there is no such object. */
export async function headAnswer(
  client: S3Client,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  const answer = await client.repeat({ method: 'HEAD', key, signal });
  if (answer.fault === undefined) {
    answer.response.discard();
    return answer;
  }
  if (answer.fault.status !== 404) throw client.failure(answer, { key });
  // Without a body, a missing bucket looks like a missing key, until something was seen in the bucket.
  if (!client.bucketSeen) {
    const bucket = await client.repeat({ method: 'HEAD', signal });
    if (bucket.fault?.status === 404) {
      throw new LodeError('LODE_NO_BUCKET', 'there is no such bucket', { key: client.bucket });
    }
  }
  return undefined;
}

function isEmpty(range: ByteRange | undefined): boolean {
  if (range === undefined) return false;
  return 'suffix' in range ? range.suffix === 0 : 'length' in range && range.length === 0;
}

function spell(range: ByteRange): string {
  if ('suffix' in range) return `bytes=-${range.suffix}`;
  return `bytes=${range.offset}-${'length' in range ? range.offset + range.length - 1 : ''}`;
}

/** A read whose range holds no byte: facts only. */
async function getNothing(
  client: S3Client,
  key: string,
  { range, ifMatch, ifNoneMatch, signal }: GetOptions,
): Promise<StoredObject | undefined> {
  const info = await headObject(client, key, { signal });
  if (info === undefined) return undefined;
  if (ifMatch !== undefined && ifMatch !== info.etag) throw objectChanged(key, ifMatch, info.etag);
  if (ifNoneMatch === info.etag) return notModified(info);
  const clipped = clipRange(range, info.size);
  return new S3Object(client, { info, part: { ...clipped, length: 0 }, answer: undefined, signal });
}

async function changed(
  client: S3Client,
  key: string,
  expected: string,
  signal: AbortSignal | undefined,
): Promise<LodeError> {
  const found = await headObject(client, key, { signal });
  return objectChanged(key, expected, found?.etag ?? 'none');
}

async function unmodified(
  client: S3Client,
  sizes: SizeMemory,
  key: string,
  { response }: Answer,
  { ifNoneMatch = '', signal }: GetOptions,
): Promise<StoredObject | undefined> {
  const etag = response.header('etag') ?? ifNoneMatch;
  const size = sizes.sizeOf(key, etag);
  const lastModifiedMs = Date.parse(response.header('last-modified') ?? '');
  if (size !== undefined && !Number.isNaN(lastModifiedMs))
    return notModified({ key, size, etag, lastModifiedMs });
  const info = await headObject(client, key, { signal });
  return info && notModified(info);
}

/** What the answer holds: facts about the whole, and where in it the body begins and ends. */
function partOf(
  answer: Answer,
  key: string,
  range: ByteRange | undefined,
): { readonly info: ObjectInfo; readonly part: ClippedRange & { readonly skip: number } } {
  const length = lengthOf(answer, key);
  if (answer.status !== 206) {
    const info = infoOf(answer, key, length);
    const clipped = clipRange(range, length);
    // The server sent everything, as it may: what comes before the range is read and dropped.
    return { info, part: { ...clipped, skip: clipped.offset } };
  }
  const spelled = answer.response.header('content-range') ?? '';
  // MinIO has `bytes 0--1/0` for the last bytes of an object that has none.
  const form = /^bytes (\d{1,16})-(-1|\d{1,16})\/(\d{1,16})$/;
  const [, first, last, whole] = form.exec(spelled) ?? [];
  const info = infoOf(answer, key, Number(whole ?? Number.NaN));
  const clipped = clipRange(range, info.size);
  const given = { offset: Number(first), length: Number(last) - Number(first) + 1 };
  if (
    given.offset !== clipped.offset ||
    given.length !== clipped.length ||
    length !== clipped.length
  )
    throw senseless(key, 'the server sent another range than was asked for', spelled);
  return { info, part: { ...clipped, skip: 0 } };
}

function lengthOf({ response }: Answer, key: string): number {
  const text = response.header('content-length') ?? '';
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw senseless(key, 'the server did not say how long the object is', text);
}

function infoOf({ response }: Answer, key: string, size: number): ObjectInfo {
  const etag = response.header('etag') ?? '';
  const lastModifiedMs = Date.parse(response.header('last-modified') ?? '');
  if (etag === '') throw senseless(key, 'the server sent no etag');
  if (!Number.isSafeInteger(size)) throw senseless(key, 'the server sent no size');
  if (Number.isNaN(lastModifiedMs))
    throw senseless(key, 'the server did not say when the object was written');
  return { key, size, etag, lastModifiedMs };
}
