/** What the recovery bars share: logs full of records, one that a crash left, and the loop that any recovery has to run at least. */
import * as fs from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { crc32c, openWal } from '../src/journal.ts';

export interface FilledLog {
  readonly count: number;
  /** Opens it as a crash leaves it, without its seal, and closes it: every record is read and checked, and given to `visit`. */
  recover(visit?: (record: Uint8Array) => void): Promise<void>;
}

/** Bytes that repeat in no obvious way. */
export function recordOf(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24);
}

export async function filledLog(
  dir: string,
  record: Uint8Array,
  count: number,
): Promise<FilledLog> {
  await mkdir(dir, { recursive: true });
  const wal = await openWal(dir, { durability: 'os', reserveBytes: 0 });
  for (let i = 1; i < count; i++) {
    const { durable } = wal.append(record);
    if (i % 1000 === 0) await durable;
  }
  await wal.flush();
  // A group of its own: what a recovery writes again is no part of what it reads.
  await wal.append(record).durable;
  const last = wal.segments().at(-1);
  await wal.close();
  if (last === undefined) throw new Error('a log without segments');
  return {
    count,
    async recover(visit) {
      fs.truncateSync(join(dir, last.name), last.bytes);
      const opened = await openWal(dir, {
        reserveBytes: 0,
        ...(visit && { visit: ({ bytes }) => visit(bytes) }),
      });
      await opened.close();
      const { records } = opened.recovery;
      if (records !== count) throw new Error(`${records} records of ${count} were recovered`);
    },
  };
}

/** CRC-32C as in the log, or the CRC-32 that Node has in C. */
export type RawChecksum = 'crc32c' | 'crc32';

/** The same records behind a checksum and a length each, read in windows of 1 MiB on the calling thread. */
export function rawScan(
  path: string,
  record: Uint8Array,
  count: number,
): (checksum: RawChecksum) => void {
  const frame = new Uint8Array(8 + record.length);
  frame.set(record, 8);
  const header = new DataView(frame.buffer);
  header.setUint32(0, crc32c(record), true);
  header.setUint32(4, record.length, true);
  const many = Buffer.concat(
    Array.from({ length: Math.ceil(2 ** 20 / frame.length) }, () => frame),
  );
  const file = fs.openSync(path, 'w');
  for (let left = count * frame.length; left > 0; left -= many.length)
    fs.writeSync(file, many, 0, Math.min(left, many.length));
  fs.closeSync(file);
  const sums = { crc32c: crc32c(record), crc32: crc32(record) };
  const of = {
    crc32c: (bytes: Uint8Array, start: number, end: number) => crc32c(bytes, 0, start, end),
    crc32: (bytes: Uint8Array, start: number, end: number) => crc32(bytes.subarray(start, end)),
  };
  return (checksum) => {
    const found = scan(path, of[checksum], sums[checksum]);
    if (found !== count) throw new Error(`${found} records of ${count} were read`);
  };
}

function scan(
  path: string,
  sumOf: (bytes: Uint8Array, start: number, end: number) => number,
  expected: number,
): number {
  const file = fs.openSync(path, 'r');
  const window = new Uint8Array(2 ** 20);
  const view = new DataView(window.buffer);
  let count = 0;
  for (let position = 0; ;) {
    const length = fs.readSync(file, window, 0, window.length, position);
    let at = 0;
    while (at + 8 <= length) {
      const end = at + 8 + view.getUint32(at + 4, true);
      if (end > length || sumOf(window, at + 8, end) !== expected) break;
      at = end;
      count++;
    }
    if (at === 0) break;
    position += at;
  }
  fs.closeSync(file);
  return count;
}
