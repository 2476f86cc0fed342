/** P1: one durable record of 100 bytes at a time, against a preallocated file written and synced by hand, and against peers. */
import { compare, heldRows, heldTo, shownRows } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { missingNote } from '../log-peers.ts';
import { contest, record } from '../wal-rows.ts';

const rawMin = 0.9;
const peerMin = { 'better-sqlite3': 1, lmdb: 1.5, 'classic-level': 1.3 };
const appends = 400;
const rounds = 11;

export const bar: Bar = {
  id: 'P1',
  title: 'the log, one durable append at a time, against a raw preallocated file and peers',
  async run({ log }) {
    await using sides = await contest();
    const { wal, raw, peers } = sides;
    const ours = (): void => {
      for (let i = 0; i < appends; i++) wal.appendSync(record);
    };
    const sync = await heldTo(rawMin, async () => {
      const theirs = (): void => {
        for (let i = 0; i < appends; i++) raw.appendSync(record);
      };
      return (await compare(ours, theirs, { name: 'sync', rounds, log })).ratio;
    });
    const async = await heldTo(rawMin, async () => {
      const oursAsync = async (): Promise<void> => {
        for (let i = 0; i < appends; i++) await wal.append(record).durable;
      };
      const theirs = async (): Promise<void> => {
        for (let i = 0; i < appends; i++) await raw.append(record);
      };
      return (await compare(oursAsync, theirs, { name: 'async', rounds, log })).ratio;
    });
    const rows = peers.map((peer) => ({
      name: peer.name,
      min: peerMin[peer.name],
      theirs: async () => {
        for (let i = 0; i < appends; i++) {
          const done = peer.append(record);
          if (done !== undefined) await done;
        }
      },
    }));
    const others = await heldRows(ours, rows, { name: 'sync', rounds, log });
    return {
      outcome: sync.pass && async.pass && others.pass ? 'pass' : 'fail',
      figure:
        `ratio ${sync.value.toFixed(2)} raw sync, ${async.value.toFixed(2)} raw async (bar ${rawMin})` +
        shownRows(others.rows) +
        missingNote(peers),
    };
  },
};
