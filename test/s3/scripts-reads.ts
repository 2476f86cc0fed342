/** Reads, listings and deletes whose answers are cut, wrong or hostile. */
import assert from 'node:assert/strict';
import type { S3Act, S3Answer } from '../../src/testing/index.ts';
import { failsWith, sent, textAt, type Scene, type WireScript } from './scene.ts';

const key = 'dir/object';
const content = '0123456789'.repeat(10_000);
const xml = (text: string): S3Act => ({
  answer: { status: 200, headers: { 'content-type': 'application/xml' }, body: text },
});

async function names({ store }: Scene, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { key: name } of store.list(prefix)) found.push(name);
  return found;
}

const read = (name: string, acts: S3Act | readonly S3Act[], requests: number): WireScript => ({
  name: `get: ${name}`,
  rules: [{ on: 'GetObject', do: acts }],
  async run({ store, double }) {
    double.put(key, content);
    assert.equal(await textAt(store, key), content);
    assert.equal(sent(double, 'GetObject'), requests);
  },
});

const hostile = (name: string, text: string): WireScript => ({
  name: `list: ${name}`,
  rules: [{ on: 'ListObjectsV2', times: 99, do: xml(text) }],
  run: (scene) => failsWith(names(scene), 'LODE_INVALID_RESPONSE'),
});

const entry = (name: string): string =>
  `<Contents><Key>${name}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag>` +
  '<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>';
const page = (inside: string): string =>
  `<ListBucketResult><EncodingType>url</EncodingType>${inside}</ListBucketResult>`;
const bomb =
  '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">' +
  '<!ENTITY c "&b;&b;&b;&b;&b;">]><ListBucketResult>&c;&c;&c;</ListBucketResult>';

const emptyEnd = (answer: S3Answer): S3Answer => ({
  status: 206,
  headers: { ...answer.headers, 'content-range': 'bytes 0--1/0', etag: '"e"', ...written },
  body: new Uint8Array(),
});
const written = { 'last-modified': new Date(0).toUTCString() };

