/**
 * The golden bytes of journals, in `test/vectors/journal`: what version 1 wrote, and what has to be read from it for ever. Each is made by
 * a script of ours, so that writers are held to the same bytes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from '../../src/disk/disk.ts';
import type { Env } from '../../src/env.ts';
import { FrameWriter } from '../../src/journal/wal/frame-writer.ts';
import { sealBytes } from '../../src/journal/wal/recover.ts';
import { headerOf } from '../../src/journal/wal/segment-writer.ts';
import { openWal, writeSnapshot } from '../../src/journal.ts';
import type { Wal, WalOptions } from '../../src/journal.ts';
import { memoryDisk } from '../../src/testing/index.ts';
import { root } from '../files.ts';
import { dir, readFile } from './sample.ts';

export interface Vector {
  readonly about: string;
  /** In hex; `xx*n` stands for n times the byte. */
  readonly files: Readonly<Record<string, string>>;
  readonly verdict: 'whole' | 'torn' | 'damaged';
  /** `[LSN, time, content]` in hex, as far as they count. */
  readonly records: readonly (readonly [number, number, string])[];
  /** Where it is torn or damaged. */
  readonly at?: { readonly segment: string; readonly offset: number };
  readonly snapshots?: readonly SnapshotFacts[];
}

export interface SnapshotFacts {
  readonly name: string;
  readonly lsn: number;
  readonly timeMs: number;
  readonly createdMs: number;
  readonly codec: string;
  readonly version: string;
  readonly state: string;
}

export const folder: string = join(root, 'test/vectors/journal/v1');

export function readVectors(): Map<string, Vector> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return new Map(
    names.map((name) => [
      name.slice(0, -5),
      JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector,
    ]),
  );
}

/** Runs of one byte are short. */
export function toHex(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return hex
    .replace(/(?=(?:..)*$)(..)(\1){31,}/g, (run, byte: string, _last, at: number) =>
      at % 2 === 0 ? ` ${byte}*${run.length / 2} ` : run,
    )
    .trim();
}

export function fromHex(text: string): Uint8Array {
  const parts = text.split(' ').map((part) => {
    const [byte = '', count] = part.split('*');
    return Buffer.from(byte.repeat(Number(count ?? 1)), 'hex');
  });
  return new Uint8Array(Buffer.concat(parts));
}

type Files = Map<string, Uint8Array>;

