/** Uploads that a crash left behind: invisible, and charged for until somebody aborts them. */
import { LodeError } from '../../errors.ts';
import type { CallOptions } from '../store.ts';
import type { S3Client } from './client.ts';
import { senseless } from './failures.ts';
import { readXml } from './list.ts';
import { abortUpload } from './multipart.ts';
import { childText, type XmlElement } from './xml.ts';

export interface SweepOptions extends CallOptions {
  /** Uploads begun longer ago than this are taken for abandoned. Default a week; at least an hour. */
  readonly olderThanMs?: number;
  /** Only tells which there are. */
  readonly dryRun?: boolean;
}

export interface AbandonedUpload {
  /** As the bucket has it, prefix included. */
  readonly key: string;
  readonly startedMs: number;
  /** `found` in a dry run. */
  readonly outcome: 'found' | 'aborted' | 'failed';
  readonly error?: LodeError;
}

const hourMs = 3_600_000;

/** Aborts abandoned uploads below `prefix`, one after the other, and yields what became of each. */
export async function* sweepUploads(
  client: S3Client,
  prefix: string,
  options: SweepOptions,
): AsyncGenerator<AbandonedUpload> {
  const { olderThanMs = 7 * 24 * hourMs, dryRun = false, signal } = options;
  if (!(olderThanMs >= hourMs)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'an upload that young may be under way', {
      field: 'olderThanMs',
      expected: `${hourMs} or more`,
      actual: String(olderThanMs),
    });
  }
  let marker: Record<string, string> | undefined = {};
  while (marker !== undefined) {
    const page: XmlElement = await readXml(client, 'ListMultipartUploadsResult', {
      method: 'GET',
      query: { uploads: '', 'max-uploads': '1000', ...(prefix !== '' && { prefix }), ...marker },
      signal,
    });
    for (const upload of page.children) {
      if (upload.name !== 'Upload') continue;
      const key = childText(upload, 'Key') ?? '';
      const id = childText(upload, 'UploadId') ?? '';
      const startedMs = Date.parse(childText(upload, 'Initiated') ?? '');
      if (!key.startsWith(prefix) || !(client.nowMs() - startedMs > olderThanMs)) continue;
      signal?.throwIfAborted();
      if (dryRun) yield { key, startedMs, outcome: 'found' };
      else {
        const error = await abortUpload(client, key, id);
        yield error === undefined
          ? { key, startedMs, outcome: 'aborted' }
          : { key, startedMs, outcome: 'failed', error };
      }
    }
    marker = nextOf(client, page, marker);
  }
}

function nextOf(
  client: S3Client,
  page: XmlElement,
  before: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  if (childText(page, 'IsTruncated') !== 'true') return undefined;
  const key = childText(page, 'NextKeyMarker') ?? '';
  const id = childText(page, 'NextUploadIdMarker') ?? '';
  if (key === '' || (key === before['key-marker'] && id === before['upload-id-marker']))
    throw senseless(client.bucket, 'the server lists uploads in circles');
  return { 'key-marker': key, 'upload-id-marker': id };
}
