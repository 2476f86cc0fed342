/**
 * P3: batches of 100 records that become durable together, against the same bytes written and synced by hand, and against the
 * transactions and batches of peers.
 */
import { compare, heldRows, heldTo, shownRows } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { missingNote } from '../log-peers.ts';
import type { LogPeer } from '../log-peers.ts';
import { contest, record } from '../wal-rows.ts';

const rawMin = 0.6;
/** A transaction of SQLite syncs on the calling thread: beside it, so does the last record of a batch of ours. */
const syncPeerMin = 1.0;
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
    const ofPeer = (peer: LogPeer) => async (): Promise<void> => {
      for (let i = 0; i < batches; i++) {
        const done = peer.appendBatch(records);
        if (done !== undefined) await done;
      }
    };
    const rows = peers.map((peer) => ({
      name: peer.name,
      min: peerMin[peer.name],
      theirs: ofPeer(peer),
    }));
    const others = await heldRows(ours, rows, { name: 'batches', rounds, log });
    const oursSync = (): void => {
      for (let i = 0; i < batches; i++) {
        for (let j = 1; j < batch; j++) wal.append(record);
        wal.appendSync(record);
      }
    };
    const syncRows = peers
      .filter(({ name }) => name === 'better-sqlite3')
      .map((peer) => ({ name: peer.name, min: syncPeerMin, theirs: ofPeer(peer) }));
    const sync = await heldRows(oursSync, syncRows, { name: 'synchronous', rounds, log });
    return {
      outcome: result.pass && others.pass && sync.pass ? 'pass' : 'fail',
      figure:
        `ratio ${result.value.toFixed(2)} raw (bar ${rawMin})` +
        shownRows(others.rows) +
        (sync.rows.length === 0 ? '' : `; synchronous${shownRows(sync.rows).slice(1)}`) +
        missingNote(peers),
    };
  },
};
