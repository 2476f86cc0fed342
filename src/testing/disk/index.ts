/** The power-loss laboratory: a disk that records, the states a crash may leave, a disk that fails, and rules for syncs. */
export { recordingDisk } from './recording.ts';
export type { RecordedEntry, Recording, RecordingDisk, RecordingDiskOptions } from './recording.ts';
export { crashStates } from './crash-states.ts';
export type { CrashCounts, CrashState, CrashStateOptions, CrashStates } from './crash-states.ts';
export { faultyDisk } from './faulty.ts';
export type { DiskCallClass, DiskFaultKind, DiskFaultPlan, FaultyDisk } from './faulty.ts';
export { syncViolations } from './sync-discipline.ts';
export type { SyncRules, SyncViolation } from './sync-discipline.ts';
export { unevenDisk } from './uneven.ts';
