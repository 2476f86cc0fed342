/** The calls and accidents of the journal model, as fast-check commands. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AsyncCommand } from 'fast-check';
import { recover, restoreJournal } from '../../src/journal.ts';
import { faultyDisk } from '../../src/testing/index.ts';
import { failsWith } from './dataset.ts';
import { assertSame, dir, keep, openReal, stateAfter } from './journal.ts';
import type { JournalModel, JournalReal } from './journal.ts';

type Command = AsyncCommand<JournalModel, JournalReal>;

const event = fc.nat(20);
const pick = fc.nat(1_000);

function command(
  name: string,
  run: (model: JournalModel, real: JournalReal) => Promise<void>,
  check: (model: Readonly<JournalModel>) => boolean = () => true,
): Command {
  return {
    check,
    toString: () => name,
    run: async (model, real) => {
      await run(model, real);
      assertSame(model, real);
    },
  };
}

/** What `check` lets through, one after the other. */
async function appendAll(
  model: JournalModel,
  { journal }: JournalReal,
  events: readonly number[],
): Promise<void> {
  const results = await Promise.allSettled(events.map((value) => journal.append(value)));
  for (const [i, result] of results.entries()) {
    const value = events[i] ?? -1;
    const isRefused = value === model.events.at(-1);
    assert.equal(result.status, isRefused ? 'rejected' : 'fulfilled', `event ${i}`);
    if (result.status === 'rejected') assert.ok(result.reason instanceof RangeError);
    else assert.equal(result.value.lsn, model.events.push(value));
  }
}

const append = event.map((value) =>
  command(`append(${value})`, (model, real) => appendAll(model, real, [value])),
);

const together = fc
  .array(event, { minLength: 2, maxLength: 6 })
  .map((events) =>
    command(`together(${events.join(' ')})`, (model, real) => appendAll(model, real, events)),
  );

const unwritable = fc.constantFrom(Number.NaN, Infinity).map((value) =>
  command(`unwritable(${value})`, async (_, { journal }) => {
    await failsWith(journal.append(value), 'LODE_INVALID_RECORD');
  }),
);

const snapshot = fc.constant(0).map(() =>
  command('snapshot', async (model, { journal }) => {
    const { lsn } = await journal.snapshot();
    assert.equal(lsn, model.events.length);
    if (model.snapshots.at(-1) !== lsn) model.snapshots.push(lsn);
    model.snapshots = model.snapshots.slice(-keep);
    if (model.snapshots.length === keep) model.first = (model.snapshots[0] ?? 0) + 1;
  }),
);

const reopen = fc.constantFrom('tail', 'strict', 'last-good').map((recovery) =>
  command(`reopen(${recovery})`, async (model, real) => {
    await real.journal.close();
    await failsWith(real.journal.append(1), 'LODE_CLOSED');
    real.journal = await openReal(real, { recovery });
    assert.equal(real.journal.recovery.log.action, 'none');
    assert.equal(real.journal.recovery.snapshot?.lsn, model.snapshots.at(-1));
  }),
);

const second = fc.constant(0).map(() =>
  command('second opener', async (_, real) => {
    await failsWith(openReal(real), 'LODE_LOCKED');
  }),
);

const replay = pick.map((at) =>
  command(`replay(${at})`, async (model, { journal }) => {
    const from = model.first + (at % (model.events.length - model.first + 2));
    const found: number[] = [];
    for await (const { lsn, event: value } of journal.replay({ from })) {
      assert.equal(lsn, from + found.length);
      found.push(value);
    }
    assert.deepEqual(found, model.events.slice(from - 1));
  }),
);

const beforeTheLog = fc.constant(0).map(() =>
  command(
    'replay(before the log)',
    async (_, { journal }) => {
      await failsWith(journal.replay({ from: 1 }).next(), 'LODE_NOT_FOUND');
    },
    // Segments go whole: the first one may hold a few more.
    ({ first, events }) => first > 40 && events.length > 40,
  ),
);

const past = pick.map((at) =>
  command(
    `past(${at})`,
    async (model, real) => {
      const base = model.first - 1;
      const lsn = base + (at % (model.events.length - base + 1));
      const then = await openReal(real, { until: { lsn } });
      assert.deepEqual(then.state, stateAfter(model.events.slice(0, lsn)));
      await failsWith(then.append(1), 'LODE_READ_ONLY');
      await then.close();
    },
    ({ events }) => events.length > 0,
  ),
);

