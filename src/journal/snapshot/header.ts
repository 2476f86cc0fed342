/** The first and the last record of a snapshot file (docs/formats/journal.md, section 7). */
import { fromHex, toHex } from '../../bytes/hex.ts';
import { LodeError } from '../../errors.ts';
import {
  checkMagic,
  checkVersion,
  formatVersion,
  integer,
  invalid,
} from '../wal/segment-header.ts';

export interface SnapshotHeader {
  /** 32 lower-case hex digits. */
  readonly journalId: string;
  /** The last record that the state contains; 0 for the initial state. */
  readonly lsn: number;
  /** When that record was appended, and when the snapshot was begun: milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly createdMs: number;
  /** How the state was written, and by which version of the caller's code: both are the caller's words. */
  readonly codec: string;
  readonly version: string;
}

interface SnapshotFooter {
  readonly stateBytes: number;
  /** CRC-32C of the state, and how many chunks it comes in. */
  readonly crc: number;
  readonly chunks: number;
}

const magic = 'lode-snp';
const fixedBytes = 52;
const footerBytes = 16;
const wordBytesMax = 255;

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const codec = wordOf(header.codec, 'codec');
  const version = wordOf(header.version, 'version');
  const bytes = new Uint8Array(fixedBytes + 2 + codec.length + version.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic), 0);
  view.setUint16(8, formatVersion, true);
  bytes.set(fromHex(header.journalId), 12);
  view.setBigUint64(28, BigInt(header.lsn), true);
  view.setBigInt64(36, BigInt(header.timeMs), true);
  view.setBigInt64(44, BigInt(header.createdMs), true);
  bytes[fixedBytes] = codec.length;
  bytes.set(codec, fixedBytes + 1);
  bytes[fixedBytes + 1 + codec.length] = version.length;
  bytes.set(version, fixedBytes + 2 + codec.length);
  return bytes;
}

export function decodeSnapshotHeader(body: Uint8Array, key: string): SnapshotHeader {
  checkMagic(body, magic, key);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  checkVersion(view, 0, key);
  const codecEnd = fixedBytes + 1 + (body[fixedBytes] ?? 0);
  const end = codecEnd + 1 + (body[codecEnd] ?? 0);
  if (body.length !== end) {
    throw invalid('the header of this snapshot has the wrong length', key, end, body.length);
  }
  const text = (from: number, to: number): string =>
    new TextDecoder().decode(body.subarray(from, to));
  return {
    journalId: toHex(body.subarray(12, 28)),
    lsn: integer(view, 28, key),
    timeMs: Number(view.getBigInt64(36, true)),
    createdMs: Number(view.getBigInt64(44, true)),
    codec: text(fixedBytes + 1, codecEnd),
    version: text(codecEnd + 1, end),
  };
}

export function encodeSnapshotFooter(footer: SnapshotFooter): Uint8Array {
  const bytes = new Uint8Array(footerBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(footer.stateBytes), true);
  view.setUint32(8, footer.crc, true);
  view.setUint32(12, footer.chunks, true);
  return bytes;
}

export function decodeSnapshotFooter(body: Uint8Array, key: string): SnapshotFooter {
  if (body.length !== footerBytes) {
    throw invalid(
      'the footer of this snapshot has the wrong length',
      key,
      footerBytes,
      body.length,
    );
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return {
    stateBytes: integer(view, 0, key),
    crc: view.getUint32(8, true),
    chunks: view.getUint32(12, true),
  };
}

/** Throws for a name that no snapshot has room for. */
export function wordOf(value: string, field: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  if (bytes.length <= wordBytesMax) return bytes;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'this name is too long for a snapshot', {
    field,
    expected: wordBytesMax,
    actual: bytes.length,
  });
}
