/** At risk: listings and uploads in parts as the double gives them, which the adapter's paging and clean-up are tested with. */
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
const md5 = (data: string | Uint8Array): Buffer => createHash('md5').update(data).digest();

describe('list', () => {
  const list = (query = ''): Promise<Received> => ask(`GET /bucket?list-type=2&${query}`);
  const fill = (...keys: string[]): void => keys.forEach((key) => double.put(key, 'x'));

  it('an empty bucket', async () => {
    const page = await list();
    assert.equal(page.status, 200);
    assert.equal(
      page.body,
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>' +
        '<Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>' +
        '<IsTruncated>false</IsTruncated></ListBucketResult>',
    );
  });

  it('is in the order of UTF-8 bytes', async () => {
    fill('b', '\u{1f600}', '\uffee', 'a/b', 'a', 'B');
    assert.deepEqual(elementsIn(await list(), 'Key'), [
      'B',
      'a',
      'a/b',
      'b',
      '\uffee',
      '\u{1f600}',
    ]);
  });

  it('tells size, etag and time of each', async () => {
    double.put('k', 'hello');
    const page = await list();
    assert.deepEqual(elementsIn(page, 'Size'), ['5']);
    assert.deepEqual(elementsIn(page, 'ETag'), [`&quot;${md5('hello').toString('hex')}&quot;`]);
    assert.match(elementsIn(page, 'LastModified')[0] ?? '', /^\d{4}-\d\d-\d\dT.*\.000Z$/);
  });

  it('pages by token, and start-after is for the first page only', async () => {
    fill('a', 'b', 'c', 'd', 'e');
    const first = await list('max-keys=2&start-after=a');
    assert.deepEqual(elementsIn(first, 'Key'), ['b', 'c']);
    assert.deepEqual(elementsIn(first, 'IsTruncated'), ['true']);
    const [token = ''] = elementsIn(first, 'NextContinuationToken');
    const second = await list(`max-keys=2&start-after=a&continuation-token=${token}`);
    assert.deepEqual(elementsIn(second, 'Key'), ['d', 'e']);
    assert.deepEqual(elementsIn(second, 'IsTruncated'), ['false']);
    assert.deepEqual(elementsIn(second, 'NextContinuationToken'), []);
    assert.deepEqual(elementsIn(await list('max-keys=0'), 'IsTruncated'), ['false']);
    for (const query of ['continuation-token=x', 'max-keys=-1', 'max-keys=x'])
      assert.equal(codeIn(await list(query)), 'InvalidArgument');
  });

  it('folds by delimiter; a folded prefix counts as one', async () => {
    fill('a/1', 'a/2', 'b', 'c/1', 'c/d/2');
    const page = await list('delimiter=%2F&max-keys=2');
    assert.deepEqual(
      [elementsIn(page, 'Key'), page.body.includes('<Prefix>a/</Prefix>')],
      [['b'], true],
    );
    const [token = ''] = elementsIn(page, 'NextContinuationToken');
    const rest = await list(`delimiter=%2F&continuation-token=${token}`);
    assert.deepEqual([elementsIn(rest, 'Key'), elementsIn(rest, 'KeyCount')], [[], ['1']]);
    const below = await list('delimiter=%2F&prefix=c%2F');
    assert.deepEqual(elementsIn(below, 'Key'), ['c/1']);
    assert.ok(below.body.includes('<CommonPrefixes><Prefix>c/d/</Prefix></CommonPrefixes>'));
    const after = await list('delimiter=%2F&start-after=a%2F1');
    assert.ok(after.body.includes('<Prefix>a/</Prefix>') === false);
  });

  it('encodes names when asked, and else sends what XML cannot hold', async () => {
    fill('a b+c&\u0001/é');
    assert.deepEqual(elementsIn(await list('encoding-type=url'), 'Key'), [
      'a%20b%2Bc%26%01/%C3%A9',
    ]);
    assert.deepEqual(elementsIn(await list(), 'Key'), ['a b+c&amp;&#x1;/é']);
  });

  it('of a bucket that is not there', async () => {
    assert.equal(codeIn(await ask('GET /other?list-type=2')), 'NoSuchBucket');
  });
});

