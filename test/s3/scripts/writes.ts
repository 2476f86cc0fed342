/** Hazards of single writes: answers that are lost, and races. */
import type { S3Act, S3Request, S3Rule } from '../../../src/testing/index.ts';
import { uncertain, unavailable, type WireCall, type WireScript } from './script.ts';

const create: readonly WireCall[] = [{ put: 'k', body: 'ours' }];
const swap: readonly WireCall[] = [{ put: 'k', body: 'ours', mode: 'ifMatch current' }];
const ours = { k: 'ours' };
const theirs = { k: 'theirs' };
const nothing = { k: undefined };

const onPut = (act: S3Act | readonly S3Act[], times?: number): S3Rule[] => [
  { on: 'PutObject', do: act, ...(times !== undefined && { times }) },
];
const forEver = Infinity;

/** Somebody else's write lands in place of ours. */
const overtaken: NonNullable<S3Act['serve']> = (request, run) => run(another(request));

function another(request: S3Request): S3Request {
  return {
    ...request,
    body: new TextEncoder().encode('theirs'),
    headers: new Map([['content-length', '6']]),
  };
}

/** What a cache in between may say, and means nothing for a write. */
const notModified: S3Act = {
  effect: 'none',
  answer: { status: 304, headers: { etag: '"other"' }, body: '' },
};

