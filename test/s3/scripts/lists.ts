/** Hazards of listings and batch deletions: pages that lie, XML that harms, results that are not there. */
import type { S3Act, S3Rule } from '../../../src/testing/index.ts';
import { anyError, denied, unavailable, type WireCall, type WireScript } from './script.ts';

const objects = { a: '1', b: '2', c: '3' };
const list: readonly WireCall[] = [{ list: '' }];
const all = 'keys a b c';

const onList = (act: S3Act | readonly S3Act[], times?: number): S3Rule[] => [
  { on: 'ListObjectsV2', do: act, ...(times !== undefined && { times }) },
];
const xml = (body: string): S3Act => ({ answer: { body } });

/** A page by hand. */
const page = (keys: readonly string[], more = ''): string =>
  '<ListBucketResult><IsTruncated>' +
  `${more !== ''}</IsTruncated>${more}${keys.map(entry).join('')}</ListBucketResult>`;
const entry = (key: string, size: number | string = 1): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>` +
  `<ETag>&quot;e&quot;</ETag><Size>${size}</Size></Contents>`;
const tokenOf = (token: string): string =>
  `<NextContinuationToken>${token}</NextContinuationToken>`;

/** Pages of two keys, as servers may give. */
const small: NonNullable<S3Act['serve']> = (request, run) =>
  run({ ...request, query: new Map([...request.query, ['max-keys', '2']]) });
const unencoded: NonNullable<S3Act['serve']> = (request, run) => {
  const query = [...request.query].filter(([name]) => name !== 'encoding-type');
  return run({ ...request, query: new Map(query) });
};
const half: NonNullable<S3Act['serve']> = (request, run) => {
  const answer = run(request);
  return { ...answer, body: answer.body.subarray(0, answer.body.length >> 1) };
};

const hostile: readonly (readonly [name: string, body: string | Uint8Array])[] = [
  ['half a page, for ever', page(['a', 'b']).slice(0, 150)],
  ['a page of 5 MB', page(Array.from({ length: 40_000 }, (_, i) => `k${100_000 + i}`))],
  [
    'entities without end',
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' +
      'b c d e f g h i'
        .split(' ')
        .map((name, i) => {
          const before = `&${'abcdefgh'[i]};`;
          return `<!ENTITY ${name} "${before.repeat(10)}">`;
        })
        .join('') +
      `]>${page(['&i;'])}`,
  ],
  [
    'a file of this machine by entity',
    `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/hostname">]>${page(['&f;'])}`,
  ],
  ['elements 100,000 deep', '<ListBucketResult>' + '<a>'.repeat(100_000)],
  ['a page that is not UTF-8', Uint8Array.from([0x3c, 0x4c, 0xff, 0xfe, 0x3e])],
  ['HTML', '<html><body>Welcome</body></html>'],
  ['an error that calls itself a success', '<Error><Code>InternalError</Code></Error>'],
  ['nothing', ''],
  ['more to come and no token', page(['a'], ' ')],
  ['a size that is none', `<ListBucketResult>${entry('a', -1)}</ListBucketResult>`],
  ['a size beyond counting', `<ListBucketResult>${entry('a', '9'.repeat(30))}</ListBucketResult>`],
  ['keys out of order', page(['b', 'a'])],
];