describe('upload', () => {
  const begin = async (headers: Record<string, string> = {}): Promise<string> => {
    const answer = await ask('POST /bucket/k?uploads', { headers });
    assert.equal(answer.status, 200);
    return elementsIn(answer, 'UploadId')[0] ?? '';
  };
  const part = async (id: string, number: number, body: string): Promise<string> => {
    const path = `PUT /bucket/k?partNumber=${number}&uploadId=${id}`;
    const { status, headers } = await ask(path, { body });
    assert.equal(status, 200);
    return headers.etag ?? '';
  };
  const complete = (
    id: string,
    parts: readonly (readonly [number, string])[],
    headers: Record<string, string> = {},
  ): Promise<Received> => {
    const list = parts.map(
      ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    return ask(`POST /bucket/k?uploadId=${id}`, { body, headers });
  };

  it('shows nothing until it is completed, then all of it in the order of parts', async () => {
    const id = await begin({ 'x-amz-meta-id': 'w1' });
    const second = await part(id, 2, 'efg');
    const first = await part(id, 1, 'abcd');
    assert.equal((await ask('HEAD /bucket/k')).status, 404);
    const done = await complete(id, [
      [1, first],
      [2, second],
    ]);
    const whole = md5(Buffer.concat([md5('abcd'), md5('efg')])).toString('hex');
    assert.deepEqual(elementsIn(done, 'ETag'), [`&quot;${whole}-2&quot;`]);
    const got = await ask('GET /bucket/k');
    assert.deepEqual(
      [got.body, got.headers.etag, got.headers['x-amz-meta-id']],
      ['abcdefg', `"${whole}-2"`, 'w1'],
    );
    assert.equal(double.uploads.size, 0);
    assert.deepEqual(codeIn(await complete(id, [[1, first]])), 'NoSuchUpload');
  });

  it('is held to its conditions when it is completed, and stays when they fail', async () => {
    const id = await begin();
    const etag = await part(id, 1, 'x');
    const swap = await complete(id, [[1, etag]], { 'if-match': '"y"' });
    assert.deepEqual([swap.status, codeIn(swap)], [404, 'NoSuchKey']);
    double.put('k', 'other');
    const create = await complete(id, [[1, etag]], { 'if-none-match': '*' });
    assert.deepEqual([create.status, codeIn(create)], [412, 'PreconditionFailed']);
    assert.equal(double.uploads.size, 1);
    assert.equal(double.text('k'), 'other');
  });

  it('refuses lists of parts that do not fit', async () => {
    const id = await begin();
    const [small, last] = [await part(id, 1, 'abc'), await part(id, 2, 'x')];
    const codes = [
      await complete(id, []),
      await complete(id, [
        [2, last],
        [1, small],
      ]),
      await complete(id, [
        [1, small],
        [1, small],
      ]),
      await complete(id, [[1, last]]),
      await complete(id, [[3, last]]),
      await complete(id, [
        [1, small],
        [2, last],
      ]),
    ].map(codeIn);
    assert.deepEqual(codes, [
      'MalformedXML',
      'InvalidPartOrder',
      'InvalidPartOrder',
      'InvalidPart',
      'InvalidPart',
      'EntityTooSmall',
    ]);
    const zero = await ask(`PUT /bucket/k?partNumber=0&uploadId=${id}`, { body: 'x' });
    assert.equal(codeIn(zero), 'InvalidArgument');
  });

  it('is gone once aborted', async () => {
    const id = await begin();
    assert.equal((await ask(`DELETE /bucket/k?uploadId=${id}`)).status, 204);
    const again = await ask(`DELETE /bucket/k?uploadId=${id}`);
    assert.deepEqual([again.status, codeIn(again)], [404, 'NoSuchUpload']);
    const late = await ask(`PUT /bucket/k?partNumber=1&uploadId=${id}`, { body: 'x' });
    assert.equal(codeIn(late), 'NoSuchUpload');
  });

  it('are listed by key and start, a page at a time', async () => {
    for (const key of ['b', 'a', 'b', 'c/x']) await ask(`POST /bucket/${key}?uploads`);
    const first = await ask('GET /bucket?uploads&max-uploads=2');
    assert.deepEqual(elementsIn(first, 'Key'), ['a', 'b']);
    const [key, id] = ['NextKeyMarker', 'NextUploadIdMarker'].map(
      (name) => elementsIn(first, name)[0],
    );
    const next = await ask(`GET /bucket?uploads&key-marker=${key}&upload-id-marker=${id}`);
    assert.deepEqual(elementsIn(next, 'Key'), ['b', 'c/x']);
    assert.deepEqual(elementsIn(next, 'IsTruncated'), ['false']);
    assert.deepEqual(elementsIn(await ask('GET /bucket?uploads&prefix=c%2F'), 'Key'), ['c/x']);
  });
});
