/** At risk: a log dropped too early, a damaged state taken for a good one, a past that cannot be had back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recover } from '../../../src/journal.ts';
import { isLodeError } from '../../../src/errors.ts';
import { coded, contents, damage, dir, names, newDisk, open, write } from './key-value.ts';
import type { Entry, State } from './key-value.ts';

describe('snapshots of a journal', () => {
  it('replace the log that they cover, and keep what the older one needs', async () => {
    const disk = await newDisk();
    await using journal = await open(disk);
    for (let round = 1; round <= 4; round++) {
      await journal.append({ key: `r${round}`, value: round });
      await journal.snapshot();
    }
    assert.deepEqual(await names(disk, /^snapshot/), [
      'snapshot-00000000000000000003.snap',
      'snapshot-00000000000000000004.snap',
    ]);
    const logs = await names(disk, /^wal/);
    assert.equal(logs[0], 'wal-00000000000000000004.log');
    assert.equal((await journal.snapshot()).bytes, 0);
    await assert.rejects(async () => {
      for await (const event of journal.replay({ from: 1 })) void event;
    }, coded('LODE_NOT_FOUND'));
  });

  it('are taken when enough was logged', async () => {
    const disk = await newDisk();
    const journal = await open(disk, { snapshot: { everyRecords: 10 } });
    for (let i = 0; i < 25; i++) await journal.append({ key: 'i', value: i });
    await journal.close();
    assert.equal(journal.snapshotFailure, undefined);
    assert.ok((await names(disk, /^snapshot/)).length >= 1);
    await using again = await open(disk);
    assert.ok(again.recovery.replayed < 25);
    assert.deepEqual(again.state, { i: 24 });
  });

  it('that are damaged are passed over, put aside and reported', async () => {
    const disk = await newDisk();
    await write(disk, 3);
    const journal = await open(disk);
    await journal.snapshot();
    await journal.append({ key: 'k4', value: 4 });
    await journal.snapshot();
    await journal.close();
    await damage(disk, 'snapshot-00000000000000000004.snap', 120);
    await assert.rejects(open(disk, { recovery: 'strict' }), coded('LODE_CHECKSUM_MISMATCH'));
    const plan = await recover(dir, { disk, dryRun: true });
    assert.deepEqual(plan.setAside, ['snapshot-00000000000000000004.snap.aside']);
    await using again = await open(disk);
    assert.deepEqual(again.state, { k1: 1, k2: 2, k3: 3, k4: 4 });
    assert.deepEqual(again.recovery.setAside, plan.setAside);
    assert.equal(again.recovery.ignored[0]?.reason, 'damaged');
    assert.equal(again.recovery.snapshot?.lsn, 3);
    await again.snapshot();
    assert.equal((await again.verify()).ok, true);
  });

  it('that are damaged beyond the log are the error', async () => {
    const disk = await newDisk();
    await write(disk, 3);
    const journal = await open(disk, { snapshot: { keep: 1 } });
    await journal.snapshot();
    await journal.append({ key: 'k4', value: 4 });
    await journal.close();
    await damage(disk, 'snapshot-00000000000000000003.snap', 120);
    const before = await contents(disk);
    const isOfSnapshot = (error: unknown): boolean =>
      isLodeError(error) && (error.details.key ?? '').endsWith('3.snap');
    await assert.rejects(open(disk), isOfSnapshot);
    for (const dryRun of [true, false]) {
      await assert.rejects(recover(dir, { disk, dryRun }), isOfSnapshot);
    }
    await assert.rejects(open(disk, { until: { lsn: 4 } }), isOfSnapshot);
    assert.deepEqual(await contents(disk), before);
    const rescued = await open(disk, { recovery: 'last-good' });
    assert.deepEqual(rescued.state, {});
    assert.ok(rescued.recovery.setAside.length >= 2);
    const { lsn } = await rescued.append({ key: 'new', value: 1 });
    assert.ok(lsn > 3);
    await rescued.close();
    await using again = await open(disk, { recovery: 'strict' });
    assert.deepEqual(again.state, { new: 1 });
  });

  it('do not keep older log from being verified, nor its absence from being seen', async () => {
    const disk = await newDisk();
    await write(disk, 20);
    const journal = await open(disk);
    await journal.snapshot();
    await journal.append({ key: 'k', value: 0 });
    const [first = ''] = await names(disk, /^wal/);
    assert.deepEqual(await journal.verify().then(({ ok, records }) => [ok, records]), [true, 21]);
    await damage(disk, first, 400);
    assert.match((await journal.verify()).problems[0]?.details.key ?? '', /0001\.log$/);
    await damage(disk, first, 400);
    await journal.snapshot();
    await journal.append({ key: 'k', value: 1 });
    assert.deepEqual((await journal.verify()).problems, []);
    await journal.close();
    // The newest snapshot does without it, the one kept for when that is damaged does not.
    const [between = ''] = await names(disk, /^wal/);
    await disk.unlink(`${dir}/${between}`);
    await using again = await open(disk);
    assert.equal(again.lsn, 22);
    assert.equal((await again.verify()).problems[0]?.details.expected, 21);
  });

  it('newer than the log are what it goes on from, and nothing is wrong with that', async () => {
    const disk = await newDisk();
    await write(disk, 20);
    const journal = await open(disk);
    await journal.snapshot();
    await journal.append({ key: 'k', value: 0 });
    await journal.snapshot();
    await journal.close();
    const [, second = ''] = await names(disk, /^wal/);
    await disk.unlink(`${dir}/${second}`);
    const after = await open(disk);
    await after.append({ key: 'more', value: 1 });
    assert.deepEqual((await after.verify()).problems, []);
    await after.close();
    await using again = await open(disk, { recovery: 'strict' });
    assert.deepEqual((await again.verify()).problems, []);
    assert.deepEqual(again.lsn, 22);
  });

  it('of another version of apply are not trusted', async () => {
    const disk = await newDisk();
    await write(disk, 3, { version: '1' });
    const first = await open(disk, { version: '1' });
    await first.snapshot();
    await first.close();
    const twice = (state: State, { key, value }: Entry): void => {
      state[key] = (value as number) * 2;
    };
    const second = await open(disk, { version: '2', apply: twice });
    assert.deepEqual(second.state, { k1: 2, k2: 4, k3: 6 });
    assert.equal(second.recovery.ignored[0]?.reason, 'version');
    await second.append({ key: 'k4', value: 4 });
    await second.snapshot();
    await second.append({ key: 'k5', value: 5 });
    await second.snapshot();
    await second.close();
    await assert.rejects(open(disk, { version: '3' }), coded('LODE_COMPONENT_MISMATCH'));
    const upgrade = (state: unknown, version: string): State => ({ ...(state as State), version });
    const third = await open(disk, { version: '3', upgrade });
    const state = { k1: 2, k2: 4, k3: 6, k4: 8, k5: 10, version: '2' };
    assert.deepEqual(third.state, state);
    // There is one of this event; it is of the other version.
    assert.ok((await third.snapshot()).bytes > 0);
    await third.close();
    await using again = await open(disk, { version: '3' });
    assert.deepEqual(again.state, state);
  });
});

describe('states that the code of today does not take', () => {
  const twice = (state: State, { key, value }: Entry): void => {
    state[key] = (value as number) * 2;
  };
  const upgrade = (state: unknown): State => state as State;

  it('do not count as those that are kept: a damaged snapshot costs nothing', async () => {
    const disk = await newDisk();
    const before = await open(disk, { version: '1' });
    await before.append({ key: 'a', value: 1 });
    await before.snapshot();
    await before.close();
    const now = { version: '2', apply: twice };
    const journal = await open(disk, now);
    await journal.append({ key: 'b', value: 2 });
    await journal.snapshot();
    await journal.close();
    const [, newest = ''] = await names(disk, /snap$/);
    await damage(disk, newest, 100);
    await using again = await open(disk, now);
    assert.deepEqual(again.state, { a: 2, b: 4 });
    for (const value of [3, 4]) {
      await again.append({ key: 'c', value });
      await again.snapshot();
    }
    // Two that can be used: now the log may go, and what is older.
    assert.equal((await names(disk, /snap$/)).length, 2);
    await assert.rejects(again.replay({ from: 1 }).next(), coded('LODE_NOT_FOUND'));
  });

  it('count where they are upgraded', async () => {
    const disk = await newDisk();
    for (const version of ['1', '2', '3']) {
      await using journal = await open(disk, { version, upgrade });
      await journal.append({ key: version, value: 1 });
      await journal.snapshot();
    }
    assert.equal((await names(disk, /snap$/)).length, 2);
  });
});

describe('the past of a journal', () => {
  it('can be opened at an event or a moment, without changing anything', async () => {
    const disk = await newDisk();
    const journal = await open(disk);
    const times: number[] = [];
    for (let i = 1; i <= 6; i++) {
      await journal.append({ key: 'i', value: i });
      if (i === 2 || i === 4) await journal.snapshot();
    }
    for await (const { timeMs } of journal.replay({ from: 3 })) times.push(timeMs);
    const before = await contents(disk);
    for (let lsn = 2; lsn <= 6; lsn++) {
      await using then = await open(disk, { until: { lsn } });
      assert.deepEqual(then.state, { i: lsn });
      await assert.rejects(then.append({ key: 'a', value: 1 }), coded('LODE_READ_ONLY'));
      const seen: number[] = [];
      for await (const event of then.replay({ from: 3 })) seen.push(event.lsn);
      assert.deepEqual(seen, [3, 4, 5, 6].slice(0, Math.max(0, lsn - 2)));
    }
    await using atEnd = await open(disk, { until: { timeMs: times.at(-1) ?? 0 } });
    assert.deepEqual(atEnd.state, { i: 6 });
    await assert.rejects(open(disk, { until: { lsn: 7 } }), coded('LODE_NOT_FOUND'));
    for (const until of [{ lsn: 1 }, { timeMs: 1 }]) {
      const isTooEarly = (error: unknown): boolean =>
        isLodeError(error, 'LODE_NOT_FOUND') &&
        /^LSN 2 \(.*\) to LSN 6 \(.*\)$/.test(`${error.details.expected}`);
      await assert.rejects(open(disk, { until }), isTooEarly);
    }
    assert.deepEqual(await contents(disk), before);
    await journal.close();
  });

  it('is cut from damage on, when the caller accepts that, and put aside', async () => {
    const disk = await newDisk();
    await write(disk, 20);
    const [log = ''] = await names(disk, /^wal/);
    await damage(disk, log, 400);
    await assert.rejects(open(disk), (error) => isLodeError(error) && error.kind === 'corrupt');
    await using rescued = await open(disk, { recovery: 'salvage' });
    const found: number[] = [];
    for await (const { lsn } of rescued.replay()) found.push(lsn);
    assert.ok(found.length >= 18 && found.length < 20, `${found.length} found`);
    const plan = await recover(dir, { disk, recovery: 'last-good', dryRun: true });
    assert.equal(plan.log.action, 'planned');
    const done = await recover(dir, { disk, recovery: 'last-good' });
    assert.equal(done.lsn, plan.lsn);
    assert.ok(done.lsn < 20 && done.setAside.length === 1);
    await using journal = await open(disk, { recovery: 'strict' });
    assert.equal(journal.lsn, done.lsn);
  });

  it('is followed to its end and beyond', async () => {
    const journal = await open(await newDisk());
    await journal.append({ key: 'a', value: 1 });
    const seen: unknown[] = [];
    const following = (async (): Promise<void> => {
      for await (const { event } of journal.follow()) seen.push(event.value);
    })();
    for (let value = 2; value <= 5; value++) await journal.append({ key: 'a', value });
    await journal.close();
    await following;
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });
});
