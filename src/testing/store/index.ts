/** Stores that fail, misbehave, remember or declare less: for testing whatever is built on a store. */
export { storeFaults } from './faults.ts';
export type { StoreCall, StoreFault, StoreFaultKind } from './faults.ts';
export { faultyStore } from './faulty.ts';
export type { FaultyStore } from './faulty.ts';
export { limitedStore } from './limited.ts';
export { misbehavingStores } from './misbehaving.ts';
export { traceStore } from './trace.ts';
export type { Trace, TracedRequest, TracedStore, TraceOptions } from './trace.ts';
