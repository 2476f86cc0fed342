/**
 * `list`: pages of ListObjectsV2, one at a time. Order is checked, not trusted: history and diffs rest on it.
 *
 * Keys that no Lode store can hold (a trailing slash, empty parts) are somebody else's and left out.
 */
import { compareUtf8 } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { normaliseKey, normalisePrefix } from '../key.ts';
import type { CommonPrefix, ListOptions, ObjectInfo } from '../store.ts';
import { readBody, type S3Client, type S3Request } from './client.ts';
import { senseless } from './failures.ts';
import { childText, parseXml, xmlBytesMax, type XmlElement } from './xml.ts';

type Entry = ObjectInfo | CommonPrefix;

export async function* listObjects(
  client: S3Client,
  given: string,
  options: ListOptions,
): AsyncGenerator<Entry> {
  const prefix = normalisePrefix(given);
  const { startAfter = '', delimiter, signal } = options;
  signal?.throwIfAborted();
  let last = startAfter;
  for (let token: string | undefined, more = true; more;) {
    const page = await readXml(client, 'ListBucketResult', {
      method: 'GET',
      query: {
        'list-type': '2',
        'encoding-type': 'url',
        'max-keys': '1000',
        ...(prefix !== '' && { prefix }),
        ...(delimiter !== undefined && { delimiter }),
        ...(token !== undefined && { 'continuation-token': token }),
        // Until the first page is there; tokens know the rest.
        ...(token === undefined && startAfter !== '' && { 'start-after': startAfter }),
      },
      signal,
    });
    for (const entry of entriesOf(page, prefix)) {
      const name = nameOf(entry);
      // Folding may bring up what `startAfter` lies in.
      if (compareUtf8(name, startAfter) <= 0 && startAfter !== '') continue;
      if (compareUtf8(name, last) <= 0 && last !== '')
        throw senseless(name, 'the server does not list in key order');
      last = name;
      signal?.throwIfAborted();
      if ('prefix' in entry || isKey(name)) yield entry;
    }
    const next = childText(page, 'NextContinuationToken');
    more = childText(page, 'IsTruncated') === 'true';
    if (more && (next === undefined || next === token))
      throw senseless(client.bucket, 'the server lists in circles');
    token = next;
  }
}

/** An answer whose body is a document of that name; hostile and broken ones are typed errors. */
export async function readXml(
  client: S3Client,
  name: string,
  request: S3Request,
): Promise<XmlElement> {
  for (let failures = 0; ;) {
    const answer = await client.repeat(request);
    if (answer.fault !== undefined) throw client.failure(answer, request);
    let size = 0;
    const body = await readBody(answer.response, xmlBytesMax, (bytes) => (size = bytes));
    request.signal?.throwIfAborted();
    const root = body && parseXml(body);
    if (root?.name === name) return root;
    if (body !== undefined || size > xmlBytesMax)
      throw senseless(client.bucket, `the server sent no ${name} document`, size);
    if (++failures >= client.settings.attempts)
      throw new LodeError('LODE_UNAVAILABLE', `no ${name} document came through whole`, {
        key: client.bucket,
      });
    await client.pause(failures, request);
  }
}

/** Objects and folded prefixes come apart and are merged: each is in order by itself. */
function entriesOf(page: XmlElement, prefix: string): Entry[] {
  // Servers that do not know the parameter do not repeat it.
  const read = childText(page, 'EncodingType') === 'url' ? decoded : plain;
  const objects: Entry[] = [];
  const folded: Entry[] = [];
  for (const element of page.children) {
    if (element.name === 'Contents') objects.push(objectOf(element, read));
    else if (element.name === 'CommonPrefixes')
      folded.push({ prefix: read(childText(element, 'Prefix')) });
  }
  for (const entry of [...objects, ...folded])
    if (!nameOf(entry).startsWith(prefix))
      throw senseless(nameOf(entry), 'the server listed what was not asked for');
  if (folded.length === 0) return objects;
  const merged: Entry[] = [];
  let at = 0;
  for (const entry of folded) {
    for (
      let next = objects[at];
      next && compareUtf8(nameOf(next), nameOf(entry)) < 0;
      next = objects[at]
    ) {
      merged.push(next);
      at++;
    }
    merged.push(entry);
  }
  return [...merged, ...objects.slice(at)];
}

function objectOf(element: XmlElement, read: typeof decoded): ObjectInfo {
  const key = read(childText(element, 'Key'));
  const size = childText(element, 'Size') ?? '';
  const etag = childText(element, 'ETag') ?? '';
  const lastModifiedMs = Date.parse(childText(element, 'LastModified') ?? '');
  if (!/^\d{1,16}$/.test(size) || etag === '' || Number.isNaN(lastModifiedMs))
    throw senseless(key, 'the server listed an object without size, etag or time');
  // As `get` and `head` tell it: whole seconds, since headers have no more.
  return {
    key,
    size: Number(size),
    etag,
    lastModifiedMs: Math.floor(lastModifiedMs / 1000) * 1000,
  };
}

function decoded(text: string | undefined): string {
  try {
    if (text !== undefined) return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Said below.
  }
  throw senseless(text ?? '', 'the server listed a name that is not encoded as asked');
}

function plain(text: string | undefined): string {
  if (text !== undefined) return text;
  throw senseless('', 'the server listed something without a name');
}

function nameOf(entry: Entry): string {
  return 'prefix' in entry ? entry.prefix : entry.key;
}

function isKey(name: string): boolean {
  try {
    return normaliseKey(name) === name;
  } catch {
    return false;
  }
}
