/** At risk: reads that lose or repeat a record, go on after an abort, or leave their source open. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchesOf, flatten } from '../../../src/encoding/flatten.ts';

/** Batches that say whether they were closed. */
function source(): { batches: AsyncIterable<readonly number[]>; closed: () => boolean } {
  let closed = false;
  async function* batches(): AsyncGenerator<readonly number[]> {
    try {
      yield [1, 2, 3];
      yield [];
      yield [4];
    } finally {
      closed = true;
    }
  }
  return { batches: batches(), closed: () => closed };
}

describe('flatten', () => {
  it('gives every item once and in order, also to callers that do not wait', async () => {
    const items = flatten(source().batches);
    const asked = Array.from({ length: 6 }, () => items.next());
    const steps = await Promise.all(asked);
    assert.deepEqual(
      steps.map(({ value }) => value),
      [1, 2, 3, 4, undefined, undefined],
    );
    assert.deepEqual(
      steps.map(({ done }) => done),
      [false, false, false, false, true, true],
    );
  });

  it('feels an abort in the middle of a batch, and closes what it reads from', async () => {
    const { batches, closed } = source();
    const controller = new AbortController();
    const items = flatten(batches, controller.signal);
    assert.equal((await items.next()).value, 1);
    controller.abort(new Error('enough'));
    await assert.rejects(items.next(), /enough/);
    assert.equal(closed(), true);
    assert.equal((await items.next()).done, true);
  });

  it('that is left early closes what it reads from', async () => {
    const { batches, closed } = source();
    for await (const item of flatten(batches)) {
      if (item === 2) break;
    }
    assert.equal(closed(), true);
  });

  it('gives its batches back as they were, and items of others one by one', async () => {
    const { batches } = source();
    assert.equal(batchesOf(flatten(batches)), batches);
    async function* others(): AsyncGenerator<number> {
      yield* [1, 2];
    }
    const single: (readonly number[])[] = [];
    for await (const batch of batchesOf(others())) single.push(batch);
    assert.deepEqual(single, [[1], [2]]);
  });
});
