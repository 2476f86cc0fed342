/**
 * S3 servers that cannot be trusted with conditional writes, each in its own way, on the wire: what a probe has to refuse
 * (R13). Modelled on servers that drop conditions, on proxies and load balancers in front of them, and on gateways that
 * check first and write later.
 */
import type { S3Answer, S3Request } from './protocol.ts';
import { reply, without, type S3Act, type S3Rule } from './script.ts';

type Serve = NonNullable<S3Act['serve']>;
type Run = Parameters<Serve>[1];
type Which = (request: S3Request) => boolean;

const isWrite: Which = ({ operation }) =>
  operation === 'PutObject' || operation === 'CompleteMultipartUpload';
const creates: Which = (request) => isWrite(request) && request.headers.has('if-none-match');
const swaps: Which = (request) => isWrite(request) && request.headers.has('if-match');
const conditional: Which = (request) => creates(request) || swaps(request);

const always = (on: Which, act: S3Act): S3Rule[] => [{ on, times: Infinity, do: act }];
const ignoring = (on: Which): S3Rule[] => always(on, { ignore: ['if-match', 'if-none-match'] });
const refusing = (on: Which, code: string): S3Rule[] =>
  always(on, { effect: 'none', answer: { code } });
const pretending = (on: Which): S3Rule[] =>
  always(on, { effect: 'none', answer: { status: 200, headers: { etag: '"x"' }, body: '' } });
const serving = (on: Which, serve: Serve): S3Rule[] => always(on, { serve });

const unconditional = (request: S3Request): S3Request =>
  without(request, ['if-match', 'if-none-match']);

const failed = ({ status }: S3Answer): boolean => status === 412 || status === 404;

/** The answer to a HEAD of the same key, body and all. */
function look(request: S3Request, run: Run): S3Answer {
  return run({ ...unconditional(request), operation: 'HeadObject' });
}

/** Whether the conditions of a write hold now, without writing. */
function holds(request: S3Request, run: Run): boolean {
  const { status, headers } = look(request, run);
  if (request.headers.has('if-none-match')) return status === 404;
  return status === 200 && headers['etag'] === request.headers.get('if-match');
}