const lost: readonly WireScript[] = [
  {
    name: 'an answer "not modified" does not mean that anything was stored',
    rules: onPut(notModified),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'nor does it when it never ends',
    objects: theirs,
    rules: onPut(notModified, forEver),
    calls: swap,
    outcomes: [uncertain],
    after: theirs,
  },
  {
    name: 'an answer lost whole is not a conflict',
    rules: onPut({ cut: { head: 0 } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an answer lost in its head is not a conflict',
    rules: onPut({ cut: { head: 20 }, end: 'close' }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an answer that lacks the last byte of its head is not a conflict',
    rules: onPut({ cut: { body: -1 } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an empty object whose answer is lost is not a conflict',
    rules: onPut({ cut: { head: 0 } }),
    calls: [{ put: 'k', body: '' }],
    outcomes: ['stored'],
    after: { k: '' },
  },
  {
    name: 'two answers lost in a row',
    rules: onPut({ cut: { head: 0 } }, 2),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'every answer to a write lost: read back, or open',
    rules: onPut({ cut: { head: 0 } }, forEver),
    calls: create,
    outcomes: ['stored', uncertain],
    resolves: 'landed',
    after: ours,
  },
  {
    name: 'every answer to everything lost: open, and resolved later',
    rules: [{ times: forEver, do: { cut: { head: 0 } } }],
    calls: create,
    outcomes: [uncertain],
    resolves: 'landed',
    after: ours,
  },
  {
    name: 'a swap whose answer is lost is not a conflict',
    objects: { k: 'old' },
    rules: onPut({ cut: { head: 0 } }),
    calls: swap,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an overwrite whose answer is lost is repeated',
    objects: { k: 'old' },
    rules: onPut({ cut: { head: 0 } }),
    calls: [{ put: 'k', body: 'ours', mode: 'overwrite' }],
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an answer lost, and the read-back busy at first',
    rules: [
      ...onPut({ cut: { head: 0 } }),
      { on: 'HeadObject', do: { answer: { code: 'SlowDown' } } },
    ],
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an answer lost, and the read-back forbidden: open',
    rules: [
      ...onPut({ cut: { head: 0 } }),
      { on: ['HeadObject', 'GetObject'], times: forEver, do: { answer: { code: 'AccessDenied' } } },
    ],
    calls: create,
    outcomes: [uncertain],
    after: ours,
  },
  {
    name: 'an answer lost, and metadata too: never a false conflict',
    rules: [
      {
        on: 'PutObject',
        times: forEver,
        do: {
          serve: (request, run) => {
            const headers = [...request.headers].filter(
              ([name]) => !name.startsWith('x-amz-meta-'),
            );
            return run({ ...request, headers: new Map(headers) });
          },
          cut: { head: 0 },
        },
      },
    ],
    calls: create,
    outcomes: ['stored', uncertain],
    after: ours,
  },
  {
    name: 'done, then answered 500',
    rules: onPut({ answer: { code: 'InternalError' } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'done, then answered 503',
    rules: onPut({ answer: { code: 'ServiceUnavailable' } }),
    calls: create,
    outcomes: ['stored', uncertain],
    resolves: 'landed',
    after: ours,
  },
  {
    name: 'done, then answered by a gateway that gave up',
    rules: onPut({ answer: { status: 504, body: '<html>Gateway Timeout</html>' } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'delivered twice by something in between',
    rules: onPut({ effect: 'twice' }),
    calls: create,
    outcomes: ['stored', 'conflict', uncertain],
    after: ours,
  },
  {
    name: 'lands late, after a reset, just before it is sent again',
    rules: onPut({ effect: { laterBy: 1 } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'lands late, after a 503, just before it is sent again',
    rules: onPut({ effect: { laterBy: 1 }, answer: { code: 'SlowDown' } }),
    calls: create,
    outcomes: ['stored', uncertain],
    resolves: 'landed',
    after: ours,
  },
];

const raced: readonly WireScript[] = [
  {
    name: 'somebody was first',
    objects: theirs,
    rules: [],
    calls: create,
    outcomes: ['conflict'],
    after: theirs,
    requestsMax: 2,
  },
  {
    name: 'somebody was first, told by a bare 412',
    objects: theirs,
    rules: onPut({ answer: { status: 412, body: '', headers: {} } }),
    calls: create,
    outcomes: ['conflict'],
    after: theirs,
  },
  {
    name: 'an unanswered create that somebody else won is never ours',
    rules: onPut({ serve: overtaken, cut: { head: 0 } }),
    calls: create,
    outcomes: ['conflict', uncertain],
    after: theirs,
  },
  {
    name: 'an unanswered swap that somebody else won is never ours',
    objects: { k: 'old' },
    rules: onPut({ serve: overtaken, cut: { head: 0 } }),
    calls: swap,
    outcomes: ['conflict', uncertain],
    after: theirs,
  },
  {
    name: 'a swap of what has changed',
    objects: { k: 'old' },
    rules: [],
    calls: [{ put: 'k', body: 'ours', mode: 'ifMatch stale' }],
    outcomes: ['conflict'],
    after: { k: 'old' },
    requestsMax: 2,
  },
  {
    name: 'a swap of what is gone, told by 404',
    rules: [],
    calls: [{ put: 'k', body: 'ours', mode: 'ifMatch stale' }],
    outcomes: ['conflict'],
    after: nothing,
    requestsMax: 2,
  },
  {
    name: 'a swap of what is gone, told by 412',
    rules: onPut({ answer: { code: 'PreconditionFailed' } }, forEver),
    calls: [{ put: 'k', body: 'ours', mode: 'ifMatch stale' }],
    outcomes: ['conflict'],
    after: nothing,
  },
  {
    name: '409 is not a conflict but a wait',
    rules: onPut({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }, 2),
    calls: create,
    outcomes: ['stored'],
    after: ours,
    requestsMax: 3,
  },
  {
    name: '409 without a body is a wait too',
    rules: onPut({ effect: 'none', answer: { status: 409, body: '' } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: '409 to a swap is a wait',
    objects: { k: 'old' },
    rules: onPut({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }),
    calls: swap,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: '409 for ever: nothing landed, and nobody holds the key',
    rules: onPut({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }, forEver),
    calls: create,
    outcomes: [unavailable],
    after: nothing,
  },
  {
    name: '409 while somebody else is being first',
    rules: onPut({ serve: overtaken, answer: { code: 'ConditionalRequestConflict' } }),
    calls: create,
    outcomes: ['conflict'],
    after: theirs,
  },
];

export const writeScripts: readonly WireScript[] = [...lost, ...raced];
