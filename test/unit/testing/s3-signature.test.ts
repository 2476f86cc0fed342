/** At risk: a signer that only our own checker accepts. The double is held to the examples AWS publishes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  s3Double,
  virtualEnv,
  type S3Credentials,
  type S3Double,
  type S3DoubleOptions,
} from '../../../src/testing/index.ts';
import { codeIn, elementsIn, send, type Received, type Sent } from '../../s3/wire.ts';

/** From "Signature Calculations for the Authorization Header" in the API reference of Amazon S3. */
const published = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const examples: readonly (Omit<Sent, 'sign'> & {
  readonly signedHeaders: string;
  readonly signature: string;
})[] = [
  {
    method: 'GET',
    path: '/test.txt',
    headers: { range: 'bytes=0-9', 'x-amz-content-sha256': empty },
    signedHeaders: 'host;range;x-amz-content-sha256;x-amz-date',
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    method: 'PUT',
    path: '/test$file.text',
    body: 'Welcome to Amazon S3.',
    headers: {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
    signedHeaders: 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    method: 'GET',
    path: '/?lifecycle',
    headers: { 'x-amz-content-sha256': empty },
    signedHeaders: 'host;x-amz-content-sha256;x-amz-date',
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    method: 'GET',
    path: '/?max-keys=2&prefix=J',
    headers: { 'x-amz-content-sha256': empty },
    signedHeaders: 'host;x-amz-content-sha256;x-amz-date',
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

describe('published examples', () => {
  const ask = async (change: (authorization: string) => string): Promise<Received[]> => {
    const env = { ...virtualEnv(), now: () => BigInt(Date.UTC(2013, 4, 24)) * 1_000_000n };
    await using double = await s3Double({
      bucket: 'examplebucket',
      hosts: ['s3.amazonaws.com'],
      credentials: [published],
      env,
    });
    double.put('test.txt', '0123456789abcdef');
    const answers: Received[] = [];
    for (const { signedHeaders, signature, ...sent } of examples) {
      const authorization =
        `AWS4-HMAC-SHA256 Credential=${published.accessKeyId}/20130524/us-east-1/s3/aws4_request,` +
        `SignedHeaders=${signedHeaders},Signature=${signature}`;
      const headers = {
        host: 'examplebucket.s3.amazonaws.com',
        'x-amz-date': '20130524T000000Z',
        ...sent.headers,
        authorization: change(authorization),
      };
      answers.push(await send(double, { ...sent, headers, sign: false }));
    }
    return answers;
  };

  it('are accepted', async () => {
    const answers = await ask((authorization) => authorization);
    assert.deepEqual(
      answers.map((answer) => codeIn(answer) ?? answer.status),
      [206, 200, 'NotImplemented', 'NotImplemented'],
    );
    assert.equal(answers[0]?.body, '0123456789');
  });

  it('are refused with another last digit', async () => {
    const last = (authorization: string): string =>
      authorization.slice(0, -1) + (authorization.endsWith('0') ? '1' : '0');
    for (const answer of await ask(last))
      assert.deepEqual([answer.status, codeIn(answer)], [403, 'SignatureDoesNotMatch']);
  });
});

describe('a signature', () => {
  const get = async (
    sign: Sent['sign'],
    options: S3DoubleOptions = {},
    more: Partial<Sent> = {},
    before: (double: S3Double) => void = () => {},
  ): Promise<Received> => {
    await using double = await s3Double(options);
    double.put('a b/é', 'content');
    before(double);
    return await send(double, {
      method: 'GET',
      path: '/bucket/a%20b/%C3%A9',
      ...more,
      ...(sign && { sign }),
    });
  };
  const verdict = ({ status }: Received, code: string | undefined): unknown[] => [status, code];
  const wanted = async (
    answer: Promise<Received>,
    status: number,
    code?: string,
  ): Promise<Received> => {
    const received = await answer;
    assert.deepEqual(verdict(received, codeIn(received)), [status, code]);
    return received;
  };
  const session: S3Credentials = {
    accessKeyId: 'ASIASESSION',
    secretAccessKey: 'secret',
    sessionToken: 'token/with+signs==',
  };

  it('by the right key is accepted, whatever the key of the object', async () => {
    assert.equal((await wanted(get({}), 200)).body, 'content');
    await wanted(get({ payload: 'UNSIGNED-PAYLOAD' }), 200);
    await wanted(get({}, { credentials: [session] }), 200);
    const query = '/bucket?encoding-type=url&list-type=2&prefix=a%20b%2F';
    await wanted(get({}, {}, { path: query }), 200);
  });

  it('is wanted', async () => {
    await wanted(get(undefined, {}, { sign: false }), 403, 'AccessDenied');
    const headers = { authorization: 'Basic eDp5' };
    await wanted(get(undefined, {}, { sign: false, headers }), 400, 'AuthorizationHeaderMalformed');
  });

  it('by an unknown or wrong key is refused', async () => {
    const unknown = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'x' };
    await wanted(get({ credentials: unknown }), 403, 'InvalidAccessKeyId');
    const wrong = { accessKeyId: 'AKIDDOUBLE', secretAccessKey: 'x' };
    const answer = await wanted(get({ credentials: wrong }), 403, 'SignatureDoesNotMatch');
    assert.match(answer.body, /<CanonicalRequest>GET\n\/bucket\/a%20b\/%C3%A9/);
  });

  it('for another region is told the right one', async () => {
    const answer = await wanted(get({ region: 'eu-west-1' }), 400, 'AuthorizationHeaderMalformed');
    assert.deepEqual(elementsIn(answer, 'Region'), ['us-east-1']);
  });

  it('with a wrong, missing or expired token is refused', async () => {
    const { sessionToken: _, ...bare } = session;
    const options = { credentials: [session] };
    await wanted(get({ credentials: bare }, options), 400, 'InvalidToken');
    const other = { ...session, sessionToken: 'other' };
    await wanted(get({ credentials: other }, options), 400, 'InvalidToken');
    const expired = { credentials: [{ ...session, expiresMs: Date.now() - 1 }] };
    await wanted(get({}, expired), 400, 'ExpiredToken');
  });

  it('more than 15 minutes off is refused, with the time of the server', async () => {
    const step = (ms: number) => (double: S3Double) => double.stepClock(ms);
    await wanted(get({}, {}, {}, step(14 * 60_000)), 200);
    for (const ms of [16 * 60_000, -16 * 60_000]) {
      const answer = await wanted(get({}, {}, {}, step(ms)), 403, 'RequestTimeTooSkewed');
      assert.deepEqual(elementsIn(answer, 'MaxAllowedSkewMilliseconds'), ['900000']);
      assert.ok(Math.abs(Date.parse(answer.headers.date ?? '') - Date.now() - ms) < 60_000);
    }
  });

  it('has to cover host and x-amz headers', async () => {
    for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256'])
      await wanted(get({ unsigned: [name] }), 403, 'AccessDenied');
  });

  it('covers the body', async () => {
    const put = { method: 'PUT', body: 'hello' };
    await wanted(get({}, {}, put), 200);
    await wanted(get({ payload: empty }, {}, put), 400, 'XAmzContentSHA256Mismatch');
    await wanted(get({ payload: 'UNSIGNED-PAYLOAD' }, {}, put), 200);
    const chunked = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    await wanted(get({ payload: chunked }, {}, put), 501, 'NotImplemented');
  });
});
