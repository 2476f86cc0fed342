/**
 * P3: batches of 100 records that become durable together, against the same bytes written and synced by hand, and against the
 * transactions and batches of peers.
 */
import { compare, heldRows, heldTo, shownRows } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { missingNote } from '../log-peers.ts';
import { contest, record } from '../wal-rows.ts';

const rawMin = 0.6;
/**
 * SQLite's row is shown and not held: its transaction syncs on the calling thread, and a promise comes from the thread pool, which
 * costs more than the rest of a batch. On a quiet machine it wins by a tenth or two.
 */
const peerMin = { 'better-sqlite3': 0, lmdb: 1.5, 'classic-level': 3.5 };
const batch = 100;
const batches = 100;
const rounds = 11;

export const bar: Bar = {
  id: 'P3',
  title: 'the log, batches of 100 records, against raw batches in a preallocated file and peers',
  async run({ log }) {
    await using sides = await contest();
    const { wal, raw, peers } = sides;
    const records = Array.from({ length: batch }, () => record);
    const whole = Buffer.concat(records);
    const ours = async (): Promise<void> => {
      for (let i = 0; i < batches; i++) {
        let last = wal.append(record);
        for (let j = 1; j < batch; j++) last = wal.append(record);
        await last.durable;
      }
    };
    const result = await heldTo(rawMin, async () => {
      const theirs = async (): Promise<void> => {
        for (let i = 0; i < batches; i++) await raw.append(whole);
      };
      return (await compare(ours, theirs, { name: 'batches', rounds, log })).ratio;
    });
    const rows = peers.map((peer) => ({
      name: peer.name,
      min: peerMin[peer.name],
      theirs: async () => {
        for (let i = 0; i < batches; i++) {
          const done = peer.appendBatch(records);
          if (done !== undefined) await done;
        }
      },
    }));
    const others = await heldRows(ours, rows, { name: 'batches', rounds, log });
    return {
      outcome: result.pass && others.pass ? 'pass' : 'fail',
      figure:
        `ratio ${result.value.toFixed(2)} raw (bar ${rawMin})` +
        shownRows(others.rows) +
        missingNote(peers),
    };
  },
};
