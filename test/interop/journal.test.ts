/**
 * At risk: that others can read our journals. A reader written from docs/formats/journal.md alone finds in them what we wrote,
 * and judges crashes and damage as we do; Pebble's reader of RocksDB's log format finds the same records.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectWal, openWal, writeSnapshot } from '../../src/journal.ts';
import type { Wal, WalOptions } from '../../src/journal.ts';
import { root as repository } from '../files.ts';
import { fromHex, readVectors } from '../journal/vectors.ts';
import { damages } from './journal-damage.ts';
import { pebblePeer, pythonPeer } from './journal-peers.ts';
import type { PythonJournal } from './journal-peers.ts';

const python = await pythonPeer();
const pebble = await pebblePeer();
const withPython = { skip: 'missing' in python ? python.missing : false };
const withPebble = { skip: 'missing' in pebble ? pebble.missing : false };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (length: number, seed: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => (i * 31 + seed * 7 + (i >> 8)) & 0xff);

let root: string;
let count = 0;
before(async () => void (root = await mkdtemp(join(tmpdir(), 'lode-journal-interop-'))));
after(() => rm(root, { recursive: true, force: true }));

async function newDir(): Promise<string> {
  const dir = join(root, `${++count}`);
  await mkdir(dir);
  return dir;
}

function open(dir: string, options: WalOptions = {}): Promise<Wal> {
  return openWal(dir, { reserveBytes: 0, preallocateBytes: 16_384, ...options });
}

/** Appends records of these lengths, a group for each list. */
async function fill(wal: Wal, groups: readonly (readonly number[])[]): Promise<void> {
  for (const lengths of groups) {
    const appended = lengths.map((length, i) => wal.append(bytesOf(length, i)));
    await appended.at(-1)?.durable;
  }
}

async function readPython(...dirs: string[]): Promise<PythonJournal[]> {
  assert.ok('read' in python);
  return python.read(dirs);
}

async function segmentsIn(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.log')).sort();
  return names.map((name) => join(dir, name));
}

/** As our own reader finds it, without changing anything. */
async function ours(dir: string): Promise<{ lsn: number; time: number; sha256: string }[]> {
  const found: { lsn: number; time: number; sha256: string }[] = [];
  await inspectWal(dir, {
    recovery: 'last-good',
    visit: ({ lsn, timeMs, bytes }) => found.push({ lsn, time: timeMs, sha256: sha256(bytes) }),
  });
  return found;
}

/** Lengths around the ends of pages, over several pages, empty ones, and enough for several segments. */
const manyGroups = [
  [0, 1, 2, 100],
  ...Array.from({ length: 30 }, (_, i) => [32_768 - 11 - 5 - 20 + i, i]),
  [100_000, 0, 65_536],
  [3],
];

/** A log of three openings and many segments. */
async function manySegments(): Promise<string> {
  const dir = await newDir();
  for (let opening = 0; opening < 3; opening++) {
    const wal = await open(dir, { segmentBytes: 300_000 });
    await fill(wal, manyGroups);
    await wal.close();
  }
  return dir;
}

