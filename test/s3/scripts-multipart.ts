/** Bodies in parts: conditional at completion, aborted whenever something fails. */
import assert from 'node:assert/strict';
import type { S3Act, S3Double, S3Operation } from '../../src/testing/index.ts';
import { failsWith, sent, type WireScript } from './scene.ts';

const key = 'dir/large';
const partBytes = 5 * 1024 * 1024;
const options = { partBytes, parallelParts: 2 };
const size = partBytes * 2 + 1000;

/** Three parts; a stream has no length and cannot be read again. */
async function* streamed(): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(100_003);
  for (let left = size; left > 0; left -= chunk.length) {
    chunk.fill(left % 251);
    yield chunk.subarray(0, Math.min(left, chunk.length));
  }
}

async function whole(): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of streamed()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function stored(double: S3Double): Promise<void> {
  assert.deepEqual(double.objects.get(key)?.body, await whole());
  assert.equal(double.uploads.size, 0);
}

const survives = (name: string, on: S3Operation, acts: S3Act | readonly S3Act[]): WireScript => ({
  name: `parts: ${name}`,
  options,
  rules: [{ on, do: acts }],
  async run({ store, double }) {
    const result = await store.put(key, streamed());
    assert.equal(result.outcome, 'stored');
    assert.equal(result.etag, double.objects.get(key)?.etag);
    await stored(double);
  },
});

const failing = (
  name: string,
  on: S3Operation,
  act: S3Act,
  code: Parameters<typeof failsWith>[1],
): WireScript => ({
  name: `parts: ${name}`,
  options,
  rules: [{ on, times: 99, do: act }],
  async run({ store, double }) {
    await failsWith(store.put(key, streamed()), code);
    assert.deepEqual([double.uploads.size, double.objects.size], [0, 0]);
  },
});

const error = (code: string): S3Act => ({
  effect: 'none',
  answer: { status: 200, body: `<?xml version="1.0"?>\n \n<Error><Code>${code}</Code></Error>` },
});