const listed: readonly WireScript[] = [
  ...hostile.map(([name, body]) => ({
    name: `a listing: ${name}`,
    rules: onList({ answer: { body } }, Infinity),
    calls: list,
    outcomes: [anyError],
  })),
  {
    name: 'a listing: the same page for ever',
    rules: onList(xml(page(['a'], tokenOf('1'))), Infinity),
    calls: list,
    outcomes: [anyError],
    requestsMax: 10,
  },
  {
    name: 'a listing: two pages in turn for ever',
    rules: onList(
      Array.from({ length: 20 }, (_, i) => xml(page([i % 2 ? 'a' : 'b'], tokenOf(String(i % 2))))),
    ),
    calls: list,
    outcomes: [anyError],
    requestsMax: 10,
  },
  {
    name: 'a listing: half a page once is asked for again, or reported',
    objects,
    rules: onList({ serve: half }),
    calls: list,
    outcomes: [all, anyError],
  },
  {
    name: 'a listing: cut once',
    objects,
    rules: onList({ cut: { body: 100 } }),
    calls: list,
    outcomes: [all],
  },
  {
    name: 'a listing: in chunks, without a length',
    objects,
    rules: onList({ chunked: true }),
    calls: list,
    outcomes: [all],
    requestsMax: 1,
  },
  {
    name: 'a listing: small pages',
    objects,
    rules: onList({ serve: small }, Infinity),
    calls: list,
    outcomes: [all],
    requestsMax: 2,
  },
  {
    name: 'a listing: busy at its second page',
    objects,
    rules: onList([
      { serve: small },
      { answer: { code: 'SlowDown' } },
      { answer: { code: 'SlowDown' } },
    ]),
    calls: list,
    outcomes: [all],
    requestsMax: 4,
  },
  {
    name: 'a listing: late by a write shows what was, and is no error',
    objects,
    rules: onList({ stale: true }),
    calls: [{ put: 'd', body: 'x' }, ...list],
    outcomes: [all],
  },
  {
    name: 'a listing: names with every sign survive',
    objects: { 'a b': '1', 'a%20b': '1', 'a&<>"': '1', 'a+b': '1', 'é\u{1f600}': '1' },
    rules: [],
    calls: list,
    outcomes: ['keys a b a%20b a&<>" a+b é\u{1f600}'],
  },
  {
    name: 'a listing: a server that does not encode names, though asked',
    objects: { 'a b': '1', 'a%20b': '1', 'a+b': '1' },
    rules: onList({ serve: unencoded }),
    calls: list,
    outcomes: ['keys a b a%20b a+b'],
  },
  {
    name: 'a listing: of a bucket that is not there',
    rules: onList({ answer: { code: 'NoSuchBucket' } }, Infinity),
    calls: list,
    outcomes: ['error LODE_NO_BUCKET'],
  },
  {
    name: 'a listing: forbidden',
    rules: onList({ answer: { code: 'AccessDenied' } }, Infinity),
    calls: list,
    outcomes: [denied],
  },
  {
    name: 'a listing: folded, from a place',
    objects: { 'a/1': '', 'b/1': '', 'b/2': '', c: '' },
    rules: onList({ serve: small }, Infinity),
    calls: [{ list: '', delimiter: '/', startAfter: 'a/' }],
    outcomes: ['keys b/ c'],
  },
];

const onBatch = (act: S3Act, times?: number): S3Rule[] => [
  { on: 'DeleteObjects', do: act, ...(times !== undefined && { times }) },
];
const batch: readonly WireCall[] = [{ delete: ['a', 'b'] }];
const gone = { a: undefined, b: undefined };
const result = (inner: string): S3Act => ({
  effect: 'none',
  answer: { status: 200, body: `<DeleteResult>${inner}</DeleteResult>` },
});
const errorOf = (key: string, code: string): string =>
  `<Error><Key>${key}</Key><Code>${code}</Code><Message>m</Message></Error>`;

const deleted: readonly WireScript[] = [
  {
    name: 'a deletion: what is not there counts as deleted',
    rules: [],
    calls: [{ delete: ['a'] }],
    outcomes: ['deleted a'],
  },
  {
    name: 'a deletion: many in one request',
    objects,
    rules: [],
    calls: batch,
    outcomes: ['deleted a b'],
    after: { ...gone, c: '3' },
    requestsMax: 1,
  },
  {
    name: 'a deletion: one of many refused',
    objects,
    rules: onBatch(result(`<Deleted><Key>a</Key></Deleted>${errorOf('b', 'AccessDenied')}`)),
    calls: batch,
    outcomes: ['deleted a failed b:LODE_PERMISSION_DENIED'],
  },
  {
    name: 'a deletion: a key of many that the answer does not name is not taken for deleted',
    objects,
    rules: onBatch(
      result('<Deleted><Key>a</Key></Deleted><Deleted><Key>x</Key></Deleted>'),
      Infinity,
    ),
    calls: batch,
    outcomes: ['deleted a failed b:*', anyError],
  },
  {
    name: 'a deletion: the answer lost',
    objects,
    rules: onBatch({ cut: { head: 0 } }),
    calls: batch,
    outcomes: ['deleted a b'],
    after: gone,
  },
  {
    name: 'a deletion: an error that calls itself a success',
    objects,
    rules: onBatch(
      {
        effect: 'none',
        answer: { status: 200, body: '<Error><Code>InternalError</Code></Error>' },
      },
      Infinity,
    ),
    calls: batch,
    outcomes: [anyError],
  },
  {
    name: 'a deletion: busy at first',
    objects,
    rules: [{ on: 'DeleteObject', do: { effect: 'none', answer: { code: 'SlowDown' } } }],
    calls: [{ delete: ['a'] }],
    outcomes: ['deleted a'],
    after: { a: undefined },
  },
  {
    name: 'a deletion: forbidden',
    objects,
    rules: [
      {
        on: 'DeleteObject',
        times: Infinity,
        do: { effect: 'none', answer: { code: 'AccessDenied' } },
      },
    ],
    calls: [{ delete: ['a'] }],
    outcomes: ['failed a:LODE_PERMISSION_DENIED', denied],
    after: { a: '1' },
  },
  {
    name: 'a deletion: unreachable',
    objects,
    rules: [{ times: Infinity, do: { refuse: 'reset' } }],
    calls: batch,
    outcomes: ['failed a:* failed b:*', unavailable],
  },
];

export const listScripts: readonly WireScript[] = [...listed, ...deleted];
