/**
 * P2: 64 appends in flight, each promise durable, against groups of 64 written and synced by hand on the calling thread, and
 * against peers that take many at a time. Syncs are counted as well.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWal } from '../../src/journal.ts';
import { compare, heldRows, heldTo, shownRows } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { missingNote } from '../log-peers.ts';
import { contest, countingDisk, record } from '../wal-rows.ts';

const rawMin = 0.35;
const peerMin = { 'better-sqlite3': 0, lmdb: 1.5, 'classic-level': 10 };
const syncsPerRecordMax = 1 / 32;
const inFlight = 64;
const each = 60;
const rounds = 11;

export const bar: Bar = {
  id: 'P2',
  title: 'the log, 64 durable appends in flight, against raw groups of 64 and peers',
  async run({ log }) {
    const syncs = await syncsPerRecord();
    log(`${(1 / syncs).toFixed(1)} records a sync`);
    await using sides = await contest();
    const { wal, raw, peers } = sides;
    const group = Buffer.concat(Array.from({ length: inFlight }, () => record));
    const ours = (): Promise<void> => manyAtATime(() => wal.append(record).durable);
    const result = await heldTo(rawMin, async () => {
      const theirs = (): void => {
        for (let i = 0; i < each; i++) raw.appendSync(group);
      };
      return (await compare(ours, theirs, { name: 'in flight', rounds, log })).ratio;
    });
    const rows = peers.flatMap(({ name, appendAmongMany: append }) =>
      append === undefined
        ? []
        : { name, min: peerMin[name], theirs: () => manyAtATime(() => append(record)) },
    );
    const others = await heldRows(ours, rows, { name: 'in flight', rounds, log });
    return {
      outcome: result.pass && others.pass && syncs <= syncsPerRecordMax ? 'pass' : 'fail',
      figure:
        `ratio ${result.value.toFixed(2)} raw (bar ${rawMin})${shownRows(others.rows)}, ` +
        `${(1 / syncs).toFixed(1)} records a sync (bar ${1 / syncsPerRecordMax})${missingNote(peers)}`,
    };
  },
};

async function manyAtATime(append: () => Promise<void>): Promise<void> {
  const writers = Array.from({ length: inFlight }, async () => {
    for (let i = 0; i < each; i++) await append();
  });
  await Promise.all(writers);
}

async function syncsPerRecord(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'lode-wal-'));
  try {
    const { disk, syncs } = countingDisk();
    await using wal = await openWal(dir, { reserveBytes: 0, disk });
    await wal.ready();
    const before = syncs();
    await manyAtATime(() => wal.append(record).durable);
    const count = syncs() - before;
    if (count === 0) throw new Error('no sync was seen: they are not counted where they are made');
    return count / (inFlight * each);
  } finally {
    await rm(dir, { recursive: true });
  }
}
