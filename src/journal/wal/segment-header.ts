/**
 * The first and the last record of a segment (docs/formats/journal.md, section 4). The header ties a segment to its journal and to the
 * segment before it, so that a missing, swapped, doubled or cut one is found. The seal ends a segment that nobody will
 * write to again.
 */
import { LodeError } from '../../errors.ts';
import { fromHex, toHex } from '../../bytes/hex.ts';

export const formatVersion = 1;

export interface SegmentHeader {
  readonly logNumber: number;
  /** 32 lower-case hex digits. */
  readonly journalId: string;
  /** Grows with every opening that writes: of two writers the one with the greater epoch is right. */
  readonly epoch: number;
  readonly firstLsn: number;
  /** Running checksum of the segment before, at the record before the first of this one; 0 where the log begins. */
  readonly previousRunning: number;
  /** True when the log begins anew here, on top of state kept elsewhere: what was before need not be there. */
  readonly restarts: boolean;
  /** Milliseconds since the Unix epoch: what the times of its records count from. */
  readonly timeMs: number;
}

interface SegmentSeal {
  readonly lastLsn: number;
  readonly running: number;
}

const magic = 'lode-wal';
const headerBytes = 72;
const sealBytes = 12;
const restartFlag = 1;

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic), 0);
  view.setUint16(8, formatVersion, true);
  view.setUint16(10, header.restarts ? restartFlag : 0, true);
  view.setUint32(12, header.logNumber, true);
  bytes.set(fromHex(header.journalId), 16);
  view.setBigUint64(32, BigInt(header.epoch), true);
  view.setBigUint64(40, BigInt(header.firstLsn), true);
  view.setBigUint64(48, BigInt(header.firstLsn - 1), true);
  view.setUint32(56, header.previousRunning, true);
  view.setBigInt64(64, BigInt(header.timeMs), true);
  return bytes;
}

/** @param key  For the error. */
export function decodeSegmentHeader(body: Uint8Array, key: string): SegmentHeader {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  checkMagic(body, magic, key);
  checkVersion(view, restartFlag, key);
  if (body.length !== headerBytes) {
    throw invalid('the header of this segment has the wrong length', key, headerBytes, body.length);
  }
  const header: SegmentHeader = {
    logNumber: view.getUint32(12, true),
    journalId: toHex(body.subarray(16, 32)),
    epoch: integer(view, 32, key),
    firstLsn: integer(view, 40, key),
    previousRunning: view.getUint32(56, true),
    restarts: (view.getUint16(10, true) & restartFlag) !== 0,
    timeMs: Number(view.getBigInt64(64, true)),
  };
  const previous = integer(view, 48, key);
  if (previous !== header.firstLsn - 1) {
    throw invalid('this segment contradicts itself', key, header.firstLsn - 1, previous);
  }
  return header;
}

export function encodeSeal(seal: SegmentSeal): Uint8Array {
  const bytes = new Uint8Array(sealBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(seal.lastLsn), true);
  view.setUint32(8, seal.running, true);
  return bytes;
}

export function decodeSeal(body: Uint8Array, key: string): SegmentSeal {
  if (body.length !== sealBytes) {
    throw invalid('the seal of this segment has the wrong length', key, sealBytes, body.length);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { lastLsn: integer(view, 0, key), running: view.getUint32(8, true) };
}

export function checkMagic(body: Uint8Array, wanted: string, key: string): void {
  const found = new TextDecoder('latin1').decode(body.subarray(0, wanted.length));
  if (found === wanted && body.length >= wanted.length + 4) return;
  throw invalid('this file does not begin as one of a journal does', key, wanted, undefined);
}

/** Version and flags follow the magic: eight bytes in. */
export function checkVersion(view: DataView, knownFlags: number, key: string): void {
  const version = view.getUint16(8, true);
  const unknown = view.getUint16(10, true) & ~knownFlags;
  if (version <= formatVersion && unknown === 0) return;
  throw new LodeError('LODE_FORMAT_TOO_NEW', 'this file was written by a newer version', {
    key,
    field: version > formatVersion ? 'format version' : 'flags',
    expected: version > formatVersion ? formatVersion : knownFlags,
    actual: version > formatVersion ? version : unknown,
  });
}

export function integer(view: DataView, at: number, key: string): number {
  const value = view.getBigUint64(at, true);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw invalid('a number in this file is out of range', key, Number.MAX_SAFE_INTEGER, value);
}

export function invalid(
  what: string,
  key: string,
  expected: string | number | undefined,
  actual: string | number | bigint | undefined,
): LodeError {
  return new LodeError('LODE_INVALID_FORMAT', what, {
    key,
    expected,
    actual,
    next: 'Restore the file from a copy, or open the journal with another recovery mode.',
  });
}
