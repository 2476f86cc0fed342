/** At risk: faults that do not happen. Each act of a script is seen from the other end of the socket. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isLodeError } from '../../../src/index.ts';
import { s3Double, virtualEnv, type S3Act, type S3Double } from '../../../src/testing/index.ts';
import { codeIn, elementsIn, send, type Received, type Sent } from '../../s3/wire.ts';

let double: S3Double;
beforeEach(async () => {
  double = await s3Double({ credentials: 'anyone', env: virtualEnv() });
});
afterEach(() => double.close());

const ask = (line: string, more: Partial<Sent> = {}): Promise<Received> => {
  const [method = '', path = ''] = line.split(' ');
  return send(double, { method, path, sign: false, ...more });
};
const create = (body: string, more: Partial<Sent> = {}): Promise<Received> =>
  ask('PUT /bucket/k', { body, headers: { 'if-none-match': '*' }, ...more });
const once = (act: S3Act): void => void double.script({ do: act });

describe('rules', () => {
  it('choose by operation, key and number; the first that is due is done', async () => {
    double.put('a', 'x');
    const busy = { effect: 'none', answer: { code: 'SlowDown' } } as const;
    const rule = double.script({ on: ['GetObject'], key: 'a', at: 1, times: 2, do: busy });
    double.script({ on: ({ headers }) => headers.has('x-mark'), do: { answer: { status: 418 } } });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await ask('HEAD /bucket/a');
      seen.push((await ask('GET /bucket/a')).status);
    }
    assert.deepEqual([seen, rule.fired], [[200, 503, 503, 200], 2]);
    assert.equal((await ask('GET /bucket/a', { headers: { 'x-mark': '1' } })).status, 418);
    rule.remove();
  });

  it('several acts are done in turn', async () => {
    double.script({
      on: 'PutObject',
      do: [{ answer: { code: 'InternalError' } }, { effect: 'none', answer: { code: 'SlowDown' } }],
    });
    const statuses = [(await create('1')).status, (await create('2')).status];
    assert.deepEqual([...statuses, (await create('3')).status], [500, 503, 412]);
  });
});

describe('effects', () => {
  it('none: answered, nothing done', async () => {
    once({ effect: 'none', answer: { code: 'AccessDenied' } });
    const answer = await create('x');
    assert.deepEqual([answer.status, codeIn(answer)], [403, 'AccessDenied']);
    assert.equal(double.objects.size, 0);
  });

  it('done, then answered with an error', async () => {
    once({ answer: { code: 'InternalError' } });
    assert.equal((await create('x')).status, 500);
    assert.equal(double.text('k'), 'x');
  });

  it('twice: the second answer is 412 on our own write', async () => {
    once({ effect: 'twice' });
    assert.equal((await create('x')).status, 412);
    assert.equal(double.text('k'), 'x');
  });

  it('later: lands with the k-th request after it, under its conditions', async () => {
    once({ effect: { laterBy: 2 } });
    assert.equal((await create('late')).failure, 'ECONNRESET');
    assert.equal((await ask('HEAD /bucket/k')).status, 404);
    assert.equal((await ask('HEAD /bucket/k')).status, 200);
    once({ effect: { laterBy: 9 }, answer: { code: 'InternalError' } });
    assert.equal((await create('lost')).status, 500);
    assert.equal(double.landLate(), 1);
    assert.equal(double.text('k'), 'late');
  });

  it('conditions ignored', async () => {
    double.put('k', 'old');
    once({ ignore: ['if-none-match'] });
    assert.equal((await create('new')).status, 200);
    assert.equal(double.text('k'), 'new');
  });

  it('stale: reads see what was', async () => {
    double.put('a', 'x');
    once({ stale: true });
    double.put('b', 'x');
    assert.deepEqual(elementsIn(await ask('GET /bucket?list-type=2'), 'Key'), ['a']);
    assert.deepEqual(elementsIn(await ask('GET /bucket?list-type=2'), 'Key'), ['a', 'b']);
  });

  it('served otherwise', async () => {
    double.put('k', 'x');
    once({ serve: (request, run) => run({ ...request, method: 'GET', key: 'none' }) });
    assert.equal((await ask('GET /bucket/k')).status, 404);
  });
});

describe('answers', () => {
  it('changed in part: headers gone, headers new, another body', async () => {
    double.put('k', 'x');
    once({ answer: { headers: { etag: undefined, 'x-new': '1' }, body: 'other' } });
    const got = await ask('GET /bucket/k');
    assert.deepEqual([got.headers.etag, got.headers['x-new'], got.body], [undefined, '1', 'other']);
  });

  it('changed by a function', async () => {
    double.put('k', 'x');
    once({
      answer: (answer) => ({
        ...answer,
        headers: { ...answer.headers, etag: `W/${answer.headers['etag']}` },
      }),
    });
    assert.match((await ask('GET /bucket/k')).headers.etag ?? '', /^W\/"/);
  });

  it('chunked, without a length', async () => {
    double.put('k', 'x'.repeat(5000));
    once({ chunked: true });
    const got = await ask('GET /bucket/k');
    assert.equal(got.headers['content-length'], undefined);
    assert.equal(got.bytes.length, 5000);
  });

  it('early: before the body is read', async () => {
    once({ early: true, answer: { code: 'SlowDown' } });
    const answer = await ask('PUT /bucket/k', { body: 'x', expectContinue: true });
    assert.deepEqual([answer.status, answer.continued], [503, false]);
    assert.equal(double.objects.size, 0);
    const next = await ask('PUT /bucket/k', { body: 'x', expectContinue: true });
    assert.deepEqual([next.status, next.continued, double.text('k')], [200, true, 'x']);
  });

  it('refused before the body, when the signature is wrong', async () => {
    await using closed = await s3Double();
    const path = '/bucket/k';
    const sent = { method: 'PUT', path, body: 'x', sign: false, expectContinue: true } as const;
    const answer = await send(closed, sent);
    assert.deepEqual([answer.status, answer.continued], [403, false]);
  });
});

describe('the wire', () => {
  it('cut after every byte of the head: the write has happened, no answer is whole', async () => {
    await create('x');
    const head = double.requests[0]?.headBytes ?? 0;
    assert.ok(head > 100);
    for (let n = 0; n < head; n++) {
      double.clear();
      once({ cut: { head: n } });
      const answer = await ask('PUT /bucket/k', { body: String(n) });
      assert.deepEqual([answer.status, answer.failure], [0, 'ECONNRESET'], `${n} of ${head}`);
      assert.equal(double.text('k'), String(n));
    }
    once({ cut: { head } });
    assert.equal((await ask('PUT /bucket/k', { body: 'whole' })).status, 200);
  });

  it('cut in the body, by a reset or an early end', async () => {
    double.put('k', '0123456789');
    once({ cut: { body: 4 } });
    const reset = await ask('GET /bucket/k');
    assert.deepEqual([reset.status, reset.failure], [200, 'ECONNRESET']);
    once({ cut: { body: 4 }, end: 'close' });
    const early = await ask('GET /bucket/k');
    assert.deepEqual([early.failure, early.body], ['ECONNRESET', '0123']);
  });

  it('ends with a reset or an end, as the script says', async () => {
    double.put('k', '0123456789');
    const seen: string[] = [];
    for (const end of [undefined, 'close', 'reset'] as const) {
      once({ cut: { body: 4 }, ...(end && { end }) });
      const socket = connect(double.port, '127.0.0.1');
      socket.write('GET /bucket/k HTTP/1.1\r\nhost: x\r\n\r\n');
      socket.resume();
      const [name] = await Promise.race([
        new Promise<[string]>((done) => socket.once('end', () => done(['end']))),
        new Promise<[string]>((done) => socket.once('error', () => done(['reset']))),
      ]);
      seen.push(name);
      socket.destroy();
    }
    assert.deepEqual(seen, ['reset', 'end', 'reset']);
  });

  it('refused before anything happens', async () => {
    for (const refuse of ['reset', 'close'] as const) {
      once({ refuse });
      assert.equal((await create('x')).failure, 'ECONNRESET');
    }
    assert.equal(double.objects.size, 0);
  });

  it('a length that is too long or too short', async () => {
    double.put('k', '0123456789');
    once({ lengthOff: 3 });
    const long = await ask('GET /bucket/k');
    assert.deepEqual([long.failure, long.body], ['ECONNRESET', '0123456789']);
    once({ lengthOff: -3 });
    const short = await ask('GET /bucket/k');
    assert.equal(short.headers['content-length'], '7');
    assert.match(short.failure ?? '', /^HPE_/);
  });

  it('a slow body arrives whole, and its waits cost no time', async () => {
    double.put('k', 'x'.repeat(1000));
    once({ pace: { bytes: 100, everyMs: 60_000 }, delayMs: 1e6, answerDelayMs: 1e6 });
    assert.equal((await ask('GET /bucket/k')).bytes.length, 1000);
  });

  it('half closed: the answer is whole and the connection is not used again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    once({ end: 'half-close' });
    assert.equal((await create('x', { agent })).status, 200);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await ask('HEAD /bucket/k', { agent })).status, 200);
    agent.destroy();
    assert.deepEqual(
      double.requests.map(({ connection }) => connection),
      [1, 2],
    );
  });

  it('a connection is kept between whole answers', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 5; i++) await ask('PUT /bucket/k', { agent, body: String(i) });
    await ask('GET /bucket/none', { agent });
    agent.destroy();
    assert.deepEqual(new Set(double.requests.map(({ connection }) => connection)), new Set([1]));
  });

  it('never answered: the request has happened, and the client may leave', async () => {
    once({ hang: true });
    const agent = new Agent();
    const answer = create('x', { agent });
    while (double.text('k') === undefined) await new Promise((resolve) => setImmediate(resolve));
    agent.destroy();
    assert.equal((await answer).failure, 'ECONNRESET');
  });

  it('a body that never ends is not stored', async () => {
    const socket = connect(double.port, '127.0.0.1');
    socket.write('PUT /bucket/k HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n0123');
    while (double.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while (double.requests[0]?.ended === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([double.objects.size, double.requests[0].status], [0, 0]);
  });

  it('what is not HTTP is answered 400 and closed', async () => {
    const socket = connect(double.port, '127.0.0.1');
    socket.write('hello\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 400 /);
  });
});

describe('time', () => {
  it('requests in parallel have the depth of one, those that wait have more', async () => {
    await using slow = await s3Double({
      credentials: 'anyone',
      env: virtualEnv(),
      latencyMs: 50,
    });
    const get = (): Promise<Received> =>
      send(slow, { method: 'GET', path: '/bucket/k', sign: false });
    await Promise.all(Array.from({ length: 20 }, get));
    await get();
    assert.deepEqual([slow.requests.length, slow.depth], [21, 2]);
  });

  it('stands still while bytes are on their way, and jumps when nothing moves', async () => {
    const env = virtualEnv();
    await using other = await s3Double({ credentials: 'anyone', env });
    const outcomes: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      const deadline = new AbortController();
      const timeout = env.sleep(1, deadline.signal).then(
        () => 'timeout',
        () => 'aborted',
      );
      const answer = send(other, { method: 'GET', path: '/bucket/k', sign: false });
      outcomes.push(await Promise.race([timeout, answer.then(({ status }) => status)]));
      deadline.abort('done');
    }
    assert.deepEqual(new Set(outcomes), new Set([404]));
    other.script({ do: { hang: true } });
    const agent = new Agent();
    const hung = send(other, { method: 'GET', path: '/bucket/k', sign: false, agent });
    await env.sleep(30_000);
    agent.destroy();
    assert.equal((await hung).failure, 'ECONNRESET');
  });
});

describe('the double', () => {
  it('ends what waits when it closes', async () => {
    once({ hang: true });
    const answer = ask('GET /bucket/k');
    while (double.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await double.close();
    assert.equal((await answer).failure, 'ECONNRESET');
    assert.equal((await ask('GET /bucket/k')).failure, 'ECONNREFUSED');
  });

  it('is not offered where nothing can listen', async () => {
    const { listen } = await import('../../../src/platform/web/loopback.ts');
    assert.equal(listen, undefined);
    assert.ok(!isLodeError(await s3Double().then((one) => one.close())));
  });
});
