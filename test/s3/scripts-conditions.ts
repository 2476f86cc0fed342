/** Writes whose answers are lost, late, doubled or wrong. */
import assert from 'node:assert/strict';
import { isLodeError, type LodeError } from '../../src/index.ts';
import type { S3Act } from '../../src/testing/index.ts';
import { failsWith, sent, textAt, type Scene, type WireScript } from './scene.ts';

const key = 'dir/object';
/** More than the buffers of a connection hold: some of it waits on this side. */
const large = new Uint8Array(32 << 20);
const put = (act: S3Act | readonly S3Act[], times?: number): WireScript['rules'] => [
  { on: 'PutObject', do: act, ...(times !== undefined && { times }) },
];
const once = (name: string, act: S3Act, modes = ['create', 'ifMatch', 'overwrite']): WireScript[] =>
  modes.map((mode) => ({
    name: `${mode}: ${name}`,
    async run({ store, double }) {
      double.put(key, 'before');
      const etag = (await store.head(key))?.etag ?? '';
      const name_ = mode === 'create' ? 'dir/new' : key;
      double.script({ on: 'PutObject', do: act });
      const how = mode === 'ifMatch' ? { ifMatch: etag } : (mode as 'create' | 'overwrite');
      const result = await store.put(name_, 'after', { mode: how });
      assert.equal(result.outcome, 'stored');
      assert.equal(double.text(name_), 'after');
      assert.equal(result.etag, double.objects.get(name_)?.etag);
    },
  }));

const conflict = async (put: Promise<{ readonly outcome: string }>): Promise<void> =>
  assert.equal((await put).outcome, 'conflict');

