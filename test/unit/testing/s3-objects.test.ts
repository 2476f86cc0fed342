/** At risk: every test of the S3 adapter. What the double answers to plain requests is what AWS documents, written out by hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { s3Double, type S3Double } from '../../../src/testing/index.ts';
import { codeIn, elementsIn, send, type Received, type Sent } from '../../s3/wire.ts';

let double: S3Double;
beforeEach(async () => {
  double = await s3Double({ credentials: 'anyone', partBytesMin: 4 });
});
afterEach(() => double.close());

const ask = (line: string, more: Partial<Sent> = {}): Promise<Received> => {
  const [method = '', path = ''] = line.split(' ');
  return send(double, { method, path, sign: false, ...more });
};

const md5 = (text: string, encoding: 'hex' | 'base64' = 'hex'): string =>
  createHash('md5').update(text).digest(encoding);

describe('put', () => {
  it('stores and answers the quoted MD5, no body', async () => {
    const put = await ask('PUT /bucket/a/b', { body: 'hello' });
    assert.deepEqual([put.status, put.body], [200, '']);
    assert.equal(put.headers.etag, '"5d41402abc4b2a76b9719d911017c592"');
    assert.match(put.headers['x-amz-request-id'] as string, /^[0-9A-F]{16}$/);
    assert.ok(Date.parse(put.headers.date ?? '') > 0);
    assert.equal(double.text('a/b'), 'hello');
  });

  it('create: stored once, then 412 PreconditionFailed', async () => {
    const headers = { 'if-none-match': '*' };
    assert.equal((await ask('PUT /bucket/k', { body: '1', headers })).status, 200);
    const second = await ask('PUT /bucket/k', { body: '2', headers });
    assert.deepEqual([second.status, codeIn(second)], [412, 'PreconditionFailed']);
    assert.deepEqual(elementsIn(second, 'Condition'), ['If-None-Match']);
    assert.equal(double.text('k'), '1');
  });

  it('If-None-Match of an etag is not implemented', async () => {
    const answer = await ask('PUT /bucket/k', { headers: { 'if-none-match': '"x"' } });
    assert.deepEqual([answer.status, codeIn(answer)], [501, 'NotImplemented']);
  });

  it('If-Match: 404 on a missing key, 412 on another etag, stored on the same', async () => {
    const put = (etag: string): Promise<Received> =>
      ask('PUT /bucket/k', { body: 'new', headers: { 'if-match': etag } });
    const missing = await put('"x"');
    assert.deepEqual([missing.status, codeIn(missing)], [404, 'NoSuchKey']);
    double.put('k', 'old');
    assert.equal((await put('"x"')).status, 412);
    assert.equal((await put(`W/"${md5('old')}"`)).status, 412);
    assert.equal(double.text('k'), 'old');
    assert.equal((await put(`"${md5('old')}"`)).status, 200);
    assert.equal(double.text('k'), 'new');
  });

  it('checks Content-MD5', async () => {
    const wrong = await ask('PUT /bucket/k', {
      body: 'hello',
      headers: { 'content-md5': md5('other', 'base64') },
    });
    assert.deepEqual([wrong.status, codeIn(wrong)], [400, 'BadDigest']);
    const right = await ask('PUT /bucket/k', {
      body: 'hello',
      headers: { 'content-md5': md5('hello', 'base64') },
    });
    assert.equal(right.status, 200);
  });

  it('wants a length', async () => {
    const headers = { 'transfer-encoding': 'chunked' };
    const answer = await ask('PUT /bucket/k', { body: 'x', headers });
    assert.deepEqual([answer.status, codeIn(answer)], [411, 'MissingContentLength']);
  });

  it('keeps keys of 1,024 bytes, refuses 1,025 and paths that are not UTF-8', async () => {
    assert.equal((await ask(`PUT /bucket/${'k'.repeat(1024)}`)).status, 200);
    const long = await ask(`PUT /bucket/${'k'.repeat(1025)}`);
    assert.deepEqual([long.status, codeIn(long)], [400, 'KeyTooLongError']);
    const invalid = await ask('PUT /bucket/%ff');
    assert.deepEqual([invalid.status, codeIn(invalid)], [400, 'InvalidURI']);
  });

  it('decodes keys: a plus is a space', async () => {
    await ask('PUT /bucket/a+b%2Bc%20d/%C3%A9');
    assert.deepEqual([...double.objects.keys()], ['a b+c d/é']);
  });

  it('keeps user metadata up to 2 KiB', async () => {
    const headers = { 'x-amz-meta-Write-Id': 'w1', 'content-type': 'text/plain' };
    await ask('PUT /bucket/k', { body: 'x', headers });
    const head = await ask('HEAD /bucket/k');
    assert.equal(head.headers['x-amz-meta-write-id'], 'w1');
    assert.equal(head.headers['content-type'], 'text/plain');
    const large = await ask('PUT /bucket/k', { headers: { 'x-amz-meta-a': 'x'.repeat(2048) } });
    assert.deepEqual([large.status, codeIn(large)], [400, 'MetadataTooLarge']);
  });

  it('etags of versions differ for the same bytes', async () => {
    await using versions = await s3Double({ credentials: 'anyone', etags: 'version' });
    const put = (): Promise<Received> =>
      send(versions, { method: 'PUT', path: '/bucket/k', body: 'x', sign: false });
    const [first, second] = [await put(), await put()];
    assert.notEqual(first.headers.etag, second.headers.etag);
  });
});

describe('get', () => {
  beforeEach(() => double.put('k', '0123456789'));
  const range = (value: string): Promise<Received> =>
    ask('GET /bucket/k', { headers: { range: value } });

  it('answers content and facts', async () => {
    const got = await ask('GET /bucket/k');
    assert.deepEqual([got.status, got.body], [200, '0123456789']);
    assert.equal(got.headers.etag, `"${md5('0123456789')}"`);
    assert.equal(got.headers['content-length'], '10');
    assert.equal(got.headers['accept-ranges'], 'bytes');
    assert.match(got.headers['last-modified'] ?? '', / GMT$/);
  });

  const ranges: readonly (readonly [string, number, string, string | undefined])[] = [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=9-', 206, '9', 'bytes 9-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
  ];
  for (const [value, status, body, contentRange] of ranges)
    it(`${value} answers ${status} ${body}`, async () => {
      const got = await range(value);
      assert.deepEqual([got.status, got.body], [status, body]);
      assert.equal(got.headers['content-range'], contentRange);
    });

  it('a range past the end is 416 InvalidRange, of an empty object every one', async () => {
    for (const value of ['bytes=10-', 'bytes=10-20', 'bytes=-0']) {
      const got = await range(value);
      assert.deepEqual([got.status, codeIn(got)], [416, 'InvalidRange']);
      assert.equal(got.headers['content-range'], 'bytes */10');
      assert.deepEqual(elementsIn(got, 'ActualObjectSize'), ['10']);
    }
    double.put('k', '');
    assert.equal((await range('bytes=0-0')).status, 416);
    assert.equal((await range('bytes=-1')).status, 416);
  });

  it('If-Match and If-None-Match', async () => {
    const etag = `"${md5('0123456789')}"`;
    const same = await ask('GET /bucket/k', { headers: { 'if-match': etag } });
    assert.equal(same.status, 200);
    const other = await ask('GET /bucket/k', { headers: { 'if-match': '"x"' } });
    assert.deepEqual([other.status, codeIn(other)], [412, 'PreconditionFailed']);
    const unchanged = await ask('GET /bucket/k', { headers: { 'if-none-match': etag } });
    assert.deepEqual([unchanged.status, unchanged.body, unchanged.headers.etag], [304, '', etag]);
  });

  it('a missing key and a missing bucket are told apart, but not by HEAD', async () => {
    const key = await ask('GET /bucket/none');
    assert.deepEqual([key.status, codeIn(key)], [404, 'NoSuchKey']);
    assert.deepEqual(elementsIn(key, 'Key'), ['none']);
    const bucket = await ask('GET /other/k');
    assert.deepEqual([bucket.status, codeIn(bucket)], [404, 'NoSuchBucket']);
    for (const path of ['/bucket/none', '/other/k', '/other']) {
      const head = await ask(`HEAD ${path}`);
      assert.deepEqual([head.status, head.body], [404, '']);
    }
  });

  it('HEAD tells the length and sends no body', async () => {
    const head = await ask('HEAD /bucket/k');
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '10']);
  });

  it('the bucket may be part of the host', async () => {
    const headers = { host: `bucket.localhost:${double.port}` };
    assert.equal((await ask('GET /k', { headers })).body, '0123456789');
  });

  it('tells the region of the bucket', async () => {
    assert.equal((await ask('HEAD /bucket')).headers['x-amz-bucket-region'], 'us-east-1');
    assert.match((await ask('GET /bucket?location')).body, /<LocationConstraint [^>]*><\/Loc/);
  });
});

