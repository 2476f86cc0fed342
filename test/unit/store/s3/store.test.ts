/** At risk: commits on servers that cannot keep them, requests nobody asked for, secrets that show. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import { jsonl, openDataset, type LodeError } from '../../../../src/index.ts';
import { s3Store, type S3Store } from '../../../../src/s3.ts';
import { misbehavingServers, s3Double, type S3Double } from '../../../../src/testing/index.ts';

function open(double: S3Double, prefix = ''): S3Store {
  const { endpoint, bucket, credentials } = double;
  return s3Store({
    endpoint,
    bucket,
    credentials,
    prefix,
    backoff: { maxDelayMs: 1 },
    attempts: 3,
  });
}

describe('a bucket whose server misbehaves', () => {
  for (const { name, rules } of misbehavingServers) {
    it(`is refused before the first conditional put, and left empty: ${name}`, async () => {
      await using double = await s3Double();
      await using store = open(double, 'team');
      for (const rule of rules()) double.script(rule);
      for (const mode of ['create', { ifMatch: '"x"' }] as const) {
        await assert.rejects(store.put('dataset/latest', 'x', { mode }), (error: LodeError) => {
          assert.equal(error.code, 'LODE_CONDITIONS_UNSUPPORTED', inspect(error));
          return true;
        });
      }
      assert.deepEqual([...double.objects.keys()], []);
    });
  }

  it('is proved honest once, inside the prefix, and never by reads', async () => {
    await using double = await s3Double();
    await using store = open(double, 'team');
    await store.get('a');
    assert.equal(double.requests.length, 1);
    await store.put('a', 'x');
    const probed = double.requests.length;
    assert.ok(double.requests.every(({ key }) => key.startsWith('team/')));
    await store.put('b', 'x');
    assert.equal(double.requests.length, probed + 1);
    assert.deepEqual([...double.objects.keys()].sort(), ['team/a', 'team/b']);
  });
});

describe('a dataset in a bucket', () => {
  it('is written, listed and read, and a commit is three requests', async () => {
    await using double = await s3Double();
    await using store = open(double, 'data');
    const events = await openDataset<{ n: number }>('events', { store, codec: jsonl() });
    const first = await events.write([{ n: 1 }]);
    double.clear();
    const second = await events.write([{ n: 2 }]);
    assert.deepEqual(
      double.requests.map(({ method }) => method),
      ['PUT', 'PUT', 'PUT'],
    );
    const other = open(double, 'data');
    const reader = await openDataset<{ n: number }>('events', { store: other, codec: jsonl() });
    assert.equal((await reader.latest()).id, second.id);
    assert.deepEqual(await reader.read(first.id), [{ n: 1 }]);
    await other.close();
  });
});

describe('a store in a bucket', () => {
  it('shows no secret when it is printed', async () => {
    await using double = await s3Double();
    await using store = open(double);
    await store.get('a');
    const shown = inspect(store, { depth: 20, showHidden: true }) + JSON.stringify(store);
    assert.doesNotMatch(shown, /double\/secret/);
  });

  it('sends nothing before it is asked, and nothing while it is idle', async () => {
    await using double = await s3Double();
    await using store = open(double);
    assert.equal(double.requests.length, 0);
    assert.equal(store.capabilities.conditionalWrites, 'all');
  });
});