async function uncertain({ store }: Scene): Promise<LodeError<'LODE_WRITE_UNCERTAIN'>> {
  try {
    await store.put(key, 'mine');
  } catch (error) {
    if (isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return error;
    throw error;
  }
  throw new Error('the put was answered');
}

export const conditionScripts: readonly WireScript[] = [
  ...once('the answer is cut before its first byte', { cut: { head: 0 } }),
  ...once('the answer is cut in its head', { cut: { head: 20 } }),
  ...once('the connection is reset before the request is read', { refuse: 'reset' }),
  ...once('the server falls silent after storing', { hang: true }),
  ...once('500 after storing', { answer: { code: 'InternalError' } }),
  ...once('503 after storing, from something in between', {
    answer: { status: 503, body: 'busy' },
  }),
  ...once('503 SlowDown before storing', { effect: 'none', answer: { code: 'SlowDown' } }),
  ...once('409 before storing', { effect: 'none', answer: { code: 'ConditionalRequestConflict' } }),
  ...once('429 before storing', { effect: 'none', answer: { status: 429, body: '' } }),
  ...once('400 RequestTimeout before storing', {
    effect: 'none',
    answer: { code: 'RequestTimeout' },
  }),
  ...once('an answer before the body was read', { early: true, answer: { code: 'SlowDown' } }),
  ...once('stored when the next request arrives', { effect: { laterBy: 1 } }),
  ...once('an answer without an etag', { answer: { headers: { etag: undefined } } }),
  ...once('an answer with a weak etag', { answer: { headers: { etag: 'W/"x"' } } }),
  ...once('a request that is delivered twice', { effect: 'twice' }, ['overwrite']),
  {
    name: 'a lost race is one request and a value',
    async run({ store, double }) {
      double.put(key, 'theirs');
      await conflict(store.put(key, 'mine'));
      await conflict(store.put(key, 'mine', { mode: { ifMatch: '"other"' } }));
      assert.equal(double.requests.length, 2);
    },
  },
  {
    name: 'If-Match where nothing is: 404 is a lost race',
    run: async ({ store }) => conflict(store.put(key, 'mine', { mode: { ifMatch: '"x"' } })),
  },
  {
    name: 'a weak etag to compare with is refused before anything is sent',
    async run({ store, double }) {
      const mode = { ifMatch: 'W/"x"' };
      await failsWith(store.put(key, 'x', { mode }), 'LODE_CONDITIONS_UNSUPPORTED');
      assert.equal(double.requests.length, 0);
    },
  },
  {
    name: 'a lost race whose answer was lost is a lost race: what is there is older',
    async run({ store, double }) {
      double.stepClock(-60_000);
      double.put(key, 'theirs');
      double.stepClock(60_000);
      double.script({ on: 'PutObject', do: { cut: { head: 5 } } });
      await conflict(store.put(key, 'mine'));
    },
  },
  {
    name: 'stored, unanswered, and replaced by another writer: open, not a lost race',
    async run({ store, double }) {
      double.script({
        on: 'PutObject',
        do: {
          serve(request, run) {
            const answer = run(request);
            double.put(key, 'theirs');
            return answer;
          },
          cut: { head: 0 },
        },
      });
      await failsWith(store.put(key, 'mine'), 'LODE_WRITE_UNCERTAIN');
    },
  },
  {
    name: 'no attempt is answered, none lands: open, and resolve() puts it there',
    rules: put({ refuse: 'reset' }, 4),
    async run(scene) {
      const error = await uncertain(scene);
      assert.equal(await error.details.resolve(), 'landed');
      assert.equal(scene.double.text(key), 'mine');
    },
  },
  {
    name: 'no attempt is answered, one lands later: resolve() finds it',
    rules: put([{ effect: { laterBy: 99 } }, { refuse: 'reset' }], 4),
    async run(scene) {
      const error = await uncertain(scene);
      assert.equal(scene.double.landLate(), 1);
      assert.equal(await error.details.resolve(), 'landed');
      assert.equal(await error.details.resolve(), 'landed');
    },
  },
  {
    name: 'no attempt is answered and the first landed: stored',
    rules: put([{ cut: { head: 0 } }, { refuse: 'reset' }], 4),
    async run({ store }) {
      assert.equal((await store.put(key, 'mine')).outcome, 'stored');
    },
  },
  {
    name: 'a large body that is refused while it is sent, the answer lost with the connection: a lost race',
    rules: put({ refuse: 'reset' }, 4),
    async run({ store, double }) {
      double.put(key, 'theirs, just now');
      await conflict(store.put(key, large));
      await conflict(store.put(key, large, { mode: { ifMatch: '"other"' } }));
      assert.deepEqual([sent(double, 'PutObject'), sent(double, 'HeadObject')], [2, 2]);
    },
  },
  {
    name: 'a large body of which no attempt arrives whole: unavailable, not open',
    rules: put({ refuse: 'reset' }, 4),
    async run({ store, double }) {
      await failsWith(store.put(key, large), 'LODE_UNAVAILABLE');
      assert.deepEqual([sent(double, 'PutObject'), double.objects.size], [4, 0]);
    },
  },
  {
    name: 'a large body that arrived, and whose answer is lost',
    rules: put({ cut: { head: 0 } }),
    async run({ store, double }) {
      assert.equal((await store.put(key, large)).outcome, 'stored');
      assert.equal(sent(double, 'PutObject'), 2);
    },
  },
  {
    name: 'busy to the end: unavailable, and nothing is there',
    rules: put({ effect: 'none', answer: { code: 'SlowDown' } }, 99),
    async run({ store, double }) {
      await failsWith(store.put(key, 'mine'), 'LODE_UNAVAILABLE', { actual: '503 SlowDown' });
      assert.equal(double.objects.size, 0);
      assert.equal(sent(double, 'PutObject'), 4);
    },
  },
  {
    name: 'busy: the next attempt is on another connection',
    rules: put({ effect: 'none', answer: { code: 'SlowDown' } }),
    async run({ store, double }) {
      await store.put(key, 'mine');
      const [first, second] = double.requests;
      assert.notEqual(first?.connection, second?.connection);
    },
  },
  {
    name: '409 to the end with another object in place: a lost race, found by comparing',
    rules: put({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }, 99),
    async run({ store, double }) {
      double.put(key, 'theirs');
      const result = await store.put(key, 'mine');
      assert.deepEqual(result, { outcome: 'conflict', etag: double.objects.get(key)?.etag });
    },
  },
  {
    name: '409 to the end with nothing in place: unavailable',
    rules: put({ effect: 'none', answer: { code: 'ConditionalRequestConflict' } }, 99),
    run: ({ store }) => failsWith(store.put(key, 'mine'), 'LODE_UNAVAILABLE'),
  },
  {
    name: 'no etag anywhere: refused, since nothing could be compared',
    rules: [{ times: 99, do: { answer: { headers: { etag: undefined } } } }],
    run: ({ store }) => failsWith(store.put(key, 'mine'), 'LODE_CONDITIONS_UNSUPPORTED'),
  },
  {
    name: 'an empty body whose answer is lost',
    rules: put({ cut: { head: 0 } }),
    async run({ store, double }) {
      assert.equal((await store.put(key, '')).outcome, 'stored');
      assert.equal(double.text(key), '');
    },
  },
  {
    name: 'an abort while the server is silent',
    rules: put({ hang: true }),
    async run({ store }) {
      const stop = new AbortController();
      const put = store.put(key, 'mine', { signal: stop.signal });
      setTimeout(() => stop.abort('enough'), 20);
      await assert.rejects(put, (reason) => reason === 'enough');
      assert.equal(await textAt(store, 'other'), undefined);
    },
  },
  {
    name: 'an abort while a large body is sent: the reason comes back as it was',
    async run({ store }) {
      const stop = new AbortController();
      const reason = Object.freeze(new Error('enough'));
      const put = store.put(key, large, { signal: stop.signal });
      setImmediate(() => stop.abort(reason));
      await assert.rejects(put, (error) => error === reason);
    },
  },
  {
    name: 'a probe refuses a server that ignores conditions, before the first write, and leaves nothing',
    options: { conditions: 'probe' },
    rules: [{ on: 'PutObject', times: 999, do: { ignore: ['if-match', 'if-none-match'] } }],
    async run({ store, double }) {
      await failsWith(store.put(key, 'mine'), 'LODE_CONDITIONS_UNSUPPORTED');
      await failsWith(store.put(key, 'mine'), 'LODE_CONDITIONS_UNSUPPORTED');
      assert.equal(double.objects.size, 0);
      assert.equal((await store.put(key, 'mine', { mode: 'overwrite' })).outcome, 'stored');
    },
  },
];
