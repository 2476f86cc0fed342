/** Hazards of uploads in parts: completions that fail in their body, ids that are gone, parts and aborts that are lost. */
import type { S3Act, S3Operation, S3Rule } from '../../../src/testing/index.ts';
import { anyError, uncertain, unavailable, type WireCall, type WireScript } from './script.ts';

/** More than one part of the smallest size. */
const bytes = 5 * 1024 * 1024 + 10;
const create: readonly WireCall[] = [{ put: 'k', body: { bytes } }, { head: 'k' }];
const upload: readonly WireCall[] = [{ put: 'k', body: { bytes } }];
const nothing = { k: undefined };

const on = (operation: S3Operation, act: S3Act | readonly S3Act[], times?: number): S3Rule[] => [
  { on: operation, do: act, ...(times !== undefined && { times }) },
];
const onComplete = (act: S3Act | readonly S3Act[], times?: number): S3Rule[] =>
  on('CompleteMultipartUpload', act, times);

/** Somebody else's write lands while the parts are on their way. */
const overtaken = on('UploadPart', {
  serve: (request, run) => {
    const body = new TextEncoder().encode('theirs');
    const headers = new Map([['content-length', '6']]);
    run({ ...request, operation: 'PutObject', method: 'PUT', headers, body });
    return run(request);
  },
});
const theirs = { k: 'theirs' };

const errorBody = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`;
const failsInBody = (code: string): S3Act => ({
  effect: 'none',
  answer: { status: 200, body: errorBody(code) },
});

export const uploadScripts: readonly WireScript[] = [
  {
    name: 'an upload in parts arrives whole',
    rules: [],
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: 'a completion whose answer is lost: the id is gone, the object is ours',
    rules: onComplete({ cut: { head: 0 } }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: 'a completion whose answer is lost in its body',
    rules: onComplete({ cut: { body: 30 } }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: 'a completion delivered twice: the second finds the id gone',
    rules: onComplete({ effect: 'twice' }),
    calls: upload,
    outcomes: ['stored', uncertain],
    resolves: 'landed',
  },
  {
    name: 'a completion that lands late',
    rules: onComplete({ effect: { laterBy: 1 } }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: '200 with an error in the body is no success: asked again',
    rules: onComplete(failsInBody('InternalError')),
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: '200 with an error in the body, for ever',
    rules: onComplete(failsInBody('InternalError'), Infinity),
    calls: upload,
    outcomes: [unavailable, uncertain],
    after: nothing,
  },
  {
    name: '200 with an error in the body, and done all the same',
    rules: onComplete({ answer: { status: 200, body: errorBody('InternalError') } }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: '200 with a failed condition in the body is a lost race',
    rules: [...overtaken, ...onComplete(failsInBody('PreconditionFailed'), Infinity)],
    calls: upload,
    outcomes: ['conflict'],
    after: theirs,
  },
  {
    name: '200 with half an answer',
    rules: onComplete({ answer: { body: '<CompleteMultipartUploadResult><ETag>&quot;' } }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: 'a completion that keeps the line warm with spaces',
    rules: onComplete({
      chunked: true,
      answer: (answer) => {
        const [first = '', rest = ''] = new TextDecoder().decode(answer.body).split('?>');
        const body = new TextEncoder().encode(`${first}?>${' \n'.repeat(5000)}${rest}`);
        return { ...answer, body };
      },
    }),
    calls: upload,
    outcomes: ['stored'],
  },
  {
    name: 'an upload to where something is leaves no upload',
    objects: theirs,
    rules: [],
    calls: upload,
    outcomes: ['conflict'],
    after: theirs,
  },
  {
    name: 'a completion that lost the race leaves no upload',
    rules: overtaken,
    calls: upload,
    outcomes: ['conflict'],
    after: theirs,
  },
  {
    name: 'a completion for a swap of what is gone',
    rules: [],
    calls: [{ put: 'k', body: { bytes }, mode: 'ifMatch stale' }],
    outcomes: ['conflict'],
    after: nothing,
  },
  {
    name: '409 to a completion: the upload is made again or completed again',
    rules: onComplete({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }),
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: 'a part that fails once',
    rules: on('UploadPart', { effect: 'none', answer: { code: 'InternalError' } }),
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: 'a part that fails for ever: aborted, nothing left',
    rules: on('UploadPart', { effect: 'none', answer: { code: 'InternalError' } }, Infinity),
    calls: upload,
    outcomes: [unavailable],
    after: nothing,
  },
  {
    name: 'a part whose answer is lost',
    rules: on('UploadPart', { cut: { head: 10 } }),
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: 'a part that gets no etag',
    rules: on('UploadPart', { answer: { headers: { etag: undefined } } }, Infinity),
    calls: upload,
    outcomes: [anyError],
    after: nothing,
  },
  {
    name: 'an upload that somebody aborts in between',
    rules: on('UploadPart', { effect: 'none', answer: { code: 'NoSuchUpload' } }, Infinity),
    calls: upload,
    outcomes: [anyError],
    after: nothing,
  },
  {
    name: 'an upload that cannot begin at once',
    rules: on('CreateMultipartUpload', { effect: 'none', answer: { code: 'SlowDown' } }, 2),
    calls: create,
    outcomes: [`size ${bytes}`],
  },
  {
    name: 'an upload whose beginning is not answered: another is begun, one is left to the sweep',
    rules: on('CreateMultipartUpload', { cut: { head: 0 } }),
    calls: create,
    outcomes: [`size ${bytes}`],
    uploads: 1,
  },
  {
    name: 'an upload that gets no id',
    rules: on(
      'CreateMultipartUpload',
      { effect: 'none', answer: { status: 200, body: '<InitiateMultipartUploadResult/>' } },
      Infinity,
    ),
    calls: upload,
    outcomes: [anyError],
    after: nothing,
  },
  {
    name: 'an abort that is lost is sent again',
    rules: [...overtaken, ...on('AbortMultipartUpload', { refuse: 'reset' })],
    calls: upload,
    outcomes: ['conflict'],
  },
];