export const readScripts: readonly WireScript[] = [
  read(
    'the connection breaks in the body: another goes on where it broke',
    { cut: { body: 30_000 } },
    2,
  ),
  read(
    'it breaks three times',
    [{ cut: { body: 10 } }, { cut: { body: 20 } }, { cut: { body: 0 } }],
    4,
  ),
  read('the connection ends cleanly in the body', { cut: { body: 500 }, end: 'close' }, 2),
  read('the body stalls', { pace: { bytes: 50_000, everyMs: 5_000 } }, 2),
  read(
    '500, then 503, then an answer',
    [{ answer: { code: 'InternalError' } }, { answer: { code: 'SlowDown' } }],
    3,
  ),
  read('no answer at all, once', { refuse: 'reset' }, 2),
  {
    name: 'get: the body is always cut at its beginning',
    rules: [{ on: 'GetObject', times: 99, do: { cut: { body: 0 } } }],
    async run({ store, double }) {
      double.put(key, content);
      await failsWith(textAt(store, key), 'LODE_TRUNCATED', { expected: 100_000, actual: 0 });
    },
  },
  {
    name: 'get: the object is replaced while the connection breaks: no mixture',
    async run({ store, double }) {
      double.put(key, content);
      double.script({
        on: 'GetObject',
        do: {
          serve(request, run) {
            const answer = run(request);
            double.put(key, content.replaceAll('0', 'x'));
            return answer;
          },
          cut: { body: 30_000 },
        },
      });
      await failsWith(textAt(store, key), 'LODE_OBJECT_CHANGED');
    },
  },
  {
    name: 'get: the object is deleted while the connection breaks',
    async run({ store, double, other }) {
      double.put(key, content);
      double.script({ on: 'GetObject', do: { cut: { body: 30_000 } } });
      const object = await store.get(key);
      await other.delete(key);
      await failsWith(object?.bytes() ?? Promise.resolve(), 'LODE_OBJECT_CHANGED');
    },
  },
  {
    name: 'get: the server ignores that the rest was asked of one version',
    rules: [{ on: 'GetObject', at: 1, do: { ignore: ['if-match'] } }],
    async run({ store, double }) {
      double.put(key, content);
      double.script({ on: 'GetObject', do: { cut: { body: 30_000 } } });
      const object = await store.get(key);
      double.put(key, content.replaceAll('0', 'x'));
      await failsWith(object?.bytes() ?? Promise.resolve(), 'LODE_OBJECT_CHANGED');
    },
  },
  {
    name: 'get: the server ignores the range: what is before and after it is dropped',
    rules: [{ on: 'GetObject', times: 9, do: { ignore: ['range'] } }],
    async run({ store, double }) {
      double.put(key, content);
      for (const [range, expected] of [
        [{ offset: 70_003, length: 4 }, '3456'],
        [{ suffix: 2 }, '89'],
      ] as const) {
        const object = await store.get(key, { range });
        assert.equal(object?.size, 100_000);
        assert.equal(new TextDecoder().decode(await object?.bytes()), expected);
      }
    },
  },
  {
    name: 'get: the last bytes of an empty object, as MinIO tells them',
    rules: [
      {
        on: 'GetObject',
        do: { answer: emptyEnd },
      },
    ],
    async run({ store, double }) {
      double.put(key, '');
      const object = await store.get(key, { range: { suffix: 3 } });
      assert.deepEqual([object?.size, object?.range], [0, { offset: 0, length: 0 }]);
      assert.equal((await object?.bytes())?.length, 0);
    },
  },
  {
    name: 'get: the server sends another range than asked for',
    rules: [
      { on: 'GetObject', do: { answer: { headers: { 'content-range': 'bytes 1-4/100000' } } } },
    ],
    async run({ store, double }) {
      double.put(key, content);
      const get = store.get(key, { range: { offset: 0, length: 4 } });
      await failsWith(get, 'LODE_INVALID_RESPONSE', { actual: 'bytes 1-4/100000' });
    },
  },
  {
    name: 'get: more bytes than announced are not taken',
    rules: [{ on: 'GetObject', times: 99, do: { lengthOff: -5 } }],
    async run({ store, double }) {
      double.put(key, 'longer than it says');
      const object = await store.get(key).catch(() => undefined);
      const bytes = await object?.bytes().catch(() => undefined);
      assert.ok((bytes?.length ?? 0) <= 14);
      double.clear();
      assert.equal(await textAt(store, key), 'longer than it says');
    },
  },
  {
    name: 'get: fewer bytes than announced',
    rules: [{ on: 'GetObject', times: 99, do: { lengthOff: 5, end: 'close' } }],
    async run({ store, double }) {
      double.put(key, 'short');
      await failsWith(textAt(store, key), 'LODE_TRUNCATED', { expected: 10, actual: 5 });
    },
  },
  {
    name: 'get: a length is not announced',
    rules: [{ on: 'GetObject', do: { chunked: true } }],
    async run({ store, double }) {
      double.put(key, content);
      await failsWith(textAt(store, key), 'LODE_INVALID_RESPONSE');
    },
  },
  {
    name: 'get: no etag',
    rules: [{ on: 'GetObject', do: { answer: { headers: { etag: undefined } } } }],
    async run({ store, double }) {
      double.put(key, content);
      await failsWith(store.get(key), 'LODE_INVALID_RESPONSE');
    },
  },
  {
    name: 'get: a connection is used again after a read was aborted',
    async run({ store, double }) {
      double.put(key, content.repeat(20));
      const stop = new AbortController();
      const object = await store.get(key, { signal: stop.signal });
      for await (const _ of object?.stream() ?? []) break;
      const again = await store.get(key, { signal: stop.signal });
      stop.abort('enough');
      const bytes = again?.bytes() ?? Promise.resolve();
      await assert.rejects(bytes, (reason) => reason === 'enough');
      assert.equal((await textAt(store, key))?.length, 2_000_000);
    },
  },
  {
    name: 'head: 503, then an answer',
    rules: [{ on: 'HeadObject', do: { answer: { status: 503, body: '' } } }],
    async run({ store, double }) {
      double.put(key, 'x');
      assert.equal((await store.head(key))?.size, 1);
    },
  },
  {
    name: 'a missing bucket is no missing key: get, head, list, put, delete',
    options: { bucket: 'nowhere' },
    async run(scene) {
      const { store } = scene;
      for (const call of [
        () => store.head(key),
        () => store.get(key),
        () => names(scene),
        () => store.put(key, 'x'),
        () => store.put(key, 'x', { mode: { ifMatch: '"x"' } }),
        () => store.delete(key),
        () => store.delete([key, 'b']),
      ])
        await failsWith(call(), 'LODE_NO_BUCKET', { key: 'nowhere' });
    },
  },
  {
    name: 'head: a missing key is one request once the bucket was seen',
    async run({ store, double }) {
      assert.equal(await store.head(key), undefined);
      const first = double.requests.length;
      assert.equal(await store.head(key), undefined);
      assert.deepEqual([first, double.requests.length], [2, 3]);
    },
  },
  {
    name: 'list: the page is cut: it is asked for again',
    rules: [{ on: 'ListObjectsV2', do: [{ cut: { body: 50 } }, { cut: { head: 9 } }] }],
    async run(scene) {
      scene.double.put(key, 'x');
      assert.deepEqual(await names(scene), [key]);
    },
  },
  {
    name: 'list: foreign names are left out, odd ones come through',
    async run(scene) {
      const ours = ['a b+c', 'a&<>"\'', 'plus+', 'z%20', 'ü/😀'];
      for (const name of [...ours, 'folder/', '/abs', 'a//b', 'x/../y', '.lode-x'])
        scene.double.put(name, '');
      assert.deepEqual(await names(scene), ours);
    },
  },
  hostile('entities that expand', bomb),
  hostile('5 MB of XML', page(entry('a').repeat(40_000))),
  hostile('XML cut in the middle, whole by its length', page(entry('a')).slice(0, -40)),
  hostile('HTML from a proxy', '<!doctype html><html><body>Please log in</body></html>'),
  hostile('another document', '<ListAllMyBucketsResult/>'),
  hostile('depth of 100,000', '<a>'.repeat(100_000)),
  hostile('keys out of order', page(entry('b') + entry('a'))),
  hostile('a key twice', page(entry('a') + entry('a'))),
  hostile('a key that is not encoded', page(entry('%E0%A4%A'))),
  hostile('an object without a size', page('<Contents><Key>a</Key></Contents>')),
  hostile(
    'pages in a circle',
    page('<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>'),
  ),
  hostile('a next page that is not named', page('<IsTruncated>true</IsTruncated>')),
  {
    name: 'list: what was not asked for',
    rules: [{ on: 'ListObjectsV2', do: xml(page(entry('elsewhere/a'))) }],
    run: (scene) => failsWith(names(scene, 'dir/'), 'LODE_INVALID_RESPONSE'),
  },
  {
    name: 'delete: a result for each key',
    rules: [
      {
        on: 'DeleteObjects',
        do: xml(
          '<DeleteResult><Deleted><Key>a</Key></Deleted>' +
            '<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>' +
            '<Error><Key>c</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>',
        ),
      },
    ],
    async run({ store }) {
      const results = await store.delete(['a', 'b', 'c', 'd']);
      const codes = results.map((one) =>
        'error' in one ? (one.error as { code?: string }).code : 'ok',
      );
      const expected = [
        'ok',
        'LODE_PERMISSION_DENIED',
        'LODE_UNAVAILABLE',
        'LODE_INVALID_RESPONSE',
      ];
      assert.deepEqual(codes, expected);
    },
  },
  {
    name: 'delete: 2,500 keys are three requests',
    async run({ store, double }) {
      const keys = Array.from({ length: 2500 }, (_, i) => `k/${i}&<`);
      for (const name of keys) double.put(name, '');
      const results = await store.delete(keys);
      assert.ok(results.every(({ outcome }) => outcome === 'deleted'));
      assert.deepEqual([double.objects.size, double.requests.length], [0, 3]);
    },
  },
  {
    name: 'delete: a batch whose answer is lost is sent again',
    rules: [{ on: 'DeleteObjects', do: [{ cut: { head: 3 } }, { cut: { body: 10 } }] }],
    async run({ store, double }) {
      for (const name of ['a', 'b']) double.put(name, '');
      const results = await store.delete(['a', 'b']);
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['deleted', 'deleted'],
      );
    },
  },
  {
    name: 'an error whose document is hostile is known by its status',
    rules: [
      {
        on: 'GetObject',
        do: {
          answer: (answer: S3Answer) => ({
            ...answer,
            status: 403,
            body: new TextEncoder().encode(bomb),
          }),
        },
      },
    ],
    run: ({ store }) => failsWith(store.get(key), 'LODE_PERMISSION_DENIED', { actual: '403' }),
  },
];
