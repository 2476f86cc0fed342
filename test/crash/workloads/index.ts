/** Everything that must survive a power loss. One file for each kind of work. */
import type { Workload } from '../workload.ts';
import { datasetWorkloads } from './dataset.ts';
import { journalWorkloads } from './journal.ts';
import { logWorkloads } from './log.ts';
import { fsStoreWorkloads, randomFsStoreWorkload } from './fs-store.ts';
import { rewindWorkloads } from './rewind.ts';
import { volumeWorkloads } from './volume.ts';

export const workloads: readonly Workload[] = [
  ...fsStoreWorkloads,
  ...datasetWorkloads,
  ...logWorkloads,
  ...journalWorkloads,
  ...rewindWorkloads,
  ...volumeWorkloads,
];

/** Work on logs and journals, which are held to large counts of their own. */
export const onLogs: readonly Workload[] = [...logWorkloads, ...journalWorkloads];

/** Endless: a workload for every seed. */
export const randomWorkload: (seed: number) => Workload = randomFsStoreWorkload;