const journalId = '00112233445566778899aabbccddeeff';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A disk and a clock that goes on by a millisecond with every look. */
class Desk {
  readonly disk: Disk = memoryDisk();
  readonly env: Env = {
    now: () => BigInt(++this.#ms) * 1_000_000n,
    monotonic: () => 0,
    random: () => 0,
    id: () => journalId,
    sleep: async () => {},
  };
  #ms = 1_700_000_000_000;

  static async of(files: Files = new Map()): Promise<Desk> {
    const desk = new Desk();
    await desk.disk.makeDirectory(dir);
    for (const [name, bytes] of files) {
      const file = await desk.disk.open(`${dir}/${name}`, 'create');
      await file.write(bytes, 0);
      await file.close();
    }
    return desk;
  }

  open(options: WalOptions = {}): Promise<Wal> {
    const { disk, env } = this;
    return openWal(dir, { disk, env, preallocateBytes: 0, reserveBytes: 0, ...options });
  }

  async files(): Promise<Files> {
    const found: Files = new Map();
    for (const { name } of await this.disk.list(dir)) {
      if (/\.(log|snap)$/.test(name)) found.set(name, await readFile(this.disk, `${dir}/${name}`));
    }
    return found;
  }
}

async function group(wal: Wal, ...records: readonly Uint8Array[]): Promise<void> {
  await records.map((record) => wal.append(record)).at(-1)?.durable;
}

/** Two groups; its writer was killed. */
async function killed(preallocateBytes = 64): Promise<Files> {
  const desk = await Desk.of();
  const wal = await desk.open({ preallocateBytes });
  await group(wal, text('one'), new Uint8Array(0));
  await group(wal, text('three'), text('four'), new Uint8Array(600).fill(5));
  return desk.files();
}

const [first, second] = ['wal-00000000000000000001.log', 'wal-00000000000000000003.log'];

async function changed(files: Files, change: (bytes: Uint8Array) => Uint8Array): Promise<Files> {
  return new Map([...files].map(([name, bytes]) => [name, change(bytes)]));
}

/** A segment of one record, without a seal. */
function segmentOfOne(): { bytes: Uint8Array; end: number; running: number } {
  const header = { journalId, logNumber: 1, epoch: 1, firstLsn: 1, previousRunning: 0 };
  const begun = headerOf({ ...header, restarts: false, timeMs: 1_700_000_000_000 });
  const position = begun.bytes.length;
  const writer = new FrameWriter({ logNumber: 1, position, running: begun.running });
  writer.add({ kind: 0, lsn: 1, index: 0, timeDelta: 0 }, [text('one')]);
  const { bytes, running } = writer.take();
  return { bytes: Buffer.concat([begun.bytes, bytes]), end: writer.end, running };
}

function joined(...parts: readonly Uint8Array[]): Files {
  return new Map([[first, new Uint8Array(Buffer.concat(parts))]]);
}

export const scripts: Readonly<Record<string, () => Promise<Files>>> = {
  killed: () => killed(),
  'torn-first-sector': async () =>
    changed(await killed(0), (bytes) => bytes.slice().fill(0, 160, 512)),
  damaged: async () =>
    changed(await killed(), (bytes) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte))),
  writers: async () => {
    const desk = await Desk.of(await killed());
    const wal = await desk.open();
    await group(wal, text('six'));
    await wal.close();
    return desk.files();
  },
  pages: async () => {
    const desk = await Desk.of();
    const wal = await desk.open();
    // Behind the header 32,680 bytes are left in the page: these leave 11, then 10, then none.
    await group(wal, new Uint8Array(32_680 - 16 - 11).fill(1));
    await group(wal, new Uint8Array(32_768 - 16 - 10).fill(2));
    await group(wal, new Uint8Array(32_768 - 16).fill(3));
    await group(wal, new Uint8Array(70_000).fill(4), text('end'));
    await wal.close();
    return desk.files();
  },
  index: async () => {
    const one = segmentOfOne();
    const behind = new FrameWriter({ logNumber: 1, position: one.end, running: one.running });
    behind.add({ kind: 0, lsn: 2, index: 1, timeDelta: 0 }, [text('two')]);
    return joined(one.bytes, behind.take().bytes);
  },
  'before-seal': async () => {
    const { bytes, end, running } = segmentOfOne();
    const junk = new Uint8Array(20).fill(0xee);
    return joined(bytes, junk, sealBytes(1, end + junk.length, running, 1).bytes);
  },
  anew: async () => {
    const desk = await Desk.of();
    const wal = await desk.open();
    await group(wal, text('one'), text('two'));
    await wal.close();
    const later = await desk.open({ after: 10 });
    await group(later, text('eleven'));
    await later.close();
    return desk.files();
  },
  'taken-over': async () => {
    const desk = await Desk.of();
    const wal = await desk.open();
    await group(wal, text('one'), text('two'));
    const successor = await Desk.of(await desk.files());
    await group(wal, text('never acknowledged'));
    const stale = (await desk.files()).get(first);
    const taken = await successor.open();
    await group(taken, text('three'));
    await taken.close();
    const files = await successor.files();
    return new Map([
      [first, stale ?? new Uint8Array()],
      ...[...files].filter(([n]) => n === second),
    ]);
  },
  snapshot: async () => {
    const desk = await Desk.of();
    const wal = await desk.open();
    await group(wal, text('one'), text('two'));
    const { disk, env } = desk;
    const facts = { journalId, lsn: 2, timeMs: wal.durableTimeMs, codec: 'json', version: 'v7' };
    await writeSnapshot(dir, [text('{"a":'), text('12}')], { ...facts, disk, env });
    await wal.rotate();
    await group(wal, text('three'));
    await wal.close();
    return desk.files();
  },
};
