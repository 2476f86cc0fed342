/** Uploads in parts: nothing shows until they are completed, under the same conditions as a single write. */
import { concat, utf8Decode } from '../../bytes/index.ts';
import { refuseWrite, type Bucket, type S3Upload } from './bucket.ts';
import { fault } from './faults.ts';
import { aboutOf, refuseDigest, refuseMetadata, xmlAnswer } from './objects.ts';
import type { S3Answer, S3Request } from './protocol.ts';
import { elementsNamed, textOf } from './xml.ts';

const none = new Uint8Array();

export function createUpload(bucket: Bucket, request: S3Request): S3Answer {
  const refused = refuseMetadata(request);
  if (refused) return refused;
  const { id } = bucket.startUpload(request.key, aboutOf(request));
  return xmlAnswer('InitiateMultipartUploadResult', {
    Bucket: request.bucket,
    Key: request.key,
    UploadId: id,
  });
}

function uploadOf(bucket: Bucket, request: S3Request): S3Upload | undefined {
  const upload = bucket.uploads.get(request.query.get('uploadId') ?? '');
  return upload?.key === request.key ? upload : undefined;
}

const noSuchUpload = (request: S3Request): S3Answer =>
  fault(request, 'NoSuchUpload', { UploadId: request.query.get('uploadId') });

export function uploadPart(bucket: Bucket, request: S3Request): S3Answer {
  const upload = uploadOf(bucket, request);
  if (upload === undefined) return noSuchUpload(request);
  const text = request.query.get('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 10_000)
    return fault(request, 'InvalidArgument', { ArgumentName: 'partNumber', ArgumentValue: text });
  const refused = refuseDigest(request);
  if (refused) return refused;
  const etag = bucket.etagOf(request.body);
  upload.parts.set(number, { etag, body: request.body });
  return { status: 200, headers: { etag }, body: none };
}

export function abortUpload(bucket: Bucket, request: S3Request): S3Answer {
  const upload = uploadOf(bucket, request);
  if (upload === undefined) return noSuchUpload(request);
  bucket.uploads.delete(upload.id);
  return { status: 204, headers: {}, body: none };
}

export function completeUpload(bucket: Bucket, request: S3Request): S3Answer {
  const upload = uploadOf(bucket, request);
  if (upload === undefined) return noSuchUpload(request);
  const xml = utf8Decode(request.body) ?? '';
  const named = elementsNamed(xml, 'Part').map((part) => ({
    number: Number(elementsNamed(part, 'PartNumber')[0]),
    etag: textOf(elementsNamed(part, 'ETag')[0] ?? ''),
  }));
  if (named.length === 0) return fault(request, 'MalformedXML');
  if (named.some(({ number }, i) => i > 0 && number <= (named[i - 1]?.number ?? 0)))
    return fault(request, 'InvalidPartOrder');
  const bodies: Uint8Array[] = [];
  for (const { number, etag } of named) {
    const part = upload.parts.get(number);
    if (part === undefined || (part.etag !== etag && part.etag !== `"${etag}"`))
      return fault(request, 'InvalidPart', { PartNumber: number, ETag: etag });
    bodies.push(part.body);
  }
  const small = bodies.slice(0, -1).find(({ length }) => length < bucket.options.partBytesMin);
  if (small !== undefined) return fault(request, 'EntityTooSmall', { ProposedSize: small.length });
  const refused = refuseWrite(bucket, request);
  if (refused) return refused;
  const { metadata, contentType } = upload;
  const about = { metadata, contentType, etag: bucket.multipartEtag(bodies) };
  const { etag } = bucket.store(upload.key, concat(bodies), about);
  bucket.uploads.delete(upload.id);
  return xmlAnswer('CompleteMultipartUploadResult', {
    Location: `http://${request.headers.get('host')}/${request.bucket}/${request.key}`,
    Bucket: request.bucket,
    Key: request.key,
    ETag: etag,
  });
}
