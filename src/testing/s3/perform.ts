/** What an honest server does with a request, at once and whole: nothing else happens in between. */
import { utf8Length } from '../../bytes/index.ts';
import type { Bucket } from './bucket.ts';
import { fault } from './faults.ts';
import { listObjects, listUploads } from './list.ts';
import { abortUpload, completeUpload, createUpload, uploadPart } from './multipart.ts';
import {
  deleteObject,
  deleteObjects,
  getObject,
  headObject,
  keyBytesMax,
  putObject,
  xmlAnswer,
} from './objects.ts';
import type { S3Answer, S3Operation, S3Request } from './protocol.ts';

const operations: Readonly<Record<S3Operation, (bucket: Bucket, request: S3Request) => S3Answer>> =
  {
    PutObject: putObject,
    GetObject: getObject,
    HeadObject: headObject,
    DeleteObject: deleteObject,
    DeleteObjects: deleteObjects,
    ListObjectsV2: listObjects,
    CreateMultipartUpload: createUpload,
    UploadPart: uploadPart,
    CompleteMultipartUpload: completeUpload,
    AbortMultipartUpload: abortUpload,
    ListMultipartUploads: listUploads,
    HeadBucket: ({ options }) => ({
      status: 200,
      headers: { 'x-amz-bucket-region': options.region },
      body: new Uint8Array(),
    }),
    GetBucketLocation: ({ options: { region } }) =>
      xmlAnswer('LocationConstraint', region === 'us-east-1' ? '' : region),
    Other: (_, request) => fault(request, 'NotImplemented'),
  };

export function perform(bucket: Bucket, request: S3Request): S3Answer {
  const { operation, headers } = request;
  if (request.bucket !== bucket.options.name)
    return fault(request, 'NoSuchBucket', { BucketName: request.bucket });
  if (utf8Length(request.key) > keyBytesMax)
    return fault(request, 'KeyTooLongError', { MaxSizeAllowed: keyBytesMax });
  const carries = operation === 'PutObject' || operation === 'UploadPart';
  if (carries && !headers.has('content-length')) return fault(request, 'MissingContentLength');
  return operations[operation](bucket, request);
}
