/** At risk: a journal taken back to a point that ends at another one, loses what it had, or cannot be gone on with. R2, R3 and R5 cut it short. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../../src/disk/disk.ts';
import { isLodeError } from '../../../src/errors.ts';
import { memoryStore, openDataset } from '../../../src/index.ts';
import { exportJournal, recover } from '../../../src/journal.ts';
import type { JournalPoint } from '../../../src/journal.ts';
import { memoryDisk, virtualEnv } from '../../../src/testing/index.ts';
import { coded, contents, damage, dir, names, newDisk, open, write } from './key-value.ts';

interface Sample {
  /** A copy of the journal on a disk of its own. */
  readonly copy: () => Promise<Disk>;
  /** When each event was appended, by LSN. */
  readonly times: readonly number[];
}

const count = 30;

/** Segments of a few events, groups of one to three of them, three snapshots; the log begins at `first`. */
async function sample(first: number, isKilled: boolean): Promise<Sample> {
  const disk = await newDisk();
  const env = virtualEnv();
  const options = { env, segmentBytes: 400, snapshot: { keep: first === 1 ? 9 : 2 } };
  let journal = await open(disk, options);
  for (let lsn = 1; lsn <= count;) {
    const together = Math.min(1 + (lsn % 3), count + 1 - lsn);
    const group = Array.from({ length: together }, (_, i) => lsn + i);
    await Promise.all(group.map((value) => journal.append({ key: `k${value % 7}`, value })));
    lsn += together;
    env.stepWallClock(10);
    if ([6, 13, 21].some((at) => lsn - 1 >= at && lsn - 1 - together < at)) {
      await journal.snapshot();
    }
    if (lsn % 4 !== 0) continue;
    await journal.close();
    journal = await open(disk, options);
  }
  const times: number[] = [];
  for await (const { lsn, timeMs } of journal.replay()) times[lsn] = timeMs;
  if (!isKilled) await journal.close();
  const files = await contents(disk);
  const copy = async (): Promise<Disk> => {
    const left = memoryDisk();
    await left.makeDirectory(dir);
    for (const [name, bytes] of files) {
      const file = await left.open(`${dir}/${name}`, 'create');
      await file.write(Buffer.from(bytes, 'base64'), 0);
      await file.close();
    }
    return left;
  };
  return { copy, times };
}

type Found = { readonly lsn: number; readonly state: object } | string;

async function past(disk: Disk, until: JournalPoint): Promise<Found> {
  try {
    await using journal = await open(disk, { until });
    return { lsn: journal.lsn, state: { ...journal.state } };
  } catch (error) {
    return isLodeError(error) ? error.code : String(error);
  }
}

