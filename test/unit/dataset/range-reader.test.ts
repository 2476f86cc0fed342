/** At risk: a page served for another, a cache without bound, a request for every small read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rangeReader } from '../../../src/dataset/range-reader.ts';
import { isLodeError } from '../../../src/errors.ts';

const content = new Uint8Array(1000).map((_, i) => (i * 31) >> 3);

function counting(): {
  fetched: [number, number][];
  fetch: (offset: number, length: number) => Promise<Uint8Array>;
} {
  const fetched: [number, number][] = [];
  return {
    fetched,
    fetch: async (offset, length) => {
      fetched.push([offset, length]);
      return content.slice(offset, offset + length);
    },
  };
}

describe('range reader', () => {
  it('reads any range as the object holds it, through any cache', async () => {
    const step = fc.tuple(fc.nat(1100), fc.nat(400));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 20 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 900 }),
        fc.boolean(),
        async (steps, pageBytes, cacheBytesMax, together) => {
          const { fetch } = counting();
          const reader = rangeReader(content.length, fetch, { pageBytes, cacheBytesMax });
          const check = async ([offset, length]: [number, number]): Promise<void> =>
            assert.deepEqual(
              await reader.read(offset, length),
              content.slice(offset, offset + length),
            );
          if (together) await Promise.all(steps.map(check));
          else for (const one of steps) await check(one);
        },
      ),
    );
  });

  it('asks once for what is near, and for neighbours in one request', async () => {
    const { fetch, fetched } = counting();
    const reader = rangeReader(1000, fetch, { pageBytes: 100 });
    await Promise.all([reader.read(10, 5), reader.read(50, 5)]);
    await reader.read(0, 100);
    assert.deepEqual(fetched, [[0, 100]]);
    await reader.read(350, 10);
    await reader.read(150, 400);
    await reader.read(950, 400);
    assert.deepEqual(fetched.slice(1), [
      [300, 100],
      [100, 200],
      [400, 200],
      [900, 100],
    ]);
  });

  it('keeps no more than its limit, and what was used last', async () => {
    const { fetch, fetched } = counting();
    const reader = rangeReader(1000, fetch, { pageBytes: 100, cacheBytesMax: 300 });
    for (const page of [0, 1, 2, 0, 3, 0]) await reader.read(page * 100, 10);
    assert.equal(fetched.length, 4);
    await reader.read(100, 10);
    assert.equal(fetched.length, 5);
    await reader.read(0, 200);
    assert.deepEqual(fetched.at(-1), [0, 200]);
  });

  it('asks again after a failure, which every waiting reader sees', async () => {
    let broken = true;
    const { fetch } = counting();
    const reader = rangeReader(1000, (offset, length) =>
      broken ? Promise.reject(new Error('down')) : fetch(offset, length),
    );
    const reads = await Promise.allSettled([reader.read(0, 10), reader.read(5, 10)]);
    assert.deepEqual(
      reads.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    broken = false;
    assert.deepEqual(await reader.read(0, 10), content.slice(0, 10));
  });

  it('one abort fails one read', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const reader = rangeReader(1000, async (offset, length) => {
      await gate;
      return content.slice(offset, offset + length);
    });
    const stop = new AbortController();
    const stopped = reader.read(0, 10, { signal: stop.signal });
    const other = reader.read(0, 10);
    stop.abort(new Error('mine'));
    await assert.rejects(stopped, /mine/);
    release();
    assert.deepEqual(await other, content.slice(0, 10));
  });

  it('refuses what is no count', async () => {
    const reader = rangeReader(10, counting().fetch);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      await assert.rejects(reader.read(bad, 1), (e) => isLodeError(e, 'LODE_INVALID_ARGUMENT'));
    assert.throws(() => rangeReader(10, counting().fetch, { pageBytes: 0 }));
  });
});