/** Long enough for requests sent at the same time to arrive: so many turns of the event loop. */
async function gap(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const checkThenWrite: Serve = async (request, run) => {
  if (!holds(request, run)) return run(request);
  await gap();
  return run(unconditional(request));
};

const wonByAll: Serve = async (request, run) => {
  const free = holds(request, run);
  await gap();
  const answer = run(request);
  if (!free || !failed(answer)) return answer;
  return { status: 200, headers: { etag: '"won"' }, body: new Uint8Array() };
};

/** Tells etags of its own making for every object, and knows them again when they come back. */
function telling(told: (etag: string, size: number, key: string) => string): S3Rule[] {
  const named = (request: S3Request, run: Run): string | undefined => {
    const { status, headers, body } = look(request, run);
    if (status !== 200) return undefined;
    return told(headers['etag'] ?? '', body.length, request.key);
  };
  return serving(
    ({ operation }) => ['PutObject', 'GetObject', 'HeadObject'].includes(operation),
    (request, run) => {
      const known = request.headers.get('if-match');
      const same = known !== undefined && known === named(request, run);
      const headers = new Map(request.headers);
      if (same) headers.set('if-match', '*');
      const answer = run({ ...request, headers });
      const etag = answer.headers['etag'] === undefined ? undefined : named(request, run);
      return etag === undefined ? answer : reply({ headers: { etag } }, answer, request);
    },
  );
}

function anotherEachTime(): S3Rule[] {
  let n = 0;
  return telling((etag) => etag.replace(/"$/, `-${++n}"`));
}

function takesOldEtags(): S3Rule[] {
  const told = new Set<string>();
  return serving(isWrite, (request, run) => {
    const old = told.has(request.headers.get('if-match') ?? 'none');
    const answer = run(old ? unconditional(request) : request);
    if (answer.headers['etag'] !== undefined) told.add(answer.headers['etag']);
    return answer;
  });
}

function everySecondIgnores(): S3Rule[] {
  let n = 0;
  return serving(conditional, (request, run) =>
    run(n++ % 2 === 1 ? unconditional(request) : request),
  );
}

function refusesOnceSeen(): S3Rule[] {
  const seen = new Set<string>();
  return serving(creates, (request, run) => {
    if (seen.has(request.key)) return reply({ code: 'PreconditionFailed' }, run(request), request);
    seen.add(request.key);
    return run(request);
  });
}

function oneReadLate(): S3Rule[] {
  const shown = new Map<string, string>();
  return serving(
    ({ operation }) => operation === 'GetObject',
    (request, run) => {
      const answer = run(request);
      const now = answer.headers['etag'] ?? '';
      const before = shown.get(request.key);
      shown.set(request.key, now);
      if (before === undefined || before === now) return answer;
      return reply({ code: 'NoSuchKey' }, answer, request);
    },
  );
}

const habits: Readonly<Record<string, () => readonly S3Rule[]>> = {
  'ignores If-Match': () => ignoring(swaps),
  'ignores If-None-Match': () => ignoring(creates),
  'ignores every condition': () => ignoring(conditional),
  'ignores If-Match where nothing is': () =>
    serving(swaps, (request, run) => {
      const answer = run(request);
      return answer.status === 404 ? run(unconditional(request)) : answer;
    }),
  'ignores conditions on every second server': everySecondIgnores,
  'answers 412 to every condition': () => refusing(conditional, 'PreconditionFailed'),
  'answers 412 to every create': () => refusing(creates, 'PreconditionFailed'),
  'answers 412 to every If-Match': () => refusing(swaps, 'PreconditionFailed'),
  'answers 200 and stores nothing': () => pretending(isWrite),
  'answers 200 and stores nothing on If-Match': () => pretending(swaps),
  'answers 200 and stores half': () =>
    serving(isWrite, (request, run) =>
      run({ ...request, body: request.body.subarray(0, request.body.length >> 1) }),
    ),
  'answers 412 and stores': () =>
    serving(conditional, (request, run) => {
      const answer = run(request);
      if (failed(answer)) run(unconditional(request));
      return answer;
    }),
  'tells weak etags': () => telling((etag) => `W/${etag}`),
  'tells empty etags': () => telling(() => ''),
  'tells no etags': () => always(() => true, { answer: { headers: { etag: undefined } } }),
  'tells one etag for all content': () => telling(() => '"same"'),
  'tells etags that never change': () => telling((_etag, _size, key) => `"${key.length}-key"`),
  'tells etags of the size alone': () => telling((_, size) => `"${size}"`),
  'tells another etag every time': anotherEachTime,
  'takes any etag it ever told': takesOldEtags,
  'refuses conditions as not implemented': () => refusing(conditional, 'NotImplemented'),
  'refuses conditions as a bad request': () => refusing(conditional, 'InvalidArgument'),
  'checks first and writes later': () => serving(conditional, checkThenWrite),
  'checks first and writes later on create': () => serving(creates, checkThenWrite),
  'checks first and writes later on If-Match': () => serving(swaps, checkThenWrite),
  'tells every racer that it won': () => serving(conditional, wonByAll),
  'answers a create after a delete with 412': refusesOnceSeen,
  'shows writes one read late': oneReadLate,
};

export interface MisbehavingServer {
  readonly name: string;
  /** Rules to give to a double: `for (const rule of server.rules()) double.script(rule)`. They remember; ask for new ones each time. */
  readonly rules: () => readonly S3Rule[];
}

export const misbehavingServers: readonly MisbehavingServer[] = Object.entries(habits).map(
  ([name, rules]) => ({ name, rules }),
);
