/** At risk: buckets. The same commands on an `s3:` URL, against a server on this machine; the program ends by itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { s3Store } from '../../src/s3.ts';
import { s3Double } from '../../src/testing/index.ts';
import { root } from '../files.ts';
import { fill, lode } from './program.ts';

it('looks at a bucket and after it', async () => {
  await using double = await s3Double();
  const { bucket, endpoint, region, credentials } = double;
  await using store = s3Store({ bucket, endpoint, region, credentials, prefix: 'team' });
  const { first, second } = await fill(store);
  const url = `s3://${bucket}/team?endpoint=${endpoint}&region=${region}`;
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await lode(args, { env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.equal(await run('ls', url), 'events\nprices\nvisits\nbackup\ndisk\n');
  assert.deepEqual((await run('log', url, 'events')).match(/^\d{19}/gm), [second, first]);
  assert.match(await run('cat', url, 'visits', '--limit', '1'), /^\{"day":"2026-01-02"/);
  assert.match(await run('diff', url, 'visits'), /1 added, 1 removed, 0 changed, 1 kept/);
  assert.equal(await run('verify', url, '--quiet'), '');
  const image = join(root, 'package-lock.json');
  await run('volume', 'fill', url, 'lock', image, '--block', '16KiB');
  assert.equal(await run('volume', 'read', url, 'lock'), readFileSync(image, 'utf8'));
  assert.match(await run('doctor', url), /^ok {2}conditional writes /m);
  await store.put('datasets/events/snapshots/1735689600000000000/data/data', 'left by a crash');
  double.stepClock(8 * 24 * 60 * 60 * 1000);
  assert.equal((await lode(['ls', url], { env: { ...env, AWS_SECRET_ACCESS_KEY: 'x' } })).code, 1);
  assert.equal((await lode(['ls', url.replace(bucket, 'nobody')], { env })).code, 3);
});
