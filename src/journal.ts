/**
 * `lode/journal`: acknowledged means durable. A write-ahead log with recovery in a directory, and the checksums it is made of.
 */
export { openWal, inspectWal } from './journal/wal/open.ts';
export type { Appended, Wal, WalSegment } from './journal/wal/wal.ts';
export type { CursorOptions } from './journal/wal/cursor.ts';
export { recordBytesMax } from './journal/wal/options.ts';
export type { WalOptions } from './journal/wal/options.ts';
export type { RecoveryDamage, RecoveryMode, RecoveryReport } from './journal/wal/recover.ts';
export type { VisitRecord, WalRecord } from './journal/wal/segment-scan.ts';
export { crc32c, crc32cCombine } from './encoding/checksums/crc32c.ts';
export { maskCrc32c, unmaskCrc32c } from './journal/wal/frame.ts';
export { listSnapshots, openSnapshot, writeSnapshot } from './journal/snapshot/snapshot.ts';
export type {
  OpenSnapshot,
  SnapshotFile,
  WriteSnapshotOptions,
  WrittenSnapshot,
} from './journal/snapshot/snapshot.ts';
export type { SnapshotHeader } from './journal/snapshot/header.ts';
