/** At risk: every request. Signatures equal the worked examples in AWS's documentation of Signature Version 4 for S3. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as node from '../../../../src/platform/node/hmac.ts';
import * as web from '../../../../src/platform/web/hmac.ts';
import { canonicalQuery, uriEncodeKey } from '../../../../src/store/s3/encode.ts';
import { Signer } from '../../../../src/store/s3/sign.ts';
import { utf8Encode } from '../../../../src/bytes/index.ts';

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const at = Date.UTC(2013, 4, 24);
const host = 'examplebucket.s3.amazonaws.com';

const examples = [
  {
    name: 'a range of an object',
    request: { method: 'GET', path: '/test.txt', headers: { host, range: 'bytes=0-9' } },
    signed: 'host;range;x-amz-content-sha256;x-amz-date',
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'a put whose key needs encoding',
    request: {
      method: 'PUT',
      path: `/${uriEncodeKey('test$file.text')}`,
      headers: {
        host,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      body: utf8Encode('Welcome to Amazon S3.'),
    },
    signed: 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'a parameter without a value',
    request: { method: 'GET', path: '/', query: { lifecycle: '' }, headers: { host } },
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'several parameters',
    request: {
      method: 'GET',
      path: '/',
      query: { prefix: 'J', 'max-keys': '2' },
      headers: { host },
    },
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

describe('a signature', () => {
  for (const { name, request, signed, signature } of examples) {
    it(`is that of the example: ${name}`, async () => {
      const { query = {}, body, ...rest } = { body: undefined, ...request };
      const unsigned = { ...rest, query: canonicalQuery(query), body };
      const headers: Record<string, string> = { ...rest.headers };
      await new Signer().sign({ ...unsigned, headers }, credentials, 'us-east-1', at);
      assert.equal(
        headers['authorization'],
        `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20130524/us-east-1/s3/aws4_request, ` +
          `SignedHeaders=${signed}, Signature=${signature}`,
      );
    });
  }

  it('follows the day, the region and the secret, though its key is kept', async () => {
    const signer = new Signer();
    const request = { method: 'GET', path: '/', query: '', headers: { host }, body: undefined };
    const day = 86_400_000;
    const other = { ...credentials, secretAccessKey: 'another' };
    const variants = [
      [credentials, 'us-east-1', at],
      [credentials, 'us-east-1', at + day],
      [credentials, 'eu-west-1', at],
      [other, 'us-east-1', at],
    ] as const;
    for (const [who, region, time] of [...variants, ...variants]) {
      const [kept, fresh] = [{ ...request.headers }, { ...request.headers }];
      await signer.sign({ ...request, headers: kept }, who, region, time);
      await new Signer().sign({ ...request, headers: fresh }, who, region, time);
      assert.deepEqual(kept, fresh);
    }
  });

  it('covers the session token and the conditions', async () => {
    const request = {
      method: 'PUT',
      path: '/k',
      query: '',
      headers: { host, 'if-none-match': '*' },
      body: undefined,
    };
    const who = { ...credentials, sessionToken: 'token' };
    const headers: Record<string, string> = { ...request.headers };
    await new Signer().sign({ ...request, headers }, who, 'us-east-1', at);
    assert.match(
      headers['authorization'] ?? '',
      /SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
    );
  });
});

describe('hashes of browsers', () => {
  it('are those of Node', async () => {
    const key = utf8Encode('key');
    for (const text of ['', 'ü', 'x'.repeat(1000)]) {
      assert.equal(await web.sha256Hex(text), await node.sha256Hex(text));
      assert.equal(await web.hmacSha256Hex(key, text), await node.hmacSha256Hex(key, text));
      const [theirs, ours] = [await node.hmacSha256(key, text), await web.hmacSha256(key, text)];
      assert.deepEqual(new Uint8Array(theirs), ours);
    }
  });
});
