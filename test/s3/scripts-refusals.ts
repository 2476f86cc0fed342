/** Refusals: credentials, clocks, regions, redirects, endpoints that are none. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { LodeErrorCode } from '../../src/errors.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double } from '../../src/testing/index.ts';
import type { S3Double } from '../../src/testing/index.ts';
import { failsWith, sent, textAt, type WireScript } from './scene.ts';

const key = 'dir/object';
const id = 'AKIDSCRIPT';

const answered = (
  name: string,
  code: string,
  expected: Parameters<typeof failsWith>[1],
  field?: string,
): WireScript => ({
  name: `refused: ${name}`,
  rules: [{ times: 99, do: { effect: 'none', answer: { code } } }],
  async run({ store, double }) {
    const details = field === undefined ? {} : { field };
    await failsWith(store.get(key), expected, details);
    await failsWith(store.put(key, 'x'), expected, details);
    assert.equal(double.objects.size, 0);
  },
});

export const refusalScripts: readonly WireScript[] = [
  answered(
    'the access key is unknown',
    'InvalidAccessKeyId',
    'LODE_UNAUTHENTICATED',
    'credentials',
  ),
  answered(
    'the token has expired',
    'ExpiredToken',
    'LODE_UNAUTHENTICATED',
    'credentials.sessionToken',
  ),
  answered(
    'the clock is off, and stays so',
    'RequestTimeTooSkewed',
    'LODE_UNAUTHENTICATED',
    'clock',
  ),
  answered('access is denied', 'AccessDenied', 'LODE_PERMISSION_DENIED'),
  answered('not implemented', 'NotImplemented', 'LODE_UNSUPPORTED'),
  answered('a code nobody knows', 'Teapot', 'LODE_UNSUPPORTED'),
  answered('the bucket is elsewhere', 'PermanentRedirect', 'LODE_WRONG_ENDPOINT', 'region'),
  answered('the storage is full', 'QuotaExceeded', 'LODE_STORAGE_FULL'),
  answered('the key is too long', 'KeyTooLongError', 'LODE_INVALID_KEY'),
  answered('the body is too large', 'EntityTooLarge', 'LODE_LIMIT_EXCEEDED'),
  {
    name: 'wrong keys: the answer repeats the signature, the error does not',
    options: { credentials: { accessKeyId: id, secretAccessKey: 'wrong' } },
    run: ({ store }) =>
      failsWith(store.get(key), 'LODE_UNAUTHENTICATED', { actual: '403 SignatureDoesNotMatch' }),
  },
  {
    name: 'the clock is off: set right once, then right',
    async run({ store, double }) {
      double.stepClock(3_600_000);
      assert.equal((await store.put(key, 'x')).outcome, 'stored');
      assert.equal(await textAt(store, key), 'x');
      assert.equal(double.requests.length, 3);
    },
  },
  {
    name: 'the clock is off: known from HEAD too, which has no document',
    async run({ store, double }) {
      double.put(key, 'x');
      double.stepClock(-3_600_000);
      assert.equal((await store.head(key))?.size, 1);
    },
  },
  {
    name: 'the region is wrong: taken from the answer, once',
    options: { region: 'eu-west-1' },
    async run({ store, double }) {
      assert.equal((await store.put(key, 'x')).outcome, 'stored');
      assert.equal(await textAt(store, key), 'x');
      assert.equal(double.requests.length, 3);
    },
  },
  {
    name: 'the region is wrong, and the answer names none that is one',
    options: { region: 'eu-west-1' },
    rules: [
      {
        times: 99,
        do: {
          effect: 'none',
          answer: {
            status: 400,
            body: '<Error><Code>AuthorizationHeaderMalformed</Code><Region>evil.example/#</Region></Error>',
          },
        },
      },
    ],
    async run({ store, double }) {
      await failsWith(store.get(key), 'LODE_WRONG_ENDPOINT', { expected: undefined });
      assert.equal(double.requests.length, 1);
    },
  },
  ...[301, 302, 307, 308].map((status): WireScript => ({
    name: `${status} to another host is not followed: no credentials go there`,
    async run({ store, double }) {
      const trap = await s3Double({ credentials: 'anyone' });
      try {
        const location = `${trap.endpoint}/bucket/${key}`;
        double.script({
          times: 99,
          do: { effect: 'none', answer: { status, headers: { location }, body: '' } },
        });
        await failsWith(store.get(key), 'LODE_WRONG_ENDPOINT');
        await failsWith(store.put(key, 'x'), 'LODE_WRONG_ENDPOINT');
        assert.equal(trap.requests.length, 0);
      } finally {
        await trap.close();
      }
    },
  })),
  {
    name: 'temporary credentials that expire are asked for again, once',
    async run({ double, other }) {
      await other.put(key, 'x');
      let asked = 0;
      const store = s3Store({
        bucket: double.bucket,
        endpoint: double.endpoint,
        conditions: 'assume',
        credentials: () => ({
          accessKeyId: id,
          secretAccessKey: 'canary+secret/key',
          ...(asked++ === 0 && { sessionToken: 'old' }),
        }),
      });
      double.script({ on: 'GetObject', do: { effect: 'none', answer: { code: 'ExpiredToken' } } });
      assert.equal(await textAt(store, key), 'x');
      assert.equal(asked, 2);
      await store.close();
    },
  },
  {
    name: 'nobody listens: unreachable, known not to be sent',
    async run({ double }) {
      const { endpoint, bucket } = double;
      const closed = await s3Double();
      await closed.close();
      const store = s3Store({
        bucket,
        endpoint: closed.endpoint,
        credentials: { accessKeyId: id, secretAccessKey: 'x' },
        conditions: 'assume',
        attempts: 2,
        backoff: { baseDelayMs: 1 },
      });
      assert.notEqual(endpoint, closed.endpoint);
      await failsWith(store.get(key), 'LODE_UNREACHABLE');
      await failsWith(store.put(key, 'x'), 'LODE_UNREACHABLE');
    },
  },
  {
    name: 'TLS to a server that speaks none',
    async run({ double }) {
      const store = s3Store({
        bucket: double.bucket,
        endpoint: double.endpoint.replace('http:', 'https:'),
        credentials: { accessKeyId: id, secretAccessKey: 'x' },
      });
      await failsWith(store.get(key), 'LODE_TLS_FAILED');
      await store.close();
    },
  },
  {
    name: 'a server that speaks no HTTP',
    run: ({ double }) => strange(double, 'SSH-2.0-OpenSSH_9.6\r\n', 'LODE_INVALID_RESPONSE'),
  },
  {
    name: 'a server that wants to speak something else than HTTP',
    run: ({ double }) =>
      strange(
        double,
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        'LODE_UNAVAILABLE',
      ),
  },
  {
    name: 'keys of 1,023, 1,024 and 1,025 bytes',
    async run({ store, double }) {
      for (const bytes of [1023, 1024])
        assert.equal((await store.put('k'.repeat(bytes), 'x')).outcome, 'stored');
      await failsWith(store.put('k'.repeat(1025), 'x'), 'LODE_INVALID_KEY');
      assert.equal(sent(double, 'PutObject'), 2);
    },
  },
  {
    name: 'a prefix takes its share of the longest key',
    options: { prefix: 'team' },
    async run({ store, double }) {
      assert.equal(store.capabilities.keyBytesMax, 1019);
      assert.equal((await store.put('k'.repeat(1019), 'x')).outcome, 'stored');
      await failsWith(store.put('k'.repeat(1020), 'x'), 'LODE_INVALID_KEY');
      assert.equal(double.objects.size, 1);
    },
  },
  {
    name: 'a store that was closed',
    async run({ store }) {
      await store.close();
      await failsWith(store.get(key), 'LODE_CLOSED');
      await failsWith(store.put(key, 'x'), 'LODE_CLOSED');
    },
  },
];

/** Whatever is asked, the server says this and hangs up. */
async function strange(double: S3Double, says: string, code: LodeErrorCode): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(says));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as { port: number };
    const store = s3Store({
      bucket: double.bucket,
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: id, secretAccessKey: 'x' },
      conditions: 'assume',
      attempts: 2,
      backoff: { baseDelayMs: 1 },
    });
    await failsWith(store.get(key), code);
    await failsWith(store.put(key, 'x'), 'LODE_WRITE_UNCERTAIN');
    await store.close();
  } finally {
    server.close();
  }
}
