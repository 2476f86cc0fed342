/** At risk: a state that differs from its log, an acknowledgement that a crash takes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recover } from '../../../src/journal.ts';
import { isLodeError } from '../../../src/errors.ts';
import { contents, dir, newDisk, open } from './key-value.ts';
import type { Entry, State } from './key-value.ts';

for (const durability of ['group', 'each', 'os'] as const) {
  describe(`a journal with durability ${durability}`, () => {
    it('has its state back after reopening, with and without a snapshot', async () => {
      const disk = await newDisk();
      await using first = await open(disk, { durability });
      assert.deepEqual(await first.append({ key: 'a', value: 1 }), { lsn: 1 });
      await Promise.all([2, 3, 4].map((value) => first.append({ key: `b${value}`, value })));
      const { lsn, segmentsDeleted } = await first.snapshot();
      assert.deepEqual([lsn, segmentsDeleted], [4, 0]);
      await first.append({ key: 'a', value: [5, { deep: null }] });
      const { state } = first;
      await first.close();
      await using second = await open(disk, { durability, recovery: 'strict' });
      assert.deepEqual(second.state, state);
      assert.deepEqual(
        [second.recovery.replayed, second.recovery.snapshot?.lsn, second.lsn],
        [1, 4, 5],
      );
      const seen: number[] = [];
      for await (const event of second.replay({ from: 2 })) seen.push(event.lsn);
      assert.deepEqual(seen, [2, 3, 4, 5]);
      assert.equal((await second.verify()).ok, true);
    });

    it('shows a change when it is acknowledged, and in order', async () => {
      await using journal = await open(await newDisk(), { durability });
      const order: number[] = [];
      const all = [1, 2, 3, 4, 5].map(async (value) => {
        const { lsn } = await journal.append({ key: 'last', value });
        order.push(lsn);
        assert.ok((journal.state['last'] as number) >= value);
      });
      if (durability === 'group') {
        assert.deepEqual(journal.state, {});
        assert.deepEqual(journal.accepted, { last: 5 });
        assert.deepEqual(journal.state, {});
      }
      await Promise.all(all);
      assert.deepEqual(order, [1, 2, 3, 4, 5]);
    });

    it('asks check with everything accepted, and logs nothing that it refuses', async () => {
      const disk = await newDisk();
      const check = (state: State, { key }: Entry): void => {
        if (key in state) throw new RangeError(`${key} is taken`);
      };
      await using journal = await open(disk, { durability, check });
      const keys = ['a', 'b', 'a', 'c', 'b'];
      const results = await Promise.allSettled(
        keys.map((key, value) => journal.append({ key, value })),
      );
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
      );
      assert.equal((results[2] as PromiseRejectedResult).reason.message, 'a is taken');
      assert.deepEqual(journal.state, { a: 0, b: 1, c: 3 });
      assert.equal(journal.lsn, 3);
      await journal.append({ key: 'd', value: 5 });
      await journal.close();
      assert.equal((await recover(dir, { disk, dryRun: true })).lsn, 4);
    });

    it('is poisoned by an apply that throws, at the LSN it names', async () => {
      const disk = await newDisk();
      const apply = (state: State, { key, value }: Entry): State => {
        if (key === 'bad') throw new RangeError('no');
        return { ...state, [key]: value };
      };
      const journal = await open(disk, { durability, apply });
      await journal.append({ key: 'a', value: 1 });
      const isPoison = (error: unknown): boolean =>
        isLodeError(error, 'LODE_POISONED') &&
        error.details.lsn === 2 &&
        error.cause instanceof RangeError;
      await assert.rejects(journal.append({ key: 'bad', value: 2 }), isPoison);
      await assert.rejects(journal.append({ key: 'c', value: 3 }), isPoison);
      await assert.rejects(journal.snapshot(), isPoison);
      assert.throws(() => journal.state, isPoison);
      assert.ok(isPoison(journal.failure));
      await journal.close();
      const before = await contents(disk);
      await assert.rejects(
        open(disk, { durability, apply }),
        (error) => isLodeError(error, 'LODE_INVALID_RECORD') && error.details.lsn === 2,
      );
      assert.deepEqual(await contents(disk), before);
      await using again = await open(disk, { durability });
      assert.deepEqual(again.state, { a: 1, bad: 2 });
    });
  });
}
