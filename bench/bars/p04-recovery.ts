/**
 * P4: recovery of a log that a crash left, against a loop that reads the same records and checks a CRC-32C each, and against peers
 * that are opened and read. A gigabyte of records of 4 KiB takes a second at most, in the fastest round: it is the only absolute time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectGarbage } from '../curve.ts';
import {
  heldRows,
  shownRows,
  type Bar,
  type BarContext,
  type HeldRow,
  type Row,
} from '../harness.ts';
import { logPeers, missingNote } from '../log-peers.ts';
import { filledLog, rawScan, recordOf } from '../recovery-rows.ts';

const rawMin = 0.5;
/** Of records of 100 bytes. Those of 4 KiB it hands out without checking them, as fast as a checksum can be made here: only shown. */
const sqliteMin = 3;
const secondsPerGigabyteMax = 1;
const rounds = 7;

export const bar: Bar = {
  id: 'P4',
  title: 'recovery of the log, against a raw scan and peers',
  async run({ release, seed, log }) {
    const root = await mkdtemp(join(tmpdir(), 'lode-recovery-'));
    try {
      const scale = release ? 4 : 1;
      const shown: string[] = [];
      let passed = true;
      for (const [size, bytes] of [
        [100, 48e6 * scale],
        [4096, 256e6 * scale],
      ] as const) {
        const dir = join(root, String(size));
        const record = recordOf(size, seed);
        const raw = await againstRaw(dir, record, bytes, log);
        const others = await againstPeers(dir, record, bytes / (size === 100 ? 2 : 4), log);
        shown.push(`${size} B:${shownRows([...raw.rows, ...others.rows]).slice(1)}${others.note}`);
        passed &&= raw.pass && others.pass;
        if (size !== 4096) continue;
        shown.push(`${raw.secondsPerGigabyte.toFixed(2)} s a GB (bar ${secondsPerGigabyteMax})`);
        passed &&= raw.secondsPerGigabyte <= secondsPerGigabyteMax;
      }
      return { outcome: passed ? 'pass' : 'fail', figure: `ratio ${shown.join('; ')}` };
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

interface Against {
  readonly rows: readonly HeldRow[];
  readonly pass: boolean;
}

async function againstRaw(
  dir: string,
  record: Uint8Array,
  bytes: number,
  log: BarContext['log'],
): Promise<Against & { readonly secondsPerGigabyte: number }> {
  const count = Math.floor(bytes / record.length);
  const ours = await filledLog(join(dir, 'log'), record, count);
  const scan = rawScan(join(dir, 'raw'), record, count);
  const name = `${count} x ${record.length} B`;
  const rows: Row[] = [
    { name: 'raw', min: rawMin, theirs: () => scan('crc32c') },
    // Another checksum than ours has to be, from C: what there would be to win.
    { name: 'raw with CRC-32', min: 0, theirs: () => scan('crc32') },
  ];
  const held = await heldRows(() => ours.recover(), rows, {
    name,
    rounds,
    before: collectGarbage,
    log,
  });
  return { ...held, secondsPerGigabyte: (held.oursBestMs / bytes) * 1e6 };
}

async function againstPeers(
  dir: string,
  record: Uint8Array,
  bytes: number,
  log: BarContext['log'],
): Promise<Against & { readonly note: string }> {
  const count = Math.floor(bytes / record.length / 1000) * 1000;
  const ours = await filledLog(join(dir, 'short'), record, count);
  const peers = await logPeers(join(dir, 'peers'));
  try {
    const batch = Array.from({ length: 1000 }, () => record);
    for (const peer of peers)
      for (let i = 0; i < count; i += batch.length) await peer.appendBatch(batch);
    const total = count * record.length;
    const allOf = async (
      read: (visit: (bytes: Uint8Array) => void) => Promise<void>,
    ): Promise<void> => {
      let seen = 0;
      await read((bytes) => (seen += bytes.length));
      if (seen !== total) throw new Error(`${seen} bytes of ${total} were read`);
    };
    const rows = peers.map((peer) => ({
      name: peer.name,
      min: peer.name === 'better-sqlite3' && record.length === 100 ? sqliteMin : 0,
      theirs: () => allOf((visit) => peer.reread(visit)),
    }));
    const name = `${count} x ${record.length} B`;
    const recover = (): Promise<void> => allOf((visit) => ours.recover(visit));
    const held = await heldRows(recover, rows, { name, rounds, before: collectGarbage, log });
    return { ...held, note: missingNote(peers) };
  } finally {
    for (const peer of peers) await peer.close();
  }
}
