/** A log to damage: what is in it, and where each record ends. */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/disk/disk.ts';
import { isLodeError } from '../../src/errors.ts';
import { inspectWal, openWal } from '../../src/journal.ts';
import type { RecoveryMode, Wal, WalOptions } from '../../src/journal.ts';
import { memoryDisk, seededRandom } from '../../src/testing/index.ts';
import { FrameScanner } from '../../src/journal/wal/frame-scanner.ts';

export const dir = '/log';
export const modes: readonly RecoveryMode[] = ['tail', 'strict', 'last-good', 'salvage'];

export interface SampleRecord {
  readonly lsn: number;
  readonly start: number;
  readonly end: number;
  readonly endsGroup: boolean;
  readonly content: string;
}

export interface SampleSegment {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Where the header and the last record end. */
  readonly headerEnd: number;
  readonly end: number;
  readonly records: readonly SampleRecord[];
}

export interface SampleOptions {
  readonly seed: number;
  readonly records: number;
  readonly segmentBytes: number;
  /** Ended by a kill: the last segment has no seal. */
  readonly killed: boolean;
}

/** Groups of one to four records of 0 to 200 bytes, now and then one over a page's end. */
export async function sampleLog(options: SampleOptions): Promise<SampleSegment[]> {
  const random = seededRandom(options.seed);
  const disk = await emptyDisk();
  const wal = await openWal(dir, { ...quiet(disk), segmentBytes: options.segmentBytes });
  const contents: string[] = [];
  while (contents.length < options.records) {
    let last;
    for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
      const content = `${contents.length + 1}:${'x'.repeat(Math.floor(random() * 200))}`;
      contents.push(content);
      last = wal.append(new TextEncoder().encode(content));
    }
    await last?.durable;
  }
  if (!options.killed) await wal.close();
  const segments: SampleSegment[] = [];
  const names = (await disk.list(dir)).map(({ name }) => name).sort();
  for (const name of names.filter((file) => file.startsWith('wal-'))) {
    segments.push(layoutOf(name, await readFile(disk, `${dir}/${name}`), contents));
  }
  await wal.close();
  return segments;
}

function layoutOf(name: string, bytes: Uint8Array, contents: readonly string[]): SampleSegment {
  const scanner = new FrameScanner(new DataView(bytes.buffer).getUint32(7, true), 0, 0);
  scanner.load(bytes, 0, true);
  assert.equal(scanner.next(), 'record');
  const headerEnd = scanner.recordEnd;
  const records: SampleRecord[] = [];
  let end = headerEnd;
  for (let lsn = Number(name.slice(4, 24)); scanner.next() === 'record'; lsn++) {
    if (scanner.prefix.kind !== 0) break;
    const content = new TextDecoder().decode(scanner.body);
    assert.equal(content, contents[lsn - 1]);
    end = scanner.recordEnd;
    const endsGroup = scanner.prefix.isLast;
    records.push({ lsn, start: scanner.recordStart, end, endsGroup, content });
  }
  return { name, path: `${dir}/${name}`, bytes, headerEnd, end, records };
}

export async function emptyDisk(): Promise<Disk> {
  const disk = memoryDisk();
  await disk.makeDirectory(dir);
  return disk;
}

export async function diskWith(
  files: readonly { readonly path: string; readonly bytes: Uint8Array }[],
): Promise<Disk> {
  const disk = await emptyDisk();
  for (const { path, bytes } of files) {
    const file = await disk.open(path, 'create');
    await file.write(bytes, 0);
    await file.close();
  }
  return disk;
}

/** The same of files by their names. */
export function diskOf(files: Iterable<readonly [string, Uint8Array]>): Promise<Disk> {
  return diskWith(Array.from(files, ([name, bytes]) => ({ path: `${dir}/${name}`, bytes })));
}

export async function readFile(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = new Uint8Array((await file.info()).size);
    await file.read(bytes, 0);
    return bytes;
  } finally {
    await file.close();
  }
}

export function quiet(disk: Disk): WalOptions {
  return { disk, preallocateBytes: 0, reserveBytes: 0 };
}

/** A log with little space made ahead: a segment that was not closed ends in zeros, and is quick to read. */
export function openSmall(disk: Disk, options: WalOptions = {}): Promise<Wal> {
  return openWal(dir, { disk, preallocateBytes: 4096, reserveBytes: 0, ...options });
}

export interface Outcome {
  /** By LSN. */
  readonly records: ReadonlyMap<number, string>;
  /** The code of the refusal, if it was one. */
  readonly refused: string | undefined;
}

/** What a recovery in this mode gives, without changing anything. Throws when it fails as nothing may. */
export async function look(disk: Disk, recovery: RecoveryMode, after?: number): Promise<Outcome> {
  const records = new Map<number, string>();
  const decoder = new TextDecoder();
  const options = { ...(after === undefined ? {} : { after }), recovery, disk };
  try {
    if (recovery === 'salvage') {
      const wal = await openWal(dir, options);
      for await (const { lsn, bytes } of wal.cursor()) {
        assert.ok(!records.has(lsn), `record ${lsn} came twice`);
        records.set(lsn, decoder.decode(bytes));
      }
      await wal.close();
    } else {
      const visit = ({ lsn, bytes }: { lsn: number; bytes: Uint8Array }): void =>
        void records.set(lsn, decoder.decode(bytes));
      await inspectWal(dir, { ...options, visit });
    }
  } catch (error) {
    if (!isLodeError(error) || error.kind === 'internal') throw error;
    return { records: new Map(), refused: error.code };
  }
  return { records, refused: undefined };
}

/** The same by really opening it: repaired, appended to, closed and opened once more in the strictest mode. */
export async function openAndGoOn(disk: Disk, recovery: RecoveryMode): Promise<Outcome> {
  const records = new Map<number, string>();
  let wal;
  try {
    wal = await openWal(dir, { ...quiet(disk), recovery });
  } catch (error) {
    if (!isLodeError(error) || error.kind === 'internal') throw error;
    return { records, refused: error.code };
  }
  for await (const { lsn, bytes } of wal.cursor())
    records.set(lsn, new TextDecoder().decode(bytes));
  if (recovery === 'salvage') return { records, refused: undefined };
  const { lsn, durable } = wal.append(new TextEncoder().encode('more'));
  await durable;
  await wal.close();
  // Damage that touches no record stays where it is, and stays refused.
  const strictest = wal.recovery.notes.length === 0 ? 'strict' : 'tail';
  const again = await openWal(dir, { ...quiet(disk), recovery: strictest });
  let count = 0;
  for await (const record of again.cursor()) {
    count++;
    const text = new TextDecoder().decode(record.bytes);
    assert.equal(text, record.lsn === lsn ? 'more' : records.get(record.lsn));
  }
  assert.equal(count, records.size + 1);
  await again.close();
  return { records, refused: undefined };
}
