/** Tools this library is tested with, and that its users test with too. */
export { memoryDisk } from '../disk/memory.ts';
export type { MemoryDiskOptions } from '../disk/memory.ts';
export type {
  DiskEvent,
  DiskImage,
  DiskObserver,
  ImageDirectory,
  ImageFile,
  ImageNode,
  NameChange,
} from '../disk/image.ts';
export {
  crashStates,
  faultyDisk,
  recordingDisk,
  syncViolations,
  unevenDisk,
} from './disk/index.ts';
export type {
  CrashCounts,
  CrashState,
  CrashStateOptions,
  CrashStates,
  DiskCallClass,
  DiskFaultKind,
  DiskFaultPlan,
  FaultyDisk,
  RecordedEntry,
  Recording,
  RecordingDisk,
  RecordingDiskOptions,
  SyncRules,
  SyncViolation,
} from './disk/index.ts';
export { seededRandom } from './random.ts';

export { storeConformance } from './conformance/index.ts';
export type { ConformanceOptions, Opened } from './conformance/index.ts';
export { hostileKeys } from './hostile-keys.ts';
export type { HostileKey } from './hostile-keys.ts';
export {
  faultyStore,
  limitedStore,
  misbehavingStores,
  storeFaults,
  traceStore,
} from './store/index.ts';
export type {
  FaultyStore,
  StoreCall,
  StoreFault,
  StoreFaultKind,
  Trace,
  TracedRequest,
  TracedStore,
  TraceOptions,
} from './store/index.ts';
export { virtualEnv } from './env.ts';
export type { VirtualEnv } from './env.ts';
export { misbehavingServers, s3Double } from './s3/index.ts';
export type {
  MisbehavingServer,
  S3Act,
  S3Answer,
  S3Credentials,
  S3Double,
  S3DoubleOptions,
  S3LogEntry,
  S3Object,
  S3Operation,
  S3Reply,
  S3Request,
  S3Rule,
  S3Upload,
} from './s3/index.ts';
