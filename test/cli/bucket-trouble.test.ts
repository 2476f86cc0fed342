/** At risk: a bucket in trouble, and a person at the keyboard. Ctrl-C while a server is silent; what `doctor` finds, and says. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jsonl, openDataset } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double, type S3Double, type S3Rule } from '../../src/testing/index.ts';
import { fill, lode } from './program.ts';
import type { Ran, RunOptions } from './program.ts';

const week = 7 * 24 * 60 * 60 * 1000;
const orphan = 'datasets/events/snapshots/1735689600000000000/data/data';

function on({ bucket, endpoint, region, credentials }: S3Double) {
  const url = `s3://${bucket}/?endpoint=${endpoint}&region=${region}`;
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return (verb: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ran> =>
    lode([verb, url, ...args], { env, ...options });
}

function open({ bucket, endpoint, credentials }: S3Double): ReturnType<typeof s3Store> {
  return s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
}

interface Silence {
  readonly rule: S3Rule;
  /** Presses Ctrl-C once the server has been asked, and says nothing. */
  readonly options: RunOptions;
}

function silence(where: Omit<S3Rule, 'do'>): Silence {
  let reached = (): void => {};
  const asked = new Promise<void>((resolve) => (reached = resolve));
  const serve = (): Promise<never> => {
    reached();
    return new Promise(() => {});
  };
  return {
    rule: { ...where, do: { serve } },
    options: {
      async onStart(child) {
        await asked;
        child.kill('SIGINT');
      },
    },
  };
}

for (const [verb, args, operation] of [
  ['ls', [], 'ListObjectsV2'],
  ['log', ['events'], 'GetObject'],
  ['cat', ['events'], 'GetObject'],
  ['verify', [], 'GetObject'],
  ['gc', ['events', '--apply', '--older-than', '1d'], 'DeleteObjects'],
] as const) {
  it(
    `${verb}: the first Ctrl-C ends it while the server is silent`,
    { timeout: 20_000 },
    async () => {
      await using double = await s3Double();
      await using store = open(double);
      await fill(store);
      double.stepClock(-week);
      double.put(orphan, 'left by a crash');
      double.stepClock(week);
      const { rule, options } = silence({ on: operation });
      double.script(rule);
      const { code, stderr } = await on(double)(verb, args, options);
      assert.equal(code, 130, stderr);
      assert.match(stderr, /stopping; again to stop at once\n$/);
      // Nothing was taken that a snapshot names.
      const events = await openDataset('events', { store, codec: jsonl<object>() });
      assert.deepEqual((await events.verify()).problems, []);
    },
  );
}

it('doctor: Ctrl-C in the middle leaves nothing behind', async () => {
  await using double = await s3Double();
  const { rule, options } = silence({
    on: 'GetObject',
    key: (key) => key.startsWith('lode-doctor-'),
  });
  double.script(rule);
  const { code } = await on(double)('doctor', [], options);
  assert.equal(code, 130);
  assert.deepEqual([...double.objects.keys()], []);
});

it('doctor: says what is not permitted, and what to do', async () => {
  const denied = { effect: 'none', answer: { code: 'AccessDenied' } } as const;
  for (const [operation, code, says] of [
    ['PutObject', 1, /^failed +conditional writes .*PutObject.*\[LODE_PERMISSION_DENIED\]$/m],
    ['GetObject', 1, /^failed +reading .*GetObject.*\[LODE_PERMISSION_DENIED\]$/m],
    ['DeleteObjects', 0, /^warning +deleting .*DeleteObject/m],
  ] as const) {
    await using double = await s3Double();
    const times = Number.POSITIVE_INFINITY;
    // The proof that conditions work, which reads and deletes as well, has keys of its own.
    const key = (one: string): boolean => !one.startsWith('lode-probe-');
    double.script({ on: operation, key, times, do: denied });
    const ran = await on(double)('doctor');
    assert.equal(ran.code, code, ran.stdout + ran.stderr);
    assert.match(ran.stdout, says);
  }
  await using double = await s3Double();
  double.script({ on: 'ListObjectsV2', times: 9, do: denied });
  const { code, stderr } = await on(double)('doctor');
  assert.equal(code, 1);
  assert.match(stderr, /LODE_PERMISSION_DENIED|Grant the credentials/);
});

it('doctor: finds a clock that is off, by seconds and by hours', async () => {
  for (const [minutes, says] of [
    [1, /^warning +clock +the storage is (59|60|61) s ahead of this machine/m],
    [-180, /^warning +clock +the storage is 1080[01] s behind this machine/m],
  ] as const) {
    await using double = await s3Double();
    double.stepClock(minutes * 60_000);
    const { code, stdout, stderr } = await on(double)('doctor');
    assert.equal(code, 0, stderr);
    assert.match(stdout, says);
  }
});

it('doctor: refuses a server without conditions, and leaves nothing there', async () => {
  await using double = await s3Double();
  double.script({
    times: Number.POSITIVE_INFINITY,
    do: { ignore: ['if-match', 'if-none-match'] },
  });
  const { code, stdout } = await on(double)('doctor');
  assert.equal(code, 1);
  assert.match(stdout, /^failed +conditional writes .*\[LODE_CONDITIONS_UNSUPPORTED\]$/m);
  assert.match(stdout, /^Datasets cannot be committed safely here\.$/m);
  assert.deepEqual([...double.objects.keys()], []);
});
