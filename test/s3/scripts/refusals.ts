/** Hazards of single writes: refusals, redirects, and successes that are misstated. */
import type { S3Act, S3Rule } from '../../../src/testing/index.ts';
import {
  anyError,
  denied,
  uncertain,
  unavailable,
  type WireCall,
  type WireScript,
} from './script.ts';

const create: readonly WireCall[] = [{ put: 'k', body: 'ours' }];
const swap: readonly WireCall[] = [{ put: 'k', body: 'ours', mode: 'ifMatch current' }];
const ours = { k: 'ours' };
const nothing = { k: undefined };

const onPut = (act: S3Act | readonly S3Act[], times?: number): S3Rule[] => [
  { on: 'PutObject', do: act, ...(times !== undefined && { times }) },
];
const forEver = Infinity;

const refused: readonly WireScript[] = [
  {
    name: 'busy three times',
    rules: onPut({ effect: 'none', answer: { code: 'SlowDown' } }, 3),
    calls: create,
    outcomes: ['stored'],
    after: ours,
    requestsMax: 4,
  },
  {
    name: 'busy without saying why',
    rules: onPut({ effect: 'none', answer: { status: 503, body: '' } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'busy for ever',
    rules: onPut({ effect: 'none', answer: { code: 'SlowDown' } }, forEver),
    calls: create,
    outcomes: [unavailable, uncertain],
    resolves: 'landed',
  },
  {
    name: 'failing for ever: not a success, not a conflict',
    rules: onPut({ effect: 'none', answer: { code: 'InternalError' } }, forEver),
    calls: create,
    outcomes: [unavailable, uncertain],
    after: nothing,
  },
  {
    name: 'failing for ever, in HTML of 5 MB',
    rules: onPut(
      { effect: 'none', answer: { status: 500, body: `<html>${'x'.repeat(5e6)}` } },
      forEver,
    ),
    calls: create,
    outcomes: [unavailable, uncertain],
    after: nothing,
  },
  {
    name: 'a connection reset before the body was read',
    rules: onPut({ refuse: 'reset' }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'a connection closed before the body was read, three times',
    rules: onPut({ refuse: 'close' }, 3),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'an answer before the body was read: busy',
    rules: onPut({ early: true, answer: { code: 'SlowDown' } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'no permission to write',
    rules: onPut({ effect: 'none', answer: { code: 'AccessDenied' } }, forEver),
    calls: create,
    outcomes: [denied],
    after: nothing,
    requestsMax: 1,
  },
  {
    name: 'conditions not implemented',
    rules: onPut({ effect: 'none', answer: { code: 'NotImplemented' } }, forEver),
    calls: create,
    outcomes: ['error LODE_CONDITIONS_UNSUPPORTED', 'error LODE_UNSUPPORTED'],
    after: nothing,
  },
  {
    name: 'no room',
    rules: onPut({ effect: 'none', answer: { code: 'QuotaExceeded', status: 507 } }, forEver),
    calls: create,
    outcomes: ['error LODE_STORAGE_FULL'],
    after: nothing,
  },
  {
    name: 'no such bucket is not a lost race',
    objects: { k: 'old' },
    rules: onPut({ effect: 'none', answer: { code: 'NoSuchBucket' } }, forEver),
    calls: swap,
    outcomes: ['error LODE_NO_BUCKET'],
    requestsMax: 1,
  },
  {
    name: 'a key the server finds too long',
    rules: onPut({ effect: 'none', answer: { code: 'KeyTooLongError' } }, forEver),
    calls: create,
    outcomes: ['error LODE_INVALID_KEY'],
    requestsMax: 1,
  },
  {
    name: 'entities without end in an error',
    rules: onPut(
      {
        effect: 'none',
        answer: {
          status: 400,
          body: '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Error><Code>&b;</Code></Error>',
        },
      },
      forEver,
    ),
    calls: create,
    outcomes: [anyError],
    after: nothing,
  },
];

const moved: readonly WireScript[] = [
  {
    name: 'a redirect to another host takes no credentials there',
    rules: (elsewhere) =>
      onPut(
        {
          effect: 'none',
          answer: { code: 'TemporaryRedirect', headers: { location: `${elsewhere}/bucket/k` } },
        },
        forEver,
      ),
    calls: create,
    outcomes: [anyError],
    after: nothing,
  },
  {
    name: 'a permanent redirect that names another endpoint takes no credentials there',
    rules: (elsewhere) =>
      onPut(
        {
          effect: 'none',
          answer: {
            code: 'PermanentRedirect',
            headers: { location: `${elsewhere}/bucket/k` },
            body: `<Error><Code>PermanentRedirect</Code><Endpoint>${elsewhere.slice(7)}</Endpoint></Error>`,
          },
        },
        forEver,
      ),
    calls: create,
    outcomes: [anyError],
    after: nothing,
  },
  {
    name: 'a redirect to nowhere',
    rules: onPut({ effect: 'none', answer: { status: 301, body: '' } }, forEver),
    calls: create,
    outcomes: [anyError],
    after: nothing,
  },
];

const misstated: readonly WireScript[] = [
  {
    name: 'success without an etag',
    rules: onPut({ answer: { headers: { etag: undefined } } }),
    calls: create,
    outcomes: ['stored', 'error LODE_CONDITIONS_UNSUPPORTED'],
    after: ours,
  },
  {
    name: 'success with a weak etag',
    rules: onPut({ answer: { headers: { etag: 'W/"1"' } } }),
    calls: create,
    outcomes: ['stored', 'error LODE_CONDITIONS_UNSUPPORTED'],
    after: ours,
  },
  {
    name: 'success that promises more body than it has',
    rules: onPut({ lengthOff: 10 }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'success with a body nobody asked for, in chunks',
    rules: onPut({ chunked: true, answer: { body: 'x'.repeat(100_000) } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'success that arrives byte by byte',
    rules: onPut({ pace: { bytes: 1, everyMs: 1 } }),
    calls: create,
    outcomes: ['stored'],
    after: ours,
  },
  {
    name: 'a connection closed behind a whole answer',
    rules: onPut({ end: 'half-close' }),
    calls: [...create, { put: 'l', body: 'x' }],
    outcomes: ['stored'],
    after: { k: 'ours', l: 'x' },
  },
];

export const refusalScripts: readonly WireScript[] = [...refused, ...moved, ...misstated];
