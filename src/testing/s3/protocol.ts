/** Requests and answers of the S3 protocol as the double sees them: parsed, but before any meaning. */
import { utf8Decode, utf8Encode } from '../../bytes/index.ts';

export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'HeadBucket'
  | 'GetBucketLocation'
  | 'Other';

export interface S3Request {
  readonly id: string;
  readonly method: string;
  readonly operation: S3Operation;
  /** Path and query as sent. */
  readonly target: string;
  readonly bucket: string;
  /** Empty when the request is about the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty while rules are matched: the body is read after that. */
  readonly body: Uint8Array;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a request asks for, before its body is read; `undefined` when its path or query cannot be decoded. */
export function parseRequest(
  id: string,
  method: string,
  target: string,
  headerList: readonly (readonly [string, string])[],
  hosts: readonly string[],
): S3Request | undefined {
  const headers = new Map<string, string>();
  for (const [name, value] of headerList) {
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before},${value}`);
  }
  const [path, search] = splitOnce(target, '?');
  const decoded = percentDecode(path);
  const query = parseQuery(search);
  if (decoded === undefined || query === undefined) return undefined;
  const [bucket, key] = bucketAndKey(decoded, headers.get('host') ?? '', hosts);
  const operation = operationOf(method, key, query, headers);
  const body = new Uint8Array();
  return { id, method, operation, target, bucket, key, query, headers, body };
}

/** `bucket.host/key` where the host is one of ours, `host/bucket/key` otherwise. */
function bucketAndKey(path: string, host: string, hosts: readonly string[]): [string, string] {
  const name = host.replace(/:\d+$/, '');
  const ours = hosts.find((own) => name.endsWith(`.${own}`));
  if (ours !== undefined) return [name.slice(0, -ours.length - 1), path.slice(1)];
  return splitOnce(path.slice(1), '/');
}

function operationOf(
  method: string,
  key: string,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): S3Operation {
  if (key === '') {
    if (method === 'HEAD') return 'HeadBucket';
    if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
    if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
    if (method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2';
    return method === 'POST' && query.has('delete') ? 'DeleteObjects' : 'Other';
  }
  if (query.has('uploadId')) {
    if (method === 'PUT') return 'UploadPart';
    if (method === 'POST') return 'CompleteMultipartUpload';
    return method === 'DELETE' ? 'AbortMultipartUpload' : 'Other';
  }
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'Other';
  if (method === 'PUT') return headers.has('x-amz-copy-source') ? 'Other' : 'PutObject';
  if (method === 'GET') return 'GetObject';
  if (method === 'HEAD') return 'HeadObject';
  return method === 'DELETE' ? 'DeleteObject' : 'Other';
}

function parseQuery(search: string): Map<string, string> | undefined {
  const query = new Map<string, string>();
  for (const part of search.split('&').filter((text) => text !== '')) {
    const [name, value] = splitOnce(part, '=').map(percentDecode);
    if (name === undefined || value === undefined) return undefined;
    query.set(name, value);
  }
  return query;
}

/** A plus sign is a space, in paths too: a client that means a plus has to encode it. */
function percentDecode(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const plain = utf8Encode(text.replaceAll('+', ' '));
  const bytes: number[] = [];
  for (let i = 0; i < plain.length; i++) {
    const byte = plain[i] ?? 0;
    if (byte === 0x25) {
      bytes.push(parseInt(String.fromCharCode(plain[i + 1] ?? 0, plain[i + 2] ?? 0), 16));
      i += 2;
    } else bytes.push(byte);
  }
  return utf8Decode(Uint8Array.from(bytes));
}

/** Everything but letters, digits and `-._~` as `%XX`, the one form that signatures are made over. */
export function percentEncode(text: string, keep: string = ''): string {
  let encoded = '';
  for (const byte of utf8Encode(text)) {
    const letter = String.fromCharCode(byte);
    encoded +=
      /[A-Za-z0-9\-._~]/.test(letter) || (keep !== '' && keep === letter)
        ? letter
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

function splitOnce(text: string, at: string): [string, string] {
  const i = text.indexOf(at);
  return i === -1 ? [text, ''] : [text.slice(0, i), text.slice(i + 1)];
}
