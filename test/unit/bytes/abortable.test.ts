/** At risk: an abort that waits for a source that hangs, or whose reason a source hides; and memory that grows with a stream. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { abortable } from '../../../src/bytes/index.ts';

async function readAll(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

describe('what can be aborted', () => {
  it('tells why, whatever the source says when it is told to stop', async () => {
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => {}),
        return: (): never => {
          throw new TypeError('not now');
        },
      }),
    };
    const stop = new AbortController();
    setImmediate(() => stop.abort('enough'));
    await assert.rejects(readAll(abortable(source, stop.signal)), (error) => error === 'enough');
  });

  it('is not told to stop once it has failed by itself', async () => {
    let stopped = 0;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject<IteratorResult<number>>(new RangeError('broken')),
        return: () => {
          stopped++;
          return Promise.resolve({ done: true, value: undefined } as const);
        },
      }),
    };
    await assert.rejects(readAll(abortable(source, new AbortController().signal)), RangeError);
    assert.equal(stopped, 0);
  });

  it('keeps nothing of the items that went by', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const seen: WeakRef<object>[] = [];
    let left = Number.POSITIVE_INFINITY;
    async function* items(): AsyncGenerator<object> {
      for (let n = 0; n < 1000; n++) {
        const item = { n };
        seen.push(new WeakRef(item));
        yield item;
      }
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      left = seen.filter((item) => item.deref() !== undefined).length;
    }
    await readAll(abortable(items(), new AbortController().signal));
    assert.ok(left < 100, `${left} of ${seen.length} are still there`);
  });
});