describe('delete', () => {
  it('answers 204 whether there was one or not', async () => {
    double.put('k', 'x');
    assert.equal((await ask('DELETE /bucket/k')).status, 204);
    assert.equal((await ask('DELETE /bucket/k')).status, 204);
    assert.equal(double.objects.size, 0);
  });

  const batch = (body: string): Promise<Received> =>
    ask('POST /bucket?delete', { body, headers: { 'content-md5': md5(body, 'base64') } });

  it('of many answers each; quiet only failures', async () => {
    double.put('a&b', 'x');
    const xml = (quiet: string): string =>
      `<Delete>${quiet}<Object><Key>a&amp;b</Key></Object><Object><Key>none</Key></Object></Delete>`;
    const loud = await batch(xml(''));
    assert.equal(loud.status, 200);
    assert.deepEqual(elementsIn(loud, 'Key'), ['a&amp;b', 'none']);
    assert.equal(double.objects.size, 0);
    const quiet = await batch(xml('<Quiet>true</Quiet>'));
    assert.deepEqual([quiet.status, elementsIn(quiet, 'Key')], [200, []]);
  });

  it('of many wants a digest, at least one key and at most 1,000', async () => {
    const bare = await ask('POST /bucket?delete', { body: '<Delete/>' });
    assert.deepEqual([bare.status, codeIn(bare)], [400, 'InvalidRequest']);
    assert.equal(codeIn(await batch('<Delete></Delete>')), 'MalformedXML');
    const many = '<Object><Key>k</Key></Object>'.repeat(1001);
    assert.equal(codeIn(await batch(`<Delete>${many}</Delete>`)), 'MalformedXML');
  });
});

describe('log', () => {
  it('tells what was asked, and how much', async () => {
    await ask('PUT /bucket/k', { body: 'hello' });
    await ask('GET /bucket/none');
    const [put, get] = double.requests;
    assert.deepEqual(
      [put?.operation, put?.key, put?.status, put?.bytesIn, put?.bodyBytes],
      ['PutObject', 'k', 200, 5, 0],
    );
    assert.deepEqual([get?.operation, get?.status, get?.code], ['GetObject', 404, 'NoSuchKey']);
    assert.deepEqual([get?.depth, double.depth], [2, 2]);
    double.clear();
    assert.deepEqual([double.requests.length, double.depth], [0, 0]);
  });

  it('what cannot be understood is not implemented', async () => {
    const answer = await ask('POST /bucket/k');
    assert.deepEqual([answer.status, codeIn(answer)], [501, 'NotImplemented']);
  });
});