describe('a journal, read from its documentation', withPython, () => {
  it('is the example of the page, byte by byte', async () => {
    const page = await readFile(join(repository, 'docs/formats/journal.md'), 'utf8');
    const dump = /```\n(0000 {2}[^`]+)```/.exec(page)?.[1] ?? '';
    const hex = dump.replace(/^[0-9a-f]{4} {2}/gm, '').replace(/\s/g, '');
    const dir = await newDir();
    await writeFile(join(dir, 'wal-00000000000000000001.log'), Buffer.from(hex, 'hex'));
    const [journal] = await readPython(dir);
    assert.equal(journal?.verdict, 'whole');
    assert.deepEqual(
      journal.records.map(({ lsn, time, sha256: digest }) => [lsn, time, digest]),
      ['one', 'two', 'three'].map((text, i) => [
        i + 1,
        1_700_000_000_000 + (i === 0 ? 0 : 5),
        sha256(Buffer.from(text)),
      ]),
    );
    assert.deepEqual(
      (await ours(dir)).map(({ lsn }) => lsn),
      [1, 2, 3],
    );
  });

  it('has every record we wrote: of all lengths, over pages, segments and openings', async () => {
    const dir = await manySegments();
    const [journal] = await readPython(dir);
    assert.equal(journal?.verdict, 'whole');
    const lengths = [...manyGroups, ...manyGroups, ...manyGroups].flatMap((group) =>
      group.map((length, i) => sha256(bytesOf(length, i))),
    );
    assert.deepEqual(
      journal.records.map(({ sha256: digest }) => digest),
      lengths,
    );
    assert.deepEqual(
      journal.records.map(({ lsn, time, sha256: digest }) => ({ lsn, time, sha256: digest })),
      await ours(dir),
    );
    assert.ok(journal.segments.length > 9);
    assert.ok(journal.records.some(({ frames }) => frames >= 4));
    assert.equal(new Set(journal.segments.map(({ epoch }) => epoch)).size, 3);
    assert.ok(journal.ends.every(({ end }) => end === 'sealed' || end === 'taken over'));
  });

  it('can be read while it is written to, space made ahead included', async () => {
    const dir = await newDir();
    const wal = await open(dir);
    await fill(wal, [[5, 6], [7]]);
    const [journal] = await readPython(dir);
    assert.equal(journal?.verdict, 'whole');
    assert.equal(journal.records.length, 3);
    assert.deepEqual(
      journal.ends.map(({ end }) => end),
      ['open'],
    );
    await wal.close();
  });

  it('begins where the log was released, and anew behind a snapshot', async () => {
    const dir = await newDir();
    const wal = await open(dir);
    await fill(wal, [[1], [2]]);
    await wal.rotate();
    await fill(wal, [[3], [4]]);
    await wal.close();
    const anew = await newDir();
    await cp(dir, anew, { recursive: true });
    const behind = await open(anew, { after: 10 });
    await fill(behind, [[11]]);
    await behind.close();
    const released = await open(dir);
    await fill(released, [[5]]);
    assert.ok((await released.release(4)) > 0);
    await released.close();
    const journals = await readPython(dir, anew);
    assert.deepEqual(
      journals.map(({ verdict, records }) => [verdict, records.map(({ lsn }) => lsn)]),
      [
        ['whole', [3, 4, 5]],
        ['whole', [11]],
      ],
    );
  });

  it('does not count what a writer wrote after another had taken over', async () => {
    const dir = await newDir();
    const wal = await open(dir);
    await fill(wal, [[1], [2]]);
    const taken = await newDir();
    await cp(dir, taken, { recursive: true });
    await fill(wal, [[3], [4, 5]]);
    const stale = await readFile((await segmentsIn(dir))[0] ?? '');
    await wal.close();
    const successor = await open(taken);
    await fill(successor, [[30], [40]]);
    await successor.close();
    await writeFile((await segmentsIn(taken))[0] ?? '', stale);
    const [journal] = await readPython(taken);
    assert.equal(journal?.verdict, 'whole');
    assert.deepEqual(
      journal.records.map(({ bytes }) => bytes),
      [1, 2, 30, 40],
    );
    assert.equal(journal.ends[0]?.end, 'taken over');
    assert.equal((await ours(taken)).length, 4);
  });

  it('is judged as we judge it, however it was cut or altered', async () => {
    const cases = await damages(root);
    const journals = await readPython(...cases.map(({ dir }) => dir));
    const tally = { whole: 0, torn: 0, damaged: 0 };
    const apart: object[] = [];
    for (const [at, { name, dir }] of cases.entries()) {
      const report = await inspectWal(dir, { recovery: 'last-good' });
      const isWhole = report.damage === undefined && report.notes.length === 0;
      const verdict = isWhole ? 'whole' : report.damage?.isTorn === true ? 'torn' : 'damaged';
      const { verdict: theirs, records = [], ends } = journals[at] ?? {};
      tally[verdict]++;
      // We read on behind damage that touches no record.
      const sameEnd = (records.at(-1)?.lsn ?? 0) === report.lastLsn || report.notes.length > 0;
      if (theirs === verdict && sameEnd) continue;
      apart.push({ name, report, theirs, last: records.at(-1)?.lsn, end: ends?.at(-1) });
    }
    assert.deepEqual(apart, []);
    assert.ok(Math.min(...Object.values(tally)) > 20, JSON.stringify(tally));
  });

  it('has the golden bytes of every version', async () => {
    const vectors = [...readVectors().values()];
    const dirs: string[] = [];
    for (const { files } of vectors) {
      const dir = await newDir();
      for (const [name, hex] of Object.entries(files)) {
        await writeFile(join(dir, name), fromHex(hex));
      }
      dirs.push(dir);
    }
    const journals = await readPython(...dirs);
    assert.deepEqual(
      journals.map(({ verdict, records, snapshots }) => ({
        verdict,
        records: records.map(({ lsn, time, sha256: digest }) => [lsn, time, digest]),
        snapshots: snapshots.map(({ lsn, time, sha256: digest }) => [lsn, time, digest]),
      })),
      vectors.map(({ verdict, records, snapshots = [] }) => ({
        verdict,
        records: records.map(([lsn, time, hex]) => [lsn, time, sha256(fromHex(hex))]),
        snapshots: snapshots.map(({ lsn, timeMs, state }) => [lsn, timeMs, sha256(fromHex(state))]),
      })),
    );
  });

  it('is whole again once we have recovered it', async () => {
    const cases: [dir: string, lastLsn: number][] = [];
    for (const { dir } of await damages(root, 7)) {
      const { damage, lastLsn } = await inspectWal(dir, { recovery: 'last-good' });
      if (damage?.isTorn !== true) continue;
      await (await open(dir)).close();
      cases.push([dir, lastLsn]);
    }
    const journals = await readPython(...cases.map(([dir]) => dir));
    assert.deepEqual(
      journals.map(({ verdict, records }) => [verdict, records.at(-1)?.lsn ?? 0]),
      cases.map(([, lastLsn]) => ['whole', lastLsn]),
    );
    assert.ok(cases.length > 20);
  });

  it('has snapshots with the state we gave, and refuses altered ones', async () => {
    const dir = await newDir();
    const wal = await open(dir);
    await fill(wal, [[1]]);
    const facts = {
      journalId: wal.journalId,
      timeMs: 1_700_000_000_000,
      codec: 'json',
      version: '3',
    };
    await wal.close();
    const states = [0, 1, 40_000, 300_000].map((length) => bytesOf(length, length));
    for (const [lsn, state] of states.entries())
      await writeSnapshot(dir, [state], { ...facts, lsn: lsn + 4_294_967_290 });
    const [journal] = await readPython(dir);
    assert.equal(journal?.verdict, 'whole');
    assert.deepEqual(
      journal.snapshots.map(({ lsn, time, codec, version, sha256: digest }) => [
        lsn,
        time,
        codec,
        version,
        digest,
      ]),
      states.map((state, i) => [i + 4_294_967_290, facts.timeMs, 'json', '3', sha256(state)]),
    );
    const name = journal.snapshots[2]?.file ?? '';
    const bytes = await readFile(join(dir, name));
    const altered: string[] = [];
    for (const at of [0, 20, 40, 60, 100, 5000, 33_000, bytes.length - 30, bytes.length - 1]) {
      const copy = await newDir();
      altered.push(copy);
      const bad = Buffer.from(bytes);
      bad[at] = (bad[at] ?? 0) ^ 4;
      await writeFile(join(copy, name), at % 2 === 0 ? bad : bytes.subarray(0, at));
    }
    const verdicts = await readPython(...altered);
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      altered.map(() => 'damaged'),
    );
  });
});

describe("a journal, read by Pebble's reader of RocksDB's log format", withPebble, () => {
  it('has the same records', withPython, async () => {
    assert.ok('read' in pebble);
    const dir = await manySegments();
    await writeSnapshot(dir, [bytesOf(100_000, 1)], {
      journalId: '00112233445566778899aabbccddeeff',
      lsn: 9,
      timeMs: 0,
      codec: 'bytes',
      version: '',
    });
    const [journal] = await readPython(dir);
    const files = await segmentsIn(dir);
    const found = await pebble.read(files);
    assert.deepEqual(
      found.map(({ end }) => end),
      files.map(() => 'end'),
    );
    const records = found.flatMap(({ records: all }) => {
      assert.equal(Buffer.from(all[0]?.body.subarray(5, 13) ?? []).toString(), 'lode-wal');
      return all.slice(1, -1);
    });
    assert.deepEqual(
      records.map(({ offset }) => offset),
      journal?.records.map(({ offset }) => offset),
    );
    for (const [at, { body }] of records.entries()) {
      const wanted = journal?.records[at];
      assert.equal(sha256(body.subarray(body.length - (wanted?.bytes ?? 0))), wanted?.sha256);
    }
    const [snapshot] = await pebble.read([join(dir, 'snapshot-00000000000000000009.snap')]);
    assert.equal(snapshot?.end, 'end');
    assert.equal(snapshot.records.length, 3);
    assert.deepEqual(
      Buffer.from(snapshot.records[1]?.body.subarray(-100_000) ?? []),
      Buffer.from(bytesOf(100_000, 1)),
    );
  });

  it('ends at space made ahead, and at what an earlier log left behind', async () => {
    assert.ok('read' in pebble);
    const dir = await newDir();
    const wal = await open(dir);
    await fill(wal, [[5, 6], [40_000]]);
    const [path = ''] = await segmentsIn(dir);
    const [ahead] = await pebble.read([path]);
    assert.deepEqual([ahead?.records.length, ahead?.end], [4, 'nothing more']);
    await wal.close();
    // The same blocks once more, under another log number.
    const bytes = await readFile(path);
    const other = await newDir();
    const again = await open(other);
    await fill(again, [[1]]);
    await again.rotate();
    await fill(again, [[2]]);
    await again.close();
    const second = (await segmentsIn(other))[1] ?? '';
    const { length } = await readFile(second);
    await writeFile(second, Buffer.concat([await readFile(second), bytes.subarray(length)]));
    const [recycled] = await pebble.read([second]);
    assert.equal(recycled?.records.length, 3);
  });
});
