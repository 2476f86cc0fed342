/** At risk: a bill that hides what an adapter sends again by itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createMeter, isLodeError, jsonl, openDataset, withMeter } from '../../../../src/index.ts';
import type { RetryEvent } from '../../../../src/index.ts';
import type { S3Rule } from '../../../../src/testing/index.ts';
import { play, textAt, type Scene } from '../../../s3/scene.ts';

const busy = (on: S3Rule['on'], times = 1): S3Rule => ({
  ...(on !== undefined && { on }),
  times,
  do: { effect: 'none', answer: { code: 'SlowDown' } },
});

const scene = (run: (scene: Scene) => Promise<void>): Promise<void> => play({ name: '', run });

void describe('retries of the S3 store', () => {
  it('are counted by the meter above it, method by method, and told', () =>
    scene(async ({ store, double }) => {
      const events: RetryEvent[] = [];
      const listen = (event: unknown): void => void events.push(event as RetryEvent);
      subscribe('lode:retry', listen);
      try {
        const meter = createMeter();
        const metered = withMeter(store, meter);
        const calls: readonly [S3Rule['on'], () => Promise<unknown>][] = [
          ['PutObject', () => metered.put('k', 'x')],
          ['GetObject', async () => (await metered.get('k'))?.bytes()],
          ['HeadObject', () => metered.head('k')],
          ['ListObjectsV2', () => metered.list('')[Symbol.asyncIterator]().next()],
          ['DeleteObject', () => metered.delete('k')],
        ];
        let sent = double.requests.length;
        for (const [on, call] of calls) {
          const before = meter.snapshot();
          double.script(busy(on, 2));
          await call();
          const { requests, retries } = meter.snapshot(before);
          assert.deepEqual([requests, retries], [1, 2], String(on));
          assert.equal(double.requests.length - sent, 3, String(on));
          sent = double.requests.length;
        }
        assert.deepEqual([...new Set(events.map(({ code }) => code))], ['LODE_UNAVAILABLE']);
        assert.equal(events.length, 10);
      } finally {
        unsubscribe('lode:retry', listen);
      }
    }));

  it('are in the cost of a commit, and a body that broke off is in that of a read', () =>
    scene(async ({ store, double }) => {
      const dataset = await openDataset('ds', { store, codec: jsonl<{ n: number }>() });
      await dataset.write([{ n: 1 }]);
      double.script(busy('PutObject', 2));
      const { id, cost } = await dataset.write([{ n: 2 }]);
      assert.deepEqual([cost.requests, cost.retries], [3, 2]);
      double.script({ on: 'GetObject', times: 1, do: { cut: { body: 3 } } });
      const meter = createMeter();
      await dataset.read(id, { meter });
      assert.equal(meter.retries, 1);
    }));

  it('of one call are not those of another', () =>
    scene(async ({ store, double }) => {
      const [one, other] = [createMeter(), createMeter()];
      double.script({ ...busy('PutObject', 3), key: 'a' });
      await Promise.all([
        withMeter(store, one).put('a', '1'),
        withMeter(store, other).put('b', '2'),
      ]);
      assert.deepEqual([one.retries, other.retries], [3, 0]);
      assert.equal(await textAt(store, 'a'), '1');
    }));

  it('are counted when they were in vain', () =>
    scene(async ({ store, double }) => {
      const meter = createMeter();
      double.script(busy('GetObject', 9));
      await assert.rejects(withMeter(store, meter).get('k'), (error) => isLodeError(error));
      assert.deepEqual([meter.gets, meter.retries], [1, 3]);
    }));
});