const verify = fc.constant(0).map(() =>
  command('verify', async (_, { journal }) => {
    assert.deepEqual((await journal.verify()).problems, []);
  }),
);

const plan = fc.constant(0).map(() =>
  command('recover(dry run)', async (model, real) => {
    await real.journal.close();
    const { lsn, setAside } = await recover(dir, { disk: real.disk, dryRun: true });
    assert.deepEqual([lsn, setAside], [model.events.length, []]);
    real.journal = await openReal(real);
  }),
);

const rot = pick.map((at) =>
  command(
    'rot(newest snapshot)',
    async (model, real) => {
      await real.journal.close();
      const name = `snapshot-${String(model.snapshots.pop()).padStart(20, '0')}.snap`;
      const file = await real.disk.open(`${dir}/${name}`, 'write');
      const byte = new Uint8Array(1);
      const offset = at % (await file.info()).size;
      await file.read(byte, offset);
      await file.write(Uint8Array.of((byte[0] ?? 0) ^ (1 << (at % 8))), offset);
      await file.close();
      real.journal = await openReal(real);
      assert.deepEqual(real.journal.recovery.setAside, [`${name}.aside`]);
      await real.disk.unlink(`${dir}/${name}.aside`);
    },
    // The other one, or the initial state, is what the log goes back to.
    ({ snapshots, first }) => snapshots.length === 2 || (snapshots.length === 1 && first === 1),
  ),
);

const fullDisk = event.map((value) =>
  command(`full disk(${value})`, async (model, real) => {
    await real.journal.close();
    const disk = faultyDisk(real.disk, { on: 'write', at: 1, kind: 'ENOSPC', times: 'ever' });
    const journal = await openReal({ ...real, disk });
    if (value !== model.events.at(-1)) {
      await failsWith(journal.append(value), 'LODE_STORAGE_FULL');
    }
    assert.deepEqual(journal.state, stateAfter(model.events));
    await journal.close().catch(() => {});
    real.journal = await openReal(real);
  }),
);

const exported = fc.constant(0).map(() =>
  command('export', async (model, { journal, dataset }) => {
    const { lsn, parts } = await journal.exportTo(dataset);
    assert.equal(lsn, model.events.length);
    if (model.exported === lsn) assert.equal(parts, 0);
    // Where the log does not reach back, a state is taken.
    if (parts > 0) await noteSnapshots(model, journal);
    model.exported = lsn;
  }),
);

async function noteSnapshots(model: JournalModel, journal: JournalReal['journal']): Promise<void> {
  const { snapshots } = await journal.verify();
  model.snapshots = snapshots.map(({ lsn }) => lsn).reverse();
  if (model.snapshots.length === keep) model.first = (model.snapshots[0] ?? 0) + 1;
}

const restored = fc.constant(0).map(() =>
  command(
    'restore',
    async (model, real) => {
      const { disk, dataset } = real;
      const path = `/copy-${++real.restorations}`;
      await disk.makeDirectory(path);
      const { lsn } = await restoreJournal(path, dataset, { disk });
      assert.equal(lsn, model.exported);
      const copy = await openReal(real, { recovery: 'strict' }, path);
      assert.deepEqual(copy.state, stateAfter(model.events.slice(0, lsn)));
      await copy.close();
      await failsWith(restoreJournal(path, dataset, { disk }), 'LODE_ALREADY_EXISTS');
    },
    ({ exported: lsn }) => lsn >= 0,
  ),
);

export const journalCommands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: append },
  { weight: 6, arbitrary: together },
  { weight: 1, arbitrary: unwritable },
  { weight: 3, arbitrary: snapshot },
  { weight: 3, arbitrary: reopen },
  { weight: 1, arbitrary: second },
  { weight: 2, arbitrary: replay },
  { weight: 1, arbitrary: beforeTheLog },
  { weight: 2, arbitrary: past },
  { weight: 2, arbitrary: verify },
  { weight: 1, arbitrary: plan },
  { weight: 2, arbitrary: rot },
  { weight: 1, arbitrary: fullDisk },
  { weight: 2, arbitrary: exported },
  { weight: 1, arbitrary: restored },
);
