/** Hazards of reads: bodies that break off, change or are another's, ranges that are not what was asked for. */
import type { S3Act, S3Operation, S3Rule } from '../../../src/testing/index.ts';
import {
  anyError,
  denied,
  unavailable,
  type WireCall,
  type WireOutcome,
  type WireScript,
} from './script.ts';

const objects = { k: '0123456789' };
const get: readonly WireCall[] = [{ get: 'k' }];
const middle: readonly WireCall[] = [{ get: 'k', range: { offset: 2, length: 4 } }];
const whole = 'content 0123456789';
const truncated: WireOutcome = 'error LODE_TRUNCATED';

const onGet = (act: S3Act | readonly S3Act[], times?: number): S3Rule[] =>
  on('GetObject', act, times);
const on = (operation: S3Operation, act: S3Act | readonly S3Act[], times?: number): S3Rule[] => [
  { on: operation, do: act, ...(times !== undefined && { times }) },
];

/** Answers, and the object is another right after. */
const changedBehind: NonNullable<S3Act['serve']> = (request, run) => {
  const answer = run(request);
  const body = new TextEncoder().encode('abcdefghij');
  const headers = new Map([['content-length', '10']]);
  run({ ...request, operation: 'PutObject', method: 'PUT', headers, body });
  return answer;
};

const broken: readonly WireScript[] = [
  {
    name: 'an answer "not modified" that nobody asked for is not taken for content',
    objects,
    rules: onGet({ answer: { status: 304, body: '' } }),
    calls: get,
    outcomes: [whole],
  },
  {
    name: 'a body that breaks off is read on, or reported',
    objects,
    rules: onGet({ cut: { body: 4 } }),
    calls: get,
    outcomes: [whole, truncated, unavailable],
  },
  {
    name: 'a body that ends early is read on, or reported',
    objects,
    rules: onGet({ cut: { body: 4 }, end: 'close' }),
    calls: get,
    outcomes: [whole, truncated, unavailable],
  },
  {
    name: 'a body that always breaks off before its first byte',
    objects,
    rules: onGet({ cut: { body: 0 } }, Infinity),
    calls: get,
    outcomes: [truncated, unavailable],
  },
  {
    name: 'a body that breaks off and changes: never two versions in one',
    objects,
    rules: onGet({ serve: changedBehind, cut: { body: 4 } }),
    calls: get,
    outcomes: ['error LODE_OBJECT_CHANGED', truncated, unavailable],
  },
  {
    name: 'a length that promises too much',
    objects,
    rules: onGet({ lengthOff: 5 }, Infinity),
    calls: get,
    outcomes: [truncated, unavailable, anyError],
  },
  {
    name: 'a body without a length',
    objects,
    rules: onGet({ chunked: true }, Infinity),
    calls: get,
    outcomes: [whole, anyError],
  },
  {
    name: 'a connection reset before the answer',
    objects,
    rules: onGet({ cut: { head: 0 } }),
    calls: get,
    outcomes: [whole],
    requestsMax: 2,
  },
  {
    name: 'an answer cut in its head',
    objects,
    rules: onGet({ cut: { head: 40 }, end: 'close' }),
    calls: get,
    outcomes: [whole],
  },
  {
    name: 'a slow body',
    objects,
    rules: onGet({ pace: { bytes: 1, everyMs: 5 } }),
    calls: get,
    outcomes: [whole],
    requestsMax: 1,
  },
  {
    name: 'a read that is left in the middle does not spoil the next one',
    objects: { k: 'x'.repeat(300_000), l: 'next' },
    rules: [],
    calls: [{ leave: 'k' }, { get: 'l' }],
    outcomes: ['content next'],
  },
  {
    name: 'an answer behind which the connection is closed does not spoil the next one',
    objects,
    rules: onGet({ end: 'half-close' }),
    calls: [...get, ...get],
    outcomes: [whole],
  },
  {
    name: 'busy twice',
    objects,
    rules: onGet({ answer: { code: 'SlowDown' } }, 2),
    calls: get,
    outcomes: [whole],
    requestsMax: 3,
  },
];

