/** `ListObjectsV2` and `ListMultipartUploads`: pages in UTF-8 byte order. */
import { compareUtf8, utf8Decode, utf8Encode } from '../../bytes/index.ts';
import type { Bucket } from './bucket.ts';
import { fault } from './faults.ts';
import { xmlAnswer } from './objects.ts';
import { percentEncode, type S3Answer, type S3Request } from './protocol.ts';
import { hex, unhex } from './signature.ts';
import type { XmlElements } from './xml.ts';

const pageMax = 1000;

export function listObjects(bucket: Bucket, request: S3Request): S3Answer {
  const { query } = request;
  const asked = query.get('max-keys') ?? String(pageMax);
  if (!/^\d+$/.test(asked)) return fault(request, 'InvalidArgument', { ArgumentName: 'max-keys' });
  const token = query.get('continuation-token');
  const after = token === undefined ? (query.get('start-after') ?? '') : readToken(token);
  if (after === undefined)
    return fault(request, 'InvalidArgument', { ArgumentName: 'continuation-token' });
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const limit = Math.min(Number(asked), pageMax);
  const page = pageOf(bucket, { prefix, delimiter, after, limit });
  const spell = (text: string): string =>
    query.get('encoding-type') === 'url' ? percentEncode(text, '/') : text;
  return xmlAnswer('ListBucketResult', {
    Name: bucket.options.name,
    Prefix: spell(prefix),
    Delimiter: delimiter === '' ? undefined : spell(delimiter),
    StartAfter: query.has('start-after') ? spell(query.get('start-after') ?? '') : undefined,
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    EncodingType: query.get('encoding-type'),
    KeyCount: page.entries.length,
    MaxKeys: limit,
    IsTruncated: page.next !== undefined,
    Contents: page.entries.filter(({ folded }) => !folded).map(({ name }) => contents(name)),
    CommonPrefixes: page.entries
      .filter(({ folded }) => folded)
      .map(({ name }) => ({ Prefix: spell(name) })),
  });

  function contents(key: string): XmlElements {
    const object = bucket.objects.get(key);
    return {
      Key: spell(key),
      LastModified: wholeSeconds(object?.lastModifiedMs ?? 0),
      ETag: object?.etag ?? '',
      Size: object?.body.length ?? 0,
      StorageClass: 'STANDARD',
    };
  }
}

interface Entry {
  readonly name: string;
  readonly folded: boolean;
}

interface Page {
  readonly entries: readonly Entry[];
  /** The last entry, when there are more after it. */
  readonly next: string | undefined;
}

function pageOf(
  bucket: Bucket,
  {
    prefix,
    delimiter,
    after,
    limit,
  }: Record<'prefix' | 'delimiter' | 'after', string> & {
    readonly limit: number;
  },
): Page {
  const entries: Entry[] = [];
  const from = compareUtf8(prefix, after) < 0 ? after : prefix;
  for (const key of limit === 0 ? [] : bucket.keysFrom(from)) {
    if (!key.startsWith(prefix)) {
      if (compareUtf8(key, prefix) > 0) break;
      continue;
    }
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut === -1 ? key : key.slice(0, cut + delimiter.length);
    if (compareUtf8(name, after) <= 0 || entries.at(-1)?.name === name) continue;
    if (entries.length === limit) return { entries, next: entries.at(-1)?.name };
    entries.push({ name, folded: cut !== -1 });
  }
  return { entries, next: undefined };
}

/** Times have no finer steps here than they have in headers. */
const wholeSeconds = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();

const writeToken = (name: string): string => `1${hex(utf8Encode(name))}`;

function readToken(token: string): string | undefined {
  return /^1([0-9a-f]{2})+$/.test(token) ? utf8Decode(unhex(token.slice(1))) : undefined;
}

export function listUploads(bucket: Bucket, request: S3Request): S3Answer {
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const [keyMarker = '', idMarker] = [query.get('key-marker'), query.get('upload-id-marker')];
  const limit = Math.min(Number(query.get('max-uploads') ?? pageMax), pageMax);
  const spell = (text: string): string =>
    query.get('encoding-type') === 'url' ? percentEncode(text, '/') : text;
  const all = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareUtf8(a.key, b.key) || a.startedMs - b.startedMs);
  // Uploads of one key are in the order of their start: the marker is a place in it, not a comparison of ids.
  const place = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest =
    place === -1 ? all.filter(({ key }) => compareUtf8(key, keyMarker) > 0) : all.slice(place + 1);
  const page = rest.slice(0, limit);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket.options.name,
    Prefix: spell(prefix),
    KeyMarker: spell(keyMarker),
    UploadIdMarker: idMarker ?? '',
    NextKeyMarker: last && spell(last.key),
    NextUploadIdMarker: last?.id,
    EncodingType: query.get('encoding-type'),
    MaxUploads: limit,
    IsTruncated: last !== undefined,
    Upload: page.map(({ key, id, startedMs }) => ({
      Key: spell(key),
      UploadId: id,
      StorageClass: 'STANDARD',
      Initiated: wholeSeconds(startedMs),
    })),
  });
}
