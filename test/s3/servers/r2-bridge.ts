/**
 * S3's protocol in front of a bucket of R2: the double takes requests, checks their signatures and answers; what is stored, and
 * whether a condition holds, is R2's alone. What its binding has no call for is refused as not implemented.
 */
import { fault } from '../../../src/testing/s3/faults.ts';
import { aboutOf, xmlAnswer } from '../../../src/testing/s3/objects.ts';
import { percentEncode } from '../../../src/testing/s3/protocol.ts';
import type { S3Answer, S3Operation, S3Request } from '../../../src/testing/index.ts';
import { elementsNamed, textOf } from '../../../src/testing/s3/xml.ts';
import type { Ask, R2Facts, Told } from './r2-worker.ts';

/** Calls the binding. */
export type Call = (
  ask: Ask,
  request: S3Request,
  body?: Uint8Array,
) => Promise<{ readonly told: Told; readonly body: Uint8Array }>;

type Serve = (call: Call, request: S3Request) => Promise<S3Answer>;

const none = new Uint8Array();

export function bridge(call: Call) {
  return async (request: S3Request, run: (request: S3Request) => S3Answer): Promise<S3Answer> => {
    // Signature and name of the bucket are the double's to judge.
    const allowed = run({ ...request, operation: 'HeadBucket', key: '' });
    if (allowed.status !== 200 || request.operation === 'HeadBucket') return allowed;
    return (await served[request.operation]?.(call, request)) ?? fault(request, 'NotImplemented');
  };
}

const served: Readonly<Partial<Record<S3Operation, Serve>>> = {
  async PutObject(call, request) {
    const { key, body } = request;
    const { told } = await call({ op: 'put', key, metadata: metadataOf(request) }, request, body);
    if (told.nothing) return fault(request, 'PreconditionFailed');
    return failed(request, told) ?? answer(200, { etag: told.object?.etag ?? '' });
  },
  async GetObject(call, request) {
    const { told, body } = await call({ op: 'get', key: request.key }, request);
    if (told.nothing) return fault(request, 'NoSuchKey');
    const { object } = told;
    if (object === undefined) return failed(request, told) ?? fault(request, 'InternalError');
    if (told.unmet === true)
      return request.headers.has('if-match')
        ? fault(request, 'PreconditionFailed')
        : answer(304, { etag: object.etag });
    const { offset = 0, length = object.size } = object.range ?? {};
    if (length === object.size) return answer(200, factsOf(object), body);
    const range = `bytes ${offset}-${offset + length - 1}/${object.size}`;
    return answer(206, { ...factsOf(object), 'content-range': range }, body);
  },
  async HeadObject(call, request) {
    const { told } = await call({ op: 'head', key: request.key }, request);
    if (told.nothing) return fault(request, 'NoSuchKey');
    const { object } = told;
    if (object === undefined) return failed(request, told) ?? fault(request, 'InternalError');
    // Its length goes out, not its bytes.
    return answer(200, factsOf(object), new Uint8Array(object.size));
  },
  async DeleteObject(call, request) {
    const { told } = await call({ op: 'delete', keys: [request.key] }, request);
    return failed(request, told) ?? answer(204);
  },
  async DeleteObjects(call, request) {
    const keys = elementsNamed(new TextDecoder().decode(request.body), 'Key').map(textOf);
    const { told } = await call({ op: 'delete', keys }, request);
    return (
      failed(request, told) ?? xmlAnswer('DeleteResult', { Deleted: keys.map((Key) => ({ Key })) })
    );
  },
  ListObjectsV2: listObjects,
  async CreateMultipartUpload(call, request) {
    const { key } = request;
    const { told } = await call({ op: 'begin', key, metadata: metadataOf(request) }, request);
    const UploadId = told.upload ?? '';
    return (
      failed(request, told) ?? xmlAnswer('InitiateMultipartUploadResult', { Key: key, UploadId })
    );
  },
  async UploadPart(call, request) {
    const { key, body, query } = request;
    const number = Number(query.get('partNumber'));
    const upload = query.get('uploadId') ?? '';
    const { told } = await call({ op: 'part', key, upload, number }, request, body);
    return failed(request, told) ?? answer(200, { etag: `"${told.etag}"` });
  },
  async CompleteMultipartUpload(call, request) {
    // The binding completes whatever is there.
    if (request.headers.has('if-match') || request.headers.has('if-none-match'))
      return fault(request, 'NotImplemented');
    const upload = request.query.get('uploadId') ?? '';
    const parts = elementsNamed(new TextDecoder().decode(request.body), 'Part').map((part) => ({
      partNumber: Number(elementsNamed(part, 'PartNumber')[0]),
      etag: textOf(elementsNamed(part, 'ETag')[0] ?? '').replaceAll('"', ''),
    }));
    const { told } = await call({ op: 'complete', key: request.key, upload, parts }, request);
    const ETag = told.object?.etag ?? '';
    return failed(request, told) ?? xmlAnswer('CompleteMultipartUploadResult', { ETag });
  },
  async AbortMultipartUpload(call, request) {
    const upload = request.query.get('uploadId') ?? '';
    const { told } = await call({ op: 'abort', key: request.key, upload }, request);
    return failed(request, told) ?? answer(204);
  },
};

async function listObjects(call: Call, request: S3Request): Promise<S3Answer> {
  const list: Record<string, string | number> = { limit: 1000 };
  const names = {
    prefix: 'prefix',
    delimiter: 'delimiter',
    'continuation-token': 'cursor',
    'start-after': 'startAfter',
  };
  for (const [theirs, ours] of Object.entries(names)) {
    const value = request.query.get(theirs);
    if (value !== undefined) list[ours] = value;
  }
  const { told, body } = await call({ op: 'list', list }, request);
  const refused = failed(request, told);
  if (refused !== undefined) return refused;
  const { objects = [], folded = [] } = JSON.parse(new TextDecoder().decode(body)) as Told;
  const spell = (name: string): string => percentEncode(name, '/');
  return xmlAnswer('ListBucketResult', {
    EncodingType: 'url',
    IsTruncated: told.cursor !== undefined,
    NextContinuationToken: told.cursor,
    Contents: objects.map(({ key, uploadedMs, etag, size }) => ({
      Key: spell(key),
      LastModified: new Date(uploadedMs).toISOString(),
      ETag: etag,
      Size: size,
    })),
    CommonPrefixes: folded.map((name) => ({ Prefix: spell(name) })),
  });
}

function metadataOf(request: S3Request): Record<string, string> {
  return Object.fromEntries(aboutOf(request).metadata);
}

function factsOf({ etag, uploadedMs, metadata }: R2Facts): Record<string, string> {
  const named = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
  const written = new Date(uploadedMs).toUTCString();
  return { etag, 'last-modified': written, ...(Object.fromEntries(named) as object) };
}

function answer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array = none,
): S3Answer {
  return { status, headers, body };
}

/** By the number at the end of what R2 says. */
const codes: Readonly<Record<string, string>> = {
  '10020': 'KeyTooLongError',
  '10024': 'NoSuchUpload',
  '10025': 'InvalidPart',
  '10011': 'EntityTooSmall',
};

function failed(request: S3Request, { error }: Told): S3Answer | undefined {
  if (error === undefined) return undefined;
  const [, number = ''] = /\((\d+)\)$/.exec(error) ?? [];
  return fault(request, codes[number] ?? 'InternalError', { Said: error });
}
