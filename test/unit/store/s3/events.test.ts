/** At risk: an operator of a bare store, who is told nothing; one of a dataset on it, who is told everything twice. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { it } from 'node:test';
import { inspect } from 'node:util';
import { openDataset, withEvents, type LodeEvents } from '../../../../src/index.ts';
import { s3Store } from '../../../../src/s3.ts';
import { s3Double } from '../../../../src/testing/index.ts';

it('a bucket without a dataset tells of its requests and of what it sends again', async () => {
  await using double = await s3Double();
  const { bucket, endpoint, credentials } = double;
  await using bare = s3Store({
    bucket,
    endpoint,
    credentials,
    conditions: 'assume',
    backoff: { baseDelayMs: 0 },
  });
  const lines: string[] = [];
  const store = withEvents(bare, { logger: { info: (message) => void lines.push(message) } });
  const told: LodeEvents['lode:request'][] = [];
  const again: LodeEvents['lode:retry'][] = [];
  const onRequest = (event: unknown): void => void told.push(event as (typeof told)[number]);
  const onRetry = (event: unknown): void => void again.push(event as (typeof again)[number]);
  subscribe('lode:request', onRequest);
  subscribe('lode:retry', onRetry);
  try {
    double.script({ on: 'PutObject', do: { effect: 'none', answer: { code: 'SlowDown' } } });
    await store.put('a', 'x');
    await store.put('a', 'y');
    await (await store.get('a'))?.bytes();
    assert.equal(await store.head('b'), undefined);
    for await (const _ of store.list(''));
    await store.delete(['a', 'b']);
    double.script({ on: 'GetObject', do: { effect: 'none', answer: { code: 'AccessDenied' } } });
    await assert.rejects(store.get('a'));
    const seen = told.map(({ store: name, method, key, outcome, code = '', count = '' }) =>
      [name, method, key, outcome, code, count].join(' ').trim(),
    );
    assert.deepEqual(seen, [
      's3 put a ok',
      's3 put a conflict',
      's3 get a ok',
      's3 head b missing',
      's3 list  ok  1',
      's3 delete a ok  2',
      's3 get a failed LODE_PERMISSION_DENIED',
    ]);
    assert.deepEqual(
      again.map(({ key, code, failures }) => [key, code, failures]),
      [['a', 'LODE_UNAVAILABLE', 1]],
    );
    assert.deepEqual(lines, ['request sent again']);
    assert.ok(!inspect([told, again]).includes(credentials.secretAccessKey));

    told.length = 0;
    const before = double.requests.length;
    await (await openDataset('d', { store })).write([new Uint8Array(3)]);
    assert.equal(told.length, double.requests.length - before);
  } finally {
    unsubscribe('lode:request', onRequest);
    unsubscribe('lode:retry', onRetry);
  }
});
