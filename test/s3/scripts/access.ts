/** Hazards of signing: keys, tokens, regions and clocks that the server does not accept. */
import { type WireCall, type WireScript } from './script.ts';

const objects = { k: 'content' };
const get: readonly WireCall[] = [{ get: 'k' }];
const unauthenticated = 'error LODE_UNAUTHENTICATED';
const minute = 60_000;

const refusedAs = (code: string): Pick<WireScript, 'objects' | 'rules' | 'calls'> => ({
  objects,
  rules: [{ times: Infinity, do: { effect: 'none', answer: { code } } }],
  calls: get,
});

export const accessScripts: readonly WireScript[] = [
  {
    name: 'a session token is sent and signed',
    objects,
    double: {
      credentials: [{ accessKeyId: 'ASIA1', secretAccessKey: 'secret', sessionToken: 'to/ken+==' }],
    },
    rules: [],
    calls: get,
    outcomes: ['content content'],
    requestsMax: 1,
  },
  {
    name: 'a token that has expired',
    objects,
    double: {
      credentials: [
        {
          accessKeyId: 'ASIA1',
          secretAccessKey: 'secret',
          sessionToken: 'to/ken+==',
          expiresMs: 1,
        },
      ],
    },
    rules: [],
    calls: get,
    outcomes: [unauthenticated],
  },
  {
    name: 'a clock that is 10 minutes off',
    objects,
    clockMs: 10 * minute,
    rules: [],
    calls: get,
    outcomes: ['content content'],
    requestsMax: 1,
  },
  {
    name: 'a clock that is an hour behind: set by the server, or reported',
    objects,
    clockMs: 60 * minute,
    rules: [],
    calls: get,
    outcomes: ['content content', unauthenticated],
    requestsMax: 2,
  },
  {
    name: 'a clock that is an hour ahead: set by the server, or reported',
    objects,
    clockMs: -60 * minute,
    rules: [],
    calls: [{ put: 'l', body: 'x' }],
    outcomes: ['stored', unauthenticated],
    requestsMax: 2,
  },
  {
    name: 'a clock that no answer can set right',
    ...refusedAs('RequestTimeTooSkewed'),
    outcomes: [unauthenticated],
    requestsMax: 3,
  },
  {
    name: 'another region: the one that is named, or reported',
    objects,
    rules: [
      {
        do: {
          effect: 'none',
          answer: {
            status: 400,
            body: '<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-east-1</Region></Error>',
          },
        },
      },
    ],
    calls: get,
    outcomes: ['content content', 'error LODE_WRONG_ENDPOINT'],
    requestsMax: 2,
  },
  {
    name: 'a region that is always another',
    ...refusedAs('AuthorizationHeaderMalformed'),
    outcomes: ['error LODE_WRONG_ENDPOINT'],
    requestsMax: 3,
  },
  {
    name: 'a key id nobody knows',
    ...refusedAs('InvalidAccessKeyId'),
    outcomes: [unauthenticated],
    requestsMax: 2,
  },
  {
    name: 'a signature that does not match',
    ...refusedAs('SignatureDoesNotMatch'),
    outcomes: [unauthenticated],
    requestsMax: 2,
  },
];