describe('a journal taken back to an earlier point', () => {
  for (const [what, first, isKilled] of [
    ['with all of its log', 1, false],
    ['with the log behind two snapshots', 2, false],
    ['whose process was killed', 1, true],
  ] as const) {
    it(`${what} is what it was then, for every event and moment`, async () => {
      const { copy, times } = await sample(first, isKilled);
      const last = times.at(-1) ?? 0;
      const points: JournalPoint[] = [
        ...Array.from({ length: count + 2 }, (_, lsn) => ({ lsn })),
        ...[0, ...times.filter(Number), last + 1e6].flatMap((timeMs) => [
          { timeMs },
          { timeMs: timeMs - 1 },
        ]),
      ];
      let refused = 0;
      for (const until of points) {
        const disk = await copy();
        const told = `${JSON.stringify(until)}`;
        // What was before the first event can be shown, and not gone on with.
        const isNothing = first > 1 && until.lsn === 0;
        const expected = isNothing ? 'LODE_NOT_FOUND' : await past(disk, until);
        const before = await contents(disk);
        if (typeof expected === 'string') {
          refused++;
          for (const dryRun of [true, false])
            await assert.rejects(recover(dir, { disk, until, dryRun }), (error) => {
              return isLodeError(error, 'LODE_NOT_FOUND') && error.code === expected;
            });
          assert.deepEqual(
            [...(await names(disk, /log|snap/))],
            [...before.keys()].filter((name) => /log|snap/.test(name)).sort(),
            told,
          );
          continue;
        }
        const plan = await recover(dir, { disk, until, dryRun: true });
        assert.deepEqual(await contents(disk), before, told);
        const done = await recover(dir, { disk, until });
        const { lsn, removed, snapshot, setAside } = done;
        assert.deepEqual({ ...plan, log: 0 }, { ...done, log: 0 }, told);
        assert.deepEqual([lsn, removed?.records ?? 0], [expected.lsn, count - expected.lsn], told);
        const there = await names(disk, /./);
        assert.ok(
          setAside.every((name) => there.includes(name)),
          told,
        );
        assert.ok(!there.includes('rewinding') && (snapshot?.lsn ?? 0) <= lsn, told);
        await using journal = await open(disk, { recovery: 'strict' });
        assert.deepEqual({ lsn: journal.lsn, state: journal.state }, expected, told);
        assert.equal((await journal.append({ key: 'next', value: 1 })).lsn, lsn + 1);
        assert.deepEqual((await journal.verify()).problems, [], told);
      }
      assert.ok(first === 1 ? refused === 1 : refused > 5, `${refused} points are refused`);
    });
  }

  it('names the points there are when it does not go back so far, or not so far ahead', async () => {
    const { copy } = await sample(2, false);
    const disk = await copy();
    const range = /^LSN 14 \(2026-.*Z\) to LSN 30 \(2026-.*Z\)$/;
    for (const until of [{ lsn: 1 }, { lsn: 31 }, { timeMs: 5 }]) {
      await assert.rejects(recover(dir, { disk, until }), (error) => {
        assert.ok(isLodeError(error, 'LODE_NOT_FOUND'));
        assert.match(`${error.details.expected}`, range);
        return true;
      });
    }
    for (const until of [{}, { lsn: -1 }, { lsn: 1, timeMs: 1 }, { timeMs: Number.NaN }]) {
      await assert.rejects(
        recover(dir, { disk, until: until as JournalPoint }),
        coded('LODE_INVALID_ARGUMENT'),
      );
    }
  });

  it('is what it was once more when what was set aside is put back', async () => {
    const disk = await newDisk();
    await write(disk, 20, { segmentBytes: 300 });
    const before = await contents(disk);
    const { setAside } = await recover(dir, { disk, until: { lsn: 9 } });
    for (const name of setAside) {
      const [, whole, offset] = /^(.*)\.(?:aside|cut-(\d+))$/.exec(name) ?? [];
      if (offset === undefined) {
        await disk.rename(`${dir}/${name}`, `${dir}/${whole}`);
        continue;
      }
      const cut = Buffer.from((await contents(disk)).get(name) ?? '', 'base64');
      const file = await disk.open(`${dir}/${whole}`, 'write');
      await file.truncate(Number(offset));
      await file.write(cut, Number(offset));
      await file.close();
      await disk.unlink(`${dir}/${name}`);
    }
    assert.deepEqual(await contents(disk), before);
  });

  it('does not mind damage behind the point, and refuses to pass damage in front of it', async () => {
    const disk = await newDisk();
    await write(disk, 20, { segmentBytes: 300 });
    const logs = await names(disk, /\.log$/);
    await damage(disk, logs[2] ?? '', 200);
    await assert.rejects(open(disk), coded('LODE_CHECKSUM_MISMATCH'));
    await assert.rejects(
      recover(dir, { disk, until: { lsn: 20 } }),
      coded('LODE_CHECKSUM_MISMATCH'),
    );
    const strict = { disk, until: { lsn: 4 }, recovery: 'strict' } as const;
    await assert.rejects(recover(dir, strict), coded('LODE_CHECKSUM_MISMATCH'));
    assert.equal((await recover(dir, { disk, until: { lsn: 4 } })).lsn, 4);
    await using journal = await open(disk, { recovery: 'strict' });
    assert.equal(journal.lsn, 4);
  });

  it('is not opened, read, exported or recovered before it is there; a live one is not taken back', async () => {
    const disk = await newDisk();
    const journal = await open(disk);
    await journal.append({ key: 'a', value: 1 });
    await journal.append({ key: 'b', value: 2 });
    await assert.rejects(recover(dir, { disk, until: { lsn: 1 } }), coded('LODE_LOCKED'));
    assert.equal((await recover(dir, { disk, until: { lsn: 1 }, dryRun: true })).lsn, 1);
    await journal.close();
    await (await disk.open(`${dir}/rewinding`, 'create')).close();
    const dataset = await openDataset('backup', { store: memoryStore() });
    for (const refused of [
      () => open(disk),
      () => open(disk, { until: { lsn: 1 } }),
      () => recover(dir, { disk }),
      () => exportJournal(dir, dataset, { disk }),
    ])
      await assert.rejects(refused, coded('LODE_TRUNCATED'));
    await recover(dir, { disk, until: { lsn: 1 } });
    await using back = await open(disk);
    assert.deepEqual(back.state, { a: 1 });
  });

  it('is another course: what was exported before is not gone on with, though its events are the same', async () => {
    const dataset = await openDataset('backup', { store: memoryStore() });
    const disk = await newDisk();
    const env = virtualEnv();
    const grow = async (): Promise<void> => {
      await using journal = await open(disk, { env });
      for (let i = 0; i < 3; i++) await journal.append({ key: 'same', value: 'same' });
      env.stepWallClock(1000);
    };
    await grow();
    await grow();
    await exportJournal(dir, dataset, { disk });
    await recover(dir, { disk, until: { lsn: 3 } });
    await assert.rejects(exportJournal(dir, dataset, { disk }), coded('LODE_INVALID_ARGUMENT'));
    await grow();
    await grow();
    await assert.rejects(exportJournal(dir, dataset, { disk }), coded('LODE_INVALID_ARGUMENT'));
    await using journal = await open(disk, { env });
    await assert.rejects(journal.exportTo(dataset), coded('LODE_INVALID_ARGUMENT'));
  });
});
