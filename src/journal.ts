/**
 * `lode/journal`: acknowledged means durable. A write-ahead log with recovery in a directory, and the checksums it is made of.
 */
export { inspectWal, openWal } from './journal/wal/open.ts';
export { readWal } from './journal/wal/read.ts';
export type { ReadWalOptions } from './journal/wal/read.ts';
export type {
  Appended,
  CursorOptions,
  InspectedSegment,
  RecoveryDamage,
  RecoveryMode,
  RecoveryReport,
  VisitRecord,
  Wal,
  WalInspection,
  WalRecord,
  WalSegment,
} from './journal/wal/types.ts';
export { recordBytesMax } from './journal/wal/options.ts';
export type { WalOptions } from './journal/wal/options.ts';
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
export { openJournal } from './journal/state/open.ts';
export { bytes, json, structured } from './journal/state/codec.ts';
export type { JournalCodec, JournalCodecs } from './journal/state/codec.ts';
export type { JournalOptions, JournalPoint, SnapshotPolicy } from './journal/state/options.ts';
export type {
  Journal,
  JournalEvent,
  JournalRecovery,
  JournalSnapshot,
  JournalVerification,
  ReplayOptions,
} from './journal/state/types.ts';
export type { IgnoredSnapshot } from './journal/state/saved-states.ts';
export { recover } from './journal/state/recover.ts';
export type { RecoverOptions } from './journal/state/recover.ts';
export { restoreJournal } from './journal/export/restore.ts';
export type { JournalRestoration, RestoreOptions } from './journal/export/restore.ts';
export type { JournalExport } from './journal/export/export.ts';
export { exportJournal } from './journal/export/files.ts';
export type { ExportOptions, JournalFilesExport } from './journal/export/files.ts';