export const multipartScripts: readonly WireScript[] = [
  survives('all goes well', 'Other', {}),
  survives('a part is answered 500', 'UploadPart', { answer: { code: 'InternalError' } }),
  survives('the answer to a part is lost', 'UploadPart', { cut: { head: 10 } }),
  survives('the beginning is answered 503', 'CreateMultipartUpload', {
    effect: 'none',
    answer: { code: 'SlowDown' },
  }),
  survives('the answer to the completion is lost', 'CompleteMultipartUpload', { cut: { head: 0 } }),
  survives('the answer to the completion is cut in its body', 'CompleteMultipartUpload', {
    cut: { body: 30 },
  }),
  survives('the completion is answered 200 with an error, then done', 'CompleteMultipartUpload', [
    error('InternalError'),
    error('SlowDown'),
  ]),
  survives('the completion happens, and is answered 500', 'CompleteMultipartUpload', {
    answer: { code: 'InternalError' },
  }),
  failing(
    'the completion fails to the end',
    'CompleteMultipartUpload',
    error('SlowDown'),
    'LODE_UNAVAILABLE',
  ),
  failing(
    'a part is refused',
    'UploadPart',
    { effect: 'none', answer: { code: 'AccessDenied' } },
    'LODE_PERMISSION_DENIED',
  ),
  failing(
    'a part has no etag',
    'UploadPart',
    { answer: { headers: { etag: undefined } } },
    'LODE_INVALID_RESPONSE',
  ),
  failing(
    'the completion is refused',
    'CompleteMultipartUpload',
    error('AccessDenied'),
    'LODE_PERMISSION_DENIED',
  ),
  failing(
    'the completion says that a part is missing',
    'CompleteMultipartUpload',
    error('InvalidPart'),
    'LODE_UNSUPPORTED',
  ),
  failing(
    '409 at completion, and the body cannot be read again',
    'CompleteMultipartUpload',
    {
      effect: 'none',
      answer: { code: 'ConditionalRequestConflict' },
    },
    'LODE_UNAVAILABLE',
  ),
  {
    name: 'parts: 409 at completion: all is uploaded again',
    options,
    rules: [
      {
        on: 'CompleteMultipartUpload',
        do: { effect: 'none', answer: { code: 'ConditionalRequestConflict' } },
      },
    ],
    async run({ store, double }) {
      assert.equal((await store.put(key, await whole())).outcome, 'stored');
      await stored(double);
      assert.equal(sent(double, 'CreateMultipartUpload'), 2);
    },
  },
  {
    name: 'parts: a create that is lost already sends no part',
    options,
    async run({ store, double }) {
      double.put(key, 'theirs');
      const { outcome, etag } = await store.put(key, streamed());
      assert.deepEqual([outcome, etag], ['conflict', double.objects.get(key)?.etag]);
      assert.equal(double.requests.length, 1);
    },
  },
  ...(['create', 'ifMatch'] as const).map((mode): WireScript => ({
    name: `parts: ${mode} that is lost at completion`,
    options,
    async run({ store, double }) {
      if (mode === 'ifMatch') double.put(key, 'before');
      const etag = double.objects.get(key)?.etag ?? '';
      double.script({
        on: 'CompleteMultipartUpload',
        do: {
          serve(request, run) {
            double.put(key, 'theirs');
            return run(request);
          },
        },
      });
      const how = mode === 'create' ? mode : { ifMatch: etag };
      assert.equal((await store.put(key, streamed(), { mode: how })).outcome, 'conflict');
      assert.equal(double.text(key), 'theirs');
      assert.equal(double.uploads.size, 0);
    },
  })),
  {
    name: 'parts: the body fails half-way',
    options,
    async run({ store, double }) {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(partBytes + 10);
        throw new Error('tape torn');
      }
      await assert.rejects(store.put(key, broken()), { message: 'tape torn' });
      assert.deepEqual([double.uploads.size, double.objects.size], [0, 0]);
    },
  },
  {
    name: 'parts: an abort by the caller while a part hangs',
    options: { ...options, timeoutMs: 5000 },
    rules: [{ on: 'UploadPart', do: { hang: true } }],
    async run({ store, double }) {
      const stop = new AbortController();
      const put = store.put(key, streamed(), { signal: stop.signal });
      setTimeout(() => stop.abort('enough'), 100);
      await assert.rejects(put, (reason) => reason === 'enough');
      assert.deepEqual([double.uploads.size, double.objects.size], [0, 0]);
    },
  },
  {
    name: 'parts: a body longer than it declared',
    options: { ...options, parallelParts: 1 },
    async run({ store, double }) {
      const source = { size: size - 1, replayable: false, stream: streamed };
      await failsWith(store.put(key, source), 'LODE_INVALID_ARGUMENT', { field: 'body' });
      assert.deepEqual([double.uploads.size, double.objects.size], [0, 0]);
    },
  },
  {
    name: 'parts: a body too large for any object is refused before anything is sent',
    async run({ store, double }) {
      const source = { size: 6 * 1024 ** 4, replayable: false, stream: streamed };
      await failsWith(store.put(key, source), 'LODE_LIMIT_EXCEEDED');
      assert.equal(double.requests.length, 0);
    },
  },
  {
    name: 'parts: abandoned uploads are found, kept while young, and aborted',
    options: { ...options, prefix: 'dir' },
    rules: [
      {
        on: 'AbortMultipartUpload',
        times: 4,
        do: { effect: 'none', answer: { code: 'AccessDenied' } },
      },
    ],
    async run({ store, double, other }) {
      double.script({
        on: 'UploadPart',
        times: 9,
        do: { effect: 'none', answer: { code: 'AccessDenied' } },
      });
      double.stepClock(-9 * 86_400_000);
      await failsWith(store.put('large', streamed()), 'LODE_PERMISSION_DENIED');
      double.stepClock(9 * 86_400_000);
      await failsWith(store.put('young', streamed()), 'LODE_PERMISSION_DENIED');
      assert.equal(double.uploads.size, 2);
      double.clear();
      const swept = async (from: typeof store, dryRun: boolean): Promise<string[]> => {
        const found: string[] = [];
        for await (const { key: name, outcome } of from.abortAbandonedUploads({ dryRun }))
          found.push(`${name} ${outcome}`);
        return found;
      };
      assert.deepEqual(await swept(other, true), ['dir/large found']);
      assert.deepEqual(await swept(store, false), ['dir/large aborted']);
      assert.equal(double.uploads.size, 1);
    },
  },
];
