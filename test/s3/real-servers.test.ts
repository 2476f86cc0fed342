/**
 * At risk: what a double cannot show. Our store and datasets on S3 servers that others wrote, each compared with what is on
 * record of it: a case that fails anew, and one that passes at last, are both a failure here. See `servers/targets.ts`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { LodeError } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import type { S3Store, S3StoreOptions } from '../../src/s3.ts';
import { storeConformance } from '../../src/testing/index.ts';
import { root } from '../files.ts';
import { datasetSuite } from './servers/dataset-suite.ts';
import { facts } from './servers/facts.ts';
import { goSuite } from './servers/go-suite.ts';
import type { Bucket } from './servers/server.ts';
import { targets } from './servers/targets.ts';
import { readVerdicts, record, recording } from './servers/verdicts.ts';

const verdicts = readVerdicts();
/** Races that a server loses when its timing is unlucky: they may pass, and stay on record. */
const sometimes = ['keys made and unmade at once that stand in each other’s way'];
/** Of one run: what an earlier one left may still be in a bucket that somebody named. */
const run = `test-${Date.now()}`;

for (const target of await targets()) {
  describe(`S3 on ${target.name}`, { skip: target.skip, timeout: 300_000 }, () => {
    let server: Bucket & AsyncDisposable;
    let prefixes = 0;
    const known = verdicts[target.name];
    const found = { passed: 0, failing: [] as string[], facts: {} as Record<string, string> };

    const at = (prefix: string, options?: Partial<S3StoreOptions>): S3Store =>
      s3Store({ ...server, prefix, conditions: 'assume', ...options });
    const open = (options?: Partial<S3StoreOptions>): S3Store =>
      at(`${run}/${prefixes++}`, options);

    before(async () => {
      server = await target.open();
    });
    after(async () => {
      if (recording) record(target.name, found);
      await server[Symbol.asyncDispose]();
    });

    describe('facts', () => {
      for (const [name, find] of Object.entries(facts))
        it(name, async () => {
          const fact = await find(open);
          found.facts[name] = fact;
          if (known !== undefined && !recording) assert.equal(fact, known.facts[name]);
        });
    });

    describe('store', { concurrency: 4 }, () => {
      storeConformance({
        name: target.name,
        test: (full, attempt) =>
          it(full, async () => {
            const name = full.slice(target.name.length + 2);
            const failing = known?.failing.includes(name) === true;
            try {
              await attempt();
            } catch (error) {
              found.failing.push(name);
              if (recording || failing) return;
              throw error;
            }
            if (failing && sometimes.includes(name)) return void found.failing.push(name);
            found.passed++;
            assert.ok(recording || !failing, 'on record as failing, but it passes');
          }),
        open() {
          const prefix = `${run}/${prefixes++}`;
          const stores = [at(prefix), at(prefix)] as const;
          return {
            store: stores[0],
            another: async () => stores[1],
            close: async () => void (await Promise.all(stores.map((store) => store.close()))),
          };
        },
      });
    });

    describe('dataset', { concurrency: 2 }, () => {
      const name = 'conditional completion of uploads in parts';
      // Found out by then: suites run in order.
      datasetSuite(
        () => open({ conditions: 'probe' }),
        () => found.facts[name] === 'honoured',
      );
    });

    goSuite(() => {
      const prefix = `${run}/${prefixes++}`;
      return { server, prefix, store: at(prefix) };
    });

    it('takes the tour, and takes it again', async () => {
      const { accessKeyId, secretAccessKey } = server.credentials;
      const env = {
        ...process.env,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      };
      const url = `s3://${server.bucket}/${run}/tour?endpoint=${server.endpoint}`;
      const main = join(root, 'dist/examples/tour/main.js');
      for (let i = 0; i < 2; i++)
        await promisify(execFile)(process.execPath, [main, '--store', url], { env });
      await using store = at(`${run}/tour`);
      assert.ok((await store.head('datasets/flights/latest')) !== undefined);
    });

    it('wrong keys and a missing bucket are told apart, and no secret is repeated', async () => {
      const secretAccessKey = 'canary/wrong+secret';
      const wrong = { ...server.credentials, secretAccessKey };
      await using stranger = at('', { credentials: wrong });
      await using astray = at('', { bucket: 'no-such-bucket' });
      for (const [store, code] of [
        [stranger, 'LODE_UNAUTHENTICATED'],
        [astray, 'LODE_NO_BUCKET'],
      ] as const) {
        const error: unknown = await store.put('k', 'x').catch((e: unknown) => e);
        assert.ok(error instanceof LodeError);
        assert.equal(error.code, code);
        const shown = `${error.stack}${JSON.stringify(error)}`;
        for (const secret of [secretAccessKey, server.credentials.secretAccessKey])
          assert.ok(!shown.includes(secret));
      }
    });
  });
}
