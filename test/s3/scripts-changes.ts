/**
 * At risk: what changes while requests are under way. A clock, a region or a token that one call sets right is wrong for the
 * others too; and a call that cannot go on must not say that nothing happened when its first attempt has landed.
 */
import assert from 'node:assert/strict';
import { isLodeError, systemEnv } from '../../src/index.ts';
import { s3Store, type S3CredentialSource, type S3Store } from '../../src/s3.ts';
import { s3Double, type S3Double } from '../../src/testing/index.ts';
import { failsWith, secret, sent, textAt, type WireScript } from './scene.ts';

const key = 'dir/object';
const own = { accessKeyId: 'AKIDSCRIPT', secretAccessKey: secret };
const minute = 60_000;
const part = 5 * 1024 * 1024;

const eight = <T>(call: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 8 }, (_, i) => call(i)));

function asking(
  { bucket, endpoint }: S3Double,
  credentials: S3CredentialSource,
  attempts = 4,
): S3Store {
  const backoff = { baseDelayMs: 1, maxDelayMs: 2 };
  return s3Store({ bucket, endpoint, credentials, attempts, backoff, conditions: 'assume' });
}

export const changeScripts: readonly WireScript[] = [
  {
    name: 'the clock is off, and eight calls find out at once',
    async run({ store, double }) {
      double.stepClock(60 * minute);
      for (const { outcome } of await eight((i) => store.put(`k${i}`, 'x')))
        assert.equal(outcome, 'stored');
      double.stepClock(-120 * minute);
      for (const info of await eight((i) => store.head(`k${i}`))) assert.equal(info?.size, 1);
      assert.ok(double.requests.length <= 32);
    },
  },
  {
    name: 'the region is wrong, and eight calls find out at once',
    options: { region: 'eu-west-1' },
    async run({ store, double }) {
      for (const { outcome } of await eight((i) => store.put(`k${i}`, 'x')))
        assert.equal(outcome, 'stored');
      assert.ok(double.requests.length <= 16);
    },
  },
  {
    name: 'a token expires, and HEAD, whose answer has no document, finds out',
    async run() {
      const token = (n: number) => ({ ...own, accessKeyId: `A${n}`, sessionToken: `token-${n}` });
      const credentials = [{ ...token(1), expiresMs: 1 }, token(2)];
      const double = await s3Double({ credentials });
      let asked = 0;
      const store = asking(double, () => token(++asked));
      try {
        double.put(key, 'x');
        assert.equal((await store.head(key))?.size, 1);
        assert.deepEqual([asked, sent(double, 'HeadObject')], [2, 2]);
      } finally {
        await store.close();
        await double.close();
      }
    },
  },
  {
    name: 'a provider fails while the credentials it gave are still good, and after that',
    async run({ double }) {
      let nowMs = Date.now();
      let asked = 0;
      const provider = (): typeof own & { expiration: Date } => {
        if (++asked > 1) throw new Error('no answer');
        return { ...own, expiration: new Date(nowMs + 4 * minute) };
      };
      const { bucket, endpoint } = double;
      const env = { ...systemEnv, now: () => BigInt(nowMs) * 1_000_000n };
      const setup = { bucket, endpoint, credentials: provider, env, conditions: 'assume' } as const;
      await using store = s3Store(setup);
      for (const name of ['k', 'l']) assert.equal((await store.put(name, 'x')).outcome, 'stored');
      assert.equal(asked, 2);
      nowMs += 5 * minute;
      await failsWith(store.put(key, 'y'), 'LODE_UNAUTHENTICATED');
    },
  },
  {
    name: 'a provider that never answers: an abort ends the wait',
    async run({ double }) {
      await using store = asking(double, () => new Promise(() => {}));
      const abort = new AbortController();
      const reason = new Error('enough');
      const call = store.get(key, { signal: abort.signal });
      abort.abort(reason);
      await assert.rejects(call, (error) => error === reason);
    },
  },
  ...(['create', 'overwrite'] as const).map((mode): WireScript => ({
    name: `${mode}: it lands, the answer is lost, and no credentials are to be had for asking again`,
    async run() {
      let asked = 0;
      const old = { ...own, sessionToken: 'old' };
      const double = await s3Double({ credentials: [old] });
      const store = asking(double, () => {
        if (++asked > 1) throw new Error('no answer');
        return old;
      });
      double.script({
        on: 'PutObject',
        do: [{ cut: { head: 0 } }, { effect: 'none', answer: { code: 'ExpiredToken' } }],
      });
      try {
        await failsWith(store.put(key, 'x', { mode }), 'LODE_WRITE_UNCERTAIN');
        assert.equal(double.text(key), 'x');
      } finally {
        await store.close();
        await double.close();
      }
    },
  })),
  ...([1, part + 1] as const).map((size): WireScript => ({
    name: `${size} bytes: they land, and the store is closed before the answer is there`,
    options: { partBytes: part, parallelParts: 1, timeoutMs: 30_000 },
    async run({ store, double }) {
      double.script({
        on: ['PutObject', 'CompleteMultipartUpload'],
        do: {
          serve(request, run) {
            const answer = run(request);
            void store.close();
            return answer;
          },
          hang: true,
        },
      });
      const body = new Uint8Array(size);
      await failsWith(store.put(key, body, { mode: 'create' }), 'LODE_WRITE_UNCERTAIN');
      assert.equal(double.objects.get(key)?.body.length, size);
    },
  })),
  {
    name: 'it lands, and the server says that we were gone',
    rules: [{ on: 'PutObject', do: { answer: { status: 499, body: '' } } }],
    async run({ store, double }) {
      assert.equal((await store.put(key, 'x', { mode: 'create' })).outcome, 'stored');
      assert.equal(double.text(key), 'x');
    },
  },
  {
    name: 'an upload lands unanswered and is replaced: nobody says that it has not landed',
    options: { partBytes: part, parallelParts: 1 },
    async run({ store, double, other }) {
      double.script({ on: 'CompleteMultipartUpload', times: 9, do: { cut: { head: 0 } } });
      const busy = { effect: 'none', answer: { status: 503, body: '' } } as const;
      // The first asks whether the race is lost already.
      const blind = double.script({ on: 'HeadObject', at: 1, times: 99, do: busy });
      const error: unknown = await store
        .put(key, new Uint8Array(part + 1), { mode: 'create' })
        .catch((e: unknown) => e);
      assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'));
      blind.remove();
      const ifMatch = double.objects.get(key)?.etag ?? '';
      assert.equal((await other.put(key, 'x', { mode: { ifMatch } })).outcome, 'stored');
      await failsWith(error.details.resolve(), 'LODE_WRITE_UNCERTAIN');
      assert.equal(await textAt(other, key), 'x');
    },
  },
];
