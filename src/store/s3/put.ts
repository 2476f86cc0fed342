/**
 * `put`: one request for what fits in memory's allowance, parts for what does not.
 *
 * Bodies are in memory before they are sent, a part of them at least: every request can be sent again, and none announces a
 * length it will not keep.
 */
import {
  byteSource,
  concat,
  measured,
  readSource,
  type ByteInput,
  type ByteSource,
} from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import { checkMode } from '../mode.ts';
import type { PutOptions, PutResult } from '../store.ts';
import type { S3Client } from './client.ts';
import { putInParts } from './multipart.ts';
import { isStrong, noStrongEtag, Write } from './write.ts';

export async function putObject(
  client: S3Client,
  key: string,
  body: ByteInput,
  options: PutOptions,
): Promise<PutResult> {
  const mode = checkMode(options.mode);
  const source = byteSource(body);
  const { signal } = options;
  if (options.beforePublish !== undefined) {
    throw new LodeError('LODE_UNSUPPORTED', 'a bucket has no guarded put', {
      key,
      field: 'beforePublish',
    });
  }
  signal?.throwIfAborted();
  if (typeof mode === 'object') {
    if (mode.ifMatch.startsWith('W/')) throw noStrongEtag(key, mode.ifMatch);
    // No object has such an etag, and no header could hold it.
    if (!isStrong(mode.ifMatch) || !/^[\x20-\x7e]+$/.test(mode.ifMatch))
      return { outcome: 'conflict' };
  }
  const { partBytes, parallelParts } = client.settings;
  const atOnceMax = partBytes * parallelParts;
  const write = new Write({ client, env: client.env, key, mode, signal });
  if ((source.bytes?.length ?? source.size ?? Number.POSITIVE_INFINITY) <= atOnceMax)
    return putWhole(client, write, source.bytes ?? (await readSource(source, signal)));
  if (source.size !== undefined) return putInParts(client, write, source);
  const start = await readStart(source, partBytes, signal);
  if (start.rest === undefined) return putWhole(client, write, start.bytes);
  return putInParts(client, write, start.rest);
}

async function putWhole(client: S3Client, write: Write, body: Uint8Array): Promise<PutResult> {
  const send = async (): Promise<PutResult> => {
    for (let failures = 0; ;) {
      const { key, signal, headers } = write;
      const reply = await write.attempt({ method: 'PUT', headers, body }, failures > 0);
      if (reply.lost === undefined && reply.fault === undefined) {
        reply.response.discard();
        return write.stored(reply.response.header('etag'));
      }
      const verdict = await write.judge(reply);
      if (verdict !== 'again') return verdict;
      if (++failures >= client.settings.attempts) return write.exhausted(reply);
      await client.pause(failures, { key, signal, error: client.failure(reply, write) });
    }
  };
  write.repeat = send;
  return send();
}

/** Reads a stream of unknown length up to a part's size: all of it, or a source that begins with what was read. */
async function readStart(
  source: ByteSource,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly rest: ByteSource | undefined }> {
  const iterator = measured(source, signal)[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  for (let size = 0; ;) {
    const step = await iterator.next();
    if (step.done === true) return { bytes: concat(held), rest: undefined };
    // A producer may reuse its buffer for the next chunk.
    held.push(new Uint8Array(step.value));
    size += step.value.length;
    if (size <= bytesMax) continue;
    if (source.replayable) {
      await iterator.return(undefined);
      return { bytes: new Uint8Array(0), rest: source };
    }
    const stream = (): AsyncIterable<Uint8Array> => continued(held, iterator);
    return { bytes: new Uint8Array(0), rest: { size: undefined, replayable: false, stream } };
  }
}

async function* continued(
  held: Uint8Array[],
  iterator: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) yield chunk;
  yield* iterator;
}