const ranges: readonly WireScript[] = [
  {
    name: 'a range is one request',
    objects,
    rules: [],
    calls: middle,
    outcomes: ['content 2345'],
    requestsMax: 1,
  },
  {
    name: 'a range that the server ignores',
    objects,
    rules: onGet({ ignore: ['range'] }),
    calls: middle,
    outcomes: ['content 2345'],
  },
  {
    name: 'another range than was asked for',
    objects,
    rules: onGet({ answer: { headers: { 'content-range': 'bytes 3-6/10' } } }, Infinity),
    calls: middle,
    outcomes: [anyError],
  },
  {
    name: 'a part of an object that does not say which',
    objects,
    rules: onGet({ answer: { headers: { 'content-range': undefined } } }, Infinity),
    calls: middle,
    outcomes: [anyError],
  },
  {
    name: 'a range past the end',
    objects,
    rules: [],
    calls: [{ get: 'k', range: { offset: 10, length: 5 } }],
    outcomes: ['content '],
  },
  {
    name: 'a range across the end',
    objects,
    rules: [],
    calls: [{ get: 'k', range: { offset: 8, length: 5 } }],
    outcomes: ['content 89'],
  },
  {
    name: 'a range of an object that has changed since',
    objects,
    rules: [],
    calls: [{ get: 'k', range: { offset: 0, length: 2 }, if: 'match stale' }],
    outcomes: ['error LODE_OBJECT_CHANGED'],
  },
  {
    name: 'an object that has not changed since is not sent',
    objects,
    rules: [],
    calls: [{ get: 'k', if: 'none match current' }],
    outcomes: ['not modified'],
  },
];

const absent: readonly WireScript[] = [
  {
    name: 'nothing there',
    rules: [],
    calls: get,
    outcomes: ['missing'],
    requestsMax: 1,
  },
  {
    name: 'no bucket there is not the same as nothing there',
    rules: onGet({ answer: { code: 'NoSuchBucket' } }, Infinity),
    calls: get,
    outcomes: ['error LODE_NO_BUCKET'],
  },
  {
    name: 'no bucket there, asked by HEAD',
    rules: on('HeadObject', { answer: { status: 404 } }, Infinity).concat(
      on('HeadBucket', { answer: { status: 404 } }, Infinity),
    ),
    calls: [{ head: 'k' }],
    outcomes: ['error LODE_NO_BUCKET'],
  },
  {
    name: '403 for a missing key, as without permission to list, is not "missing"',
    rules: onGet({ answer: { code: 'AccessDenied' } }, Infinity),
    calls: get,
    outcomes: [denied],
    requestsMax: 1,
  },
  {
    name: 'HEAD refused without a body',
    objects,
    rules: on('HeadObject', { answer: { status: 403 } }, Infinity),
    calls: [{ head: 'k' }],
    outcomes: [denied],
  },
  {
    name: 'HEAD busy at first',
    objects,
    rules: on('HeadObject', { answer: { status: 503 } }, 2),
    calls: [{ head: 'k' }],
    outcomes: ['size 10'],
  },
];

const strange: readonly WireScript[] = [
  {
    name: 'an object without an etag',
    objects,
    rules: onGet({ answer: { headers: { etag: undefined } } }, Infinity),
    calls: get,
    outcomes: [anyError],
  },
  {
    name: 'a page of a captive portal in place of the object',
    objects,
    rules: onGet(
      {
        answer: () => ({
          status: 200,
          headers: { 'content-type': 'text/html' },
          body: new TextEncoder().encode('<html>Please log in'),
        }),
      },
      Infinity,
    ),
    calls: get,
    outcomes: [anyError],
  },
  {
    name: 'a redirect of a read takes no credentials to another host',
    objects,
    rules: (elsewhere) =>
      onGet(
        {
          effect: 'none',
          answer: { code: 'TemporaryRedirect', headers: { location: `${elsewhere}/bucket/k` } },
        },
        Infinity,
      ),
    calls: get,
    outcomes: [anyError],
  },
  {
    name: 'an answer that is not HTTP',
    objects,
    rules: onGet({ answer: { headers: { 'bad header': 'x' } }, cut: { body: 0 } }, Infinity),
    calls: get,
    outcomes: [anyError],
  },
];

export const readScripts: readonly WireScript[] = [...broken, ...ranges, ...absent, ...strange];
