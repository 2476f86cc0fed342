/**
 * Snapshot files: a state, whole and verified, or no file at all. Written beside, synced, read back, and only then
 * given its name (docs/formats/journal.md, section 7).
 */
import type { Disk } from '../../disk/disk.ts';
import { absolutePath, nodeDisk } from '../../disk/node/index.ts';
import { crc32c } from '../../encoding/checksums/crc32c.ts';
import { systemEnv } from '../../env.ts';
import type { Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { errorOf } from '../wal/examine.ts';
import { FrameWriter } from '../wal/frame-writer.ts';
import { digits, numberOf, unfinished } from '../wal/names.ts';
import { assertLsn } from '../wal/options.ts';
import { recordKinds } from '../wal/record.ts';
import type { RecordKind } from '../wal/record.ts';
import { SegmentReader } from '../wal/segment-reader.ts';
import {
  decodeSnapshotFooter,
  decodeSnapshotHeader,
  encodeSnapshotFooter,
  encodeSnapshotHeader,
} from './header.ts';
import type { SnapshotHeader } from './header.ts';

export interface SnapshotFile {
  readonly name: string;
  readonly lsn: number;
}

export interface WriteSnapshotOptions extends Omit<SnapshotHeader, 'createdMs'> {
  readonly disk?: Disk;
  readonly env?: Env;
  readonly signal?: AbortSignal;
}

export interface WrittenSnapshot extends SnapshotFile {
  /** Of the file, and of the state in it. */
  readonly bytes: number;
  readonly stateBytes: number;
}

export interface OpenSnapshot extends AsyncDisposable {
  readonly header: SnapshotHeader;
  /** The state, each part verified before it is given; all of it once the loop has ended. Lent until the next one. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

/** So much goes to the file at once. */
const chunkBytes = 256 * 1024;
const namePattern = /^snapshot-(\d{20})\.snap$/;

export function snapshotName(lsn: number): string {
  return `snapshot-${digits(lsn)}.snap`;
}

/** The snapshots in a directory by their names, the newest first. Whether they verify is for reading to say. */
export async function listSnapshots(
  dir: string | URL,
  { disk = nodeDisk() }: { readonly disk?: Disk } = {},
): Promise<SnapshotFile[]> {
  const found = (await disk.list(absolutePath(dir))).flatMap(({ name, kind }) => {
    const lsn = numberOf(namePattern.exec(name)?.[1]);
    return lsn === undefined || kind !== 'file' ? [] : { name, lsn };
  });
  return found.sort((a, b) => b.lsn - a.lsn);
}

/**
 * Writes a snapshot of the state after record `lsn`, which the caller knows to be durable. A state given in parts may be as large as the
 * disk. When this rejects, no file has the snapshot's name that did not have it before.
 */
export async function writeSnapshot(
  dir: string | URL,
  state: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteSnapshotOptions,
): Promise<WrittenSnapshot> {
  const { disk = nodeDisk(), env = systemEnv, signal, ...header } = options;
  assertLsn(header.lsn, 'lsn');
  const folder = absolutePath(dir);
  const name = snapshotName(header.lsn);
  const path = `${folder}/${name}`;
  const beside = `${path}${unfinished}`;
  try {
    const createdMs = Number(env.now() / 1_000_000n);
    const { bytes, stateBytes } = await writeFile(
      disk,
      beside,
      { ...header, createdMs },
      state,
      signal,
    );
    // Read back what a reader will read: a snapshot that does not verify must never replace the log.
    const written = await openSnapshot(beside, { disk });
    try {
      for await (const chunk of written.chunks()) void chunk;
    } finally {
      await written.close();
    }
    await disk.rename(beside, path);
    await disk.syncDirectory(folder);
    return { name, lsn: header.lsn, bytes, stateBytes };
  } catch (error) {
    await disk.unlink(beside).catch((failure: unknown) => {
      if (!isLodeError(failure)) throw failure;
    });
    throw error;
  }
}

async function writeFile(
  disk: Disk,
  path: string,
  header: SnapshotHeader,
  state: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: number; readonly stateBytes: number }> {
  const file = await disk.open(path, 'open-or-create');
  try {
    await file.truncate(0);
    const logNumber = header.lsn >>> 0;
    let [position, running, count, stateBytes, crc] = [0, 0, 0, 0, 0];
    const put = async (kind: RecordKind, parts: readonly Uint8Array[]): Promise<void> => {
      signal?.throwIfAborted();
      const writer = new FrameWriter({ logNumber, position, running });
      writer.add({ kind, lsn: count++, index: 0, timeDelta: 0 }, parts);
      const group = writer.take();
      await file.write(group.bytes, position);
      position = writer.end;
      running = group.running;
    };
    await put(recordKinds.header, [encodeSnapshotHeader(header)]);
    for await (const part of state) {
      for (let at = 0; at < part.length; at += chunkBytes) {
        const chunk = part.subarray(at, at + chunkBytes);
        crc = crc32c(chunk, crc);
        stateBytes += chunk.length;
        await put(recordKinds.chunk, [chunk]);
      }
    }
    await put(recordKinds.footer, [encodeSnapshotFooter({ stateBytes, crc, chunks: count - 1 })]);
    await file.datasync();
    return { bytes: position, stateBytes };
  } finally {
    await file.close();
  }
}

/** Opens a snapshot file by its path. Throws when it does not begin as one, or what it says contradicts its name. */
export async function openSnapshot(
  location: string | URL,
  { disk = nodeDisk() }: { readonly disk?: Disk } = {},
): Promise<OpenSnapshot> {
  const path = absolutePath(location);
  const file = await disk.open(path, 'read');
  try {
    const { size } = await file.info();
    const first = new Uint8Array(Math.min(size, 11));
    await file.read(first, 0);
    const logNumber = size < 11 ? 0 : new DataView(first.buffer).getUint32(7, true);
    const reader = new SegmentReader(file, { logNumber }, size, true);
    const header = decodeSnapshotHeader(
      await nextRecord(reader, 0, path, recordKinds.header),
      path,
    );
    if (header.lsn >>> 0 !== logNumber || !path.includes(snapshotName(header.lsn))) {
      throw new LodeError('LODE_INVALID_FORMAT', 'this snapshot has the name of another', {
        key: path,
        expected: snapshotName(header.lsn),
      });
    }
    const close = (): Promise<void> => file.close();
    return {
      header,
      chunks: () => chunksOf(reader, size, path),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* chunksOf(
  reader: SegmentReader,
  size: number,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { scanner } = reader;
  let [count, stateBytes, crc] = [1, 0, 0];
  for (;;) {
    const body = await nextRecord(reader, count++, path, recordKinds.chunk, recordKinds.footer);
    if (scanner.prefix.kind === recordKinds.chunk) {
      stateBytes += body.length;
      crc = crc32c(body, crc);
      yield body;
      continue;
    }
    const footer = decodeSnapshotFooter(body, path);
    if (footer.crc !== crc || footer.stateBytes !== stateBytes || footer.chunks !== count - 2) {
      throw new LodeError('LODE_CHECKSUM_MISMATCH', 'this snapshot is not what was written', {
        key: path,
        expected: footer.crc,
        actual: crc,
      });
    }
    if (scanner.recordEnd === size) return;
    throw errorOf(path, { offset: scanner.recordEnd, reason: 'sequence' });
  }
}

/** The record that has to come next, by its place and its kind. */
async function nextRecord(
  reader: SegmentReader,
  place: number,
  path: string,
  ...kinds: readonly RecordKind[]
): Promise<Uint8Array> {
  const step = await stepOf(reader);
  const { scanner } = reader;
  if (step !== 'record') {
    const offset = scanner.recordEnd;
    throw errorOf(path, scanner.damage ?? { offset, reason: 'truncated' });
  }
  const { kind, lsnLow } = scanner.prefix;
  if (lsnLow !== (place & 0xffff) || !kinds.some((wanted) => wanted === kind)) {
    throw errorOf(path, { offset: scanner.recordStart, reason: 'sequence' });
  }
  return scanner.body;
}

async function stepOf(reader: SegmentReader): Promise<ReturnType<typeof reader.scanner.next>> {
  for (;;) {
    const step = reader.scanner.next();
    if (step !== 'more') return step;
    await reader.fill();
  }
}
