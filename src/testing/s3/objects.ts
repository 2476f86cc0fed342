/** Reads, writes and deletions of single objects, and deletions of many. */
import { utf8Decode, utf8Encode, utf8Length } from '../../bytes/index.ts';
import { contentMd5, matches, refuseWrite, type Bucket, type S3Object } from './bucket.ts';
import { fault } from './faults.ts';
import type { S3Answer, S3Request } from './protocol.ts';
import { elementsNamed, textOf, xmlDocument, type XmlContent, type XmlElements } from './xml.ts';

const none = new Uint8Array();

export function putObject(bucket: Bucket, request: S3Request): S3Answer {
  const refused = refuseDigest(request) ?? refuseMetadata(request) ?? refuseWrite(bucket, request);
  if (refused) return refused;
  const { etag } = bucket.store(request.key, request.body, aboutOf(request));
  return { status: 200, headers: { etag }, body: none };
}

export function aboutOf(request: S3Request): Pick<S3Object, 'metadata' | 'contentType'> {
  const named = [...request.headers].filter(([name]) => name.startsWith('x-amz-meta-'));
  return {
    metadata: new Map(named.map(([name, value]) => [name.slice('x-amz-meta-'.length), value])),
    contentType: request.headers.get('content-type') ?? 'binary/octet-stream',
  };
}

export function refuseDigest(request: S3Request): S3Answer | undefined {
  const claimed = request.headers.get('content-md5');
  if (claimed === undefined || claimed === contentMd5(request.body)) return undefined;
  return fault(request, 'BadDigest');
}

const metadataBytesMax = 2048;

export function refuseMetadata(request: S3Request): S3Answer | undefined {
  let bytes = 0;
  for (const [name, value] of aboutOf(request).metadata)
    bytes += utf8Length(name) + utf8Length(value);
  return bytes > metadataBytesMax ? fault(request, 'MetadataTooLarge') : undefined;
}

export function getObject(bucket: Bucket, request: S3Request): S3Answer {
  const object = bucket.objects.get(request.key);
  if (object === undefined) return fault(request, 'NoSuchKey', { Key: request.key });
  const { headers } = request;
  const ifMatch = headers.get('if-match');
  if (ifMatch !== undefined && !matches(ifMatch, object.etag))
    return fault(request, 'PreconditionFailed', { Condition: 'If-Match' });
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, object.etag))
    return { status: 304, headers: { etag: object.etag }, body: none };
  return ranged(request, object);
}

function ranged(request: S3Request, object: S3Object): S3Answer {
  const size = object.body.length;
  const wanted = rangeOf(request.headers.get('range'), size);
  if (wanted === undefined) return { status: 200, headers: factsOf(object), body: object.body };
  const [start, end] = wanted;
  if (start >= end) {
    const extra = { RangeRequested: request.headers.get('range'), ActualObjectSize: size };
    const answer = fault(request, 'InvalidRange', extra);
    return { ...answer, headers: { ...answer.headers, 'content-range': `bytes */${size}` } };
  }
  const headers = { ...factsOf(object), 'content-range': `bytes ${start}-${end - 1}/${size}` };
  return { status: 206, headers, body: object.body.subarray(start, end) };
}

/** Start and end of one range, clipped; an empty one cannot be satisfied. `undefined`: to be ignored. */
function rangeOf(header: string | undefined, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    return [Math.max(0, size - Number(last)), size];
  }
  if (last !== '' && Number(last) < Number(first)) return undefined;
  return [Number(first), Math.min(size, last === '' ? size : Number(last) + 1)];
}

function factsOf(object: S3Object): Record<string, string> {
  const headers: Record<string, string> = {
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
    etag: object.etag,
    'accept-ranges': 'bytes',
    'content-type': object.contentType,
  };
  for (const [name, value] of object.metadata) headers[`x-amz-meta-${name}`] = value;
  return headers;
}

/** As a read; the answer keeps its length and loses its body on the way out. */
export const headObject: typeof getObject = getObject;

export function deleteObject(bucket: Bucket, request: S3Request): S3Answer {
  bucket.remove(request.key);
  return { status: 204, headers: {}, body: none };
}

const deletesMax = 1000;

export function deleteObjects(bucket: Bucket, request: S3Request): S3Answer {
  const digested = [...request.headers.keys()].some(
    (name) => name === 'content-md5' || name.startsWith('x-amz-checksum-'),
  );
  if (!digested) return fault(request, 'InvalidRequest');
  const refused = refuseDigest(request);
  if (refused) return refused;
  const xml = utf8Decode(request.body) ?? '';
  const [root] = elementsNamed(xml, 'Delete');
  const entries = elementsNamed(root ?? '', 'Object').map((entry) => elementsNamed(entry, 'Key'));
  if (entries.length === 0 || entries.length > deletesMax) return fault(request, 'MalformedXML');
  const quiet = elementsNamed(root ?? '', 'Quiet')[0] === 'true';
  const Deleted: XmlElements[] = [];
  const errors: XmlElements[] = [];
  for (const [content = ''] of entries) {
    const key = textOf(content);
    if (utf8Length(key) > keyBytesMax) {
      errors.push({ Key: key, Code: 'KeyTooLongError', Message: 'Your key is too long' });
    } else {
      bucket.remove(key);
      Deleted.push({ Key: key });
    }
  }
  const result = { ...(quiet ? {} : { Deleted }), Error: errors };
  return xmlAnswer('DeleteResult', result);
}

export const keyBytesMax = 1024;

export function xmlAnswer(root: string, content: XmlContent): S3Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: utf8Encode(xmlDocument(root, content)),
  };
}
