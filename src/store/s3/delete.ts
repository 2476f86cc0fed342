/** `delete`: one key is a request of its own, many go 1,000 to a request, each with a result of its own. */
import { nativeHash } from '#platform/hash.js';
import { sha256Hex } from '#platform/hmac.js';
import { utf8Encode } from '../../bytes/index.ts';
import type { LodeError } from '../../errors.ts';
import { forEachOf } from '../../parallel.ts';
import type { S3Client } from './client.ts';
import { base64OfHex } from './encode.ts';
import { failureOf, senseless } from './failures.ts';
import { readXml } from './list.ts';
import { childText, escapeXml } from './xml.ts';

const perRequest = 1000;
/** Requests under way at once. */
const width = 8;

/** The keys that could not be deleted, and why. */
export async function deleteObjects(
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, LodeError>> {
  const failures = new Map<string, LodeError>();
  // What XML cannot hold goes alone.
  const isOdd = (key: string): boolean => keys.length === 1 || /[\uFFFE\uFFFF]/.test(key);
  const alone = keys.filter(isOdd);
  await forEachOf(alone, width, async (key) => {
    const answer = await client.repeat({ method: 'DELETE', key, signal });
    if (answer.fault === undefined) answer.response.discard();
    else if (answer.fault.status !== 404 || answer.fault.code === 'NoSuchBucket') {
      const error = client.failure(answer, { key });
      if (keys.length === 1 && error.code !== 'LODE_PERMISSION_DENIED') throw error;
      failures.set(key, error);
    }
  });
  const rest = [...new Set(keys)].filter((key) => !isOdd(key));
  const batches: string[][] = [];
  for (let at = 0; at < rest.length; at += perRequest)
    batches.push(rest.slice(at, at + perRequest));
  await forEachOf(batches, width, async (batch) => {
    for (const [key, error] of await deleteBatch(client, batch, signal)) failures.set(key, error);
  });
  return failures;
}

async function deleteBatch(
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, LodeError>> {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`);
  const space = 'http://s3.amazonaws.com/doc/2006-03-01/';
  const body = utf8Encode(`<Delete xmlns="${space}">${objects.join('')}</Delete>`);
  const root = await readXml(client, 'DeleteResult', {
    method: 'POST',
    query: { delete: '' },
    headers: await digestOf(body),
    body,
    signal,
  });
  const open = new Set(keys);
  const failures = new Map<string, LodeError>();
  for (const element of root.children) {
    const key = childText(element, 'Key') ?? '';
    if (!open.delete(key)) continue;
    if (element.name === 'Deleted') continue;
    const code = childText(element, 'Code')?.trim() ?? '';
    if (code === 'NoSuchKey') continue;
    const shown = /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : '';
    const status = shown === 'AccessDenied' ? 403 : 500;
    failures.set(key, failureOf({ status, code: shown, region: undefined }, key));
  }
  for (const key of open) failures.set(key, senseless(key, 'the server did not say what it did'));
  return failures;
}

/** Batches must carry a digest: MD5 is what every server takes, SHA-256 what browsers can make. */
async function digestOf(body: Uint8Array): Promise<Record<string, string>> {
  return nativeHash === undefined
    ? { 'x-amz-checksum-sha256': base64OfHex(await sha256Hex(body)) }
    : { 'content-md5': base64OfHex(nativeHash('md5', body)) };
}
