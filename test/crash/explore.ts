/** Runs workloads through the power-loss laboratory and counts: every crash, every crash of what follows, every fault. */
import { isDeepStrictEqual } from 'node:util';
import type { Disk } from '../../src/disk/disk.ts';
import type { DiskImage } from '../../src/disk/image.ts';
import {
  crashStates,
  faultyDisk,
  memoryDisk,
  recordingDisk,
  syncViolations,
  unevenDisk,
  type DiskCallClass,
  type DiskFaultKind,
  type DiskFaultPlan,
  type RecordingDisk,
} from '../../src/testing/index.ts';
import { crashMark } from './marks.ts';
import { labEnv, type Lab, type Workload } from './workload.ts';

export interface Findings {
  /** Crash points in the recordings, and how many of them were enumerated. */
  points: number;
  pointsCovered: number;
  outcomes: number;
  states: number;
  /** Runs with a planned fault, and those in which it came up. */
  faults: number;
  faultsHit: number;
  /** Acknowledgements checked against the rules of syncs. */
  acks: number;
  violations: string[];
}

export function noFindings(): Findings {
  return {
    points: 0,
    pointsCovered: 0,
    outcomes: 0,
    states: 0,
    faults: 0,
    faultsHit: 0,
    acks: 0,
    violations: [],
  };
}

export interface CrashOptions {
  readonly seed?: number;
  readonly samples?: number;
  readonly resumeEvery?: number;
}

export interface CrashAgainOptions {
  readonly seed?: number;
  /** Crash states of the first run that are worked on, and of each second run that are judged. */
  readonly first?: number;
  readonly second?: number;
}

const quietEnv = labEnv(0);

/** R2: whatever a crash leaves at any point is what the marks allow; every `resumeEvery`th state is also worked on. */
export async function crashEverywhere(
  workload: Workload,
  findings: Findings,
  { seed = 1, samples = 256, resumeEvery = 8 }: CrashOptions = {},
): Promise<void> {
  const { recording } = await record(workload, findings, seed);
  const run = crashStates(recording, { seed, samples });
  let count = 0;
  for (const { image, marks, describe } of run) {
    await check(workload, image, marks, findings, describe);
    if (++count % resumeEvery !== 0) continue;
    const next = recordingDisk({ env: quietEnv, image });
    await workload.resume(labOf(next, seed + count));
    const after = [...marks, crashMark, ...marksOf(next)];
    await judge(workload, next, after, findings, () => `${describe()}; then went on`);
  }
  findings.points += recording.entries.length + 1;
  findings.pointsCovered += run.counts.points;
  findings.outcomes += run.counts.outcomes;
  findings.states += run.counts.states;
}

/** R3: a crash, going on, and a crash of that; opening what is left, twice, changes nothing the second time. */
export async function crashAgain(
  workload: Workload,
  findings: Findings,
  { seed = 1, first = 20, second = 20 }: CrashAgainOptions = {},
): Promise<void> {
  const { recording } = await record(workload, findings, seed);
  const states = [...crashStates(recording, { seed, samples: 16 })];
  for (const { image, marks, describe } of evenly(states, first)) {
    const next = recordingDisk({ env: quietEnv, image });
    await workload.resume(labOf(next, seed + 1));
    const run = crashStates(next.recording, { seed, samples: 16 });
    for (const again of evenly([...run], second)) {
      const allMarks = [...marks, crashMark, ...again.marks];
      const told = (): string => `${describe()}; then ${again.describe()}`;
      const reopened = recordingDisk({ env: quietEnv, image: again.image });
      await judge(workload, reopened, allMarks, findings, told);
      const { isRestless = false } = workload;
      const state = (): unknown =>
        isRestless ? filesOf(reopened) : reopened.recording.entries.length;
      const before = await state();
      await judge(workload, reopened, allMarks, findings, told);
      if (!isDeepStrictEqual(await state(), before)) {
        report(findings, workload, `opening it a second time changed the disk: ${told()}`);
      }
      findings.states++;
    }
  }
}

/** R4: every acknowledgement and every new name keeps the rules. */
export async function keepDiscipline(
  workload: Workload,
  findings: Findings,
  seed = 1,
): Promise<void> {
  const disk = await record(workload, findings, seed);
  await workload.resume(labOf(disk, seed + 1));
  findings.acks += marksOf(disk).filter((mark) => mark.startsWith('ack')).length;
  for (const { entry, path, problem } of syncViolations(disk.recording, workload.rules)) {
    report(findings, workload, `${path} ${problem} (entry ${entry})`);
  }
}

export interface FaultOptions {
  readonly seed?: number;
  readonly on?: readonly DiskCallClass[];
  readonly kinds?: readonly DiskFaultKind[];
  /** Crash states tried after each fault. */
  readonly states?: number;
  /** Only every so many-th call of a class fails. */
  readonly stride?: number;
}

/** R5: fails every call of each class, in each way, once and for ever; then looks at the disk, with and without power loss. */
export async function failEverywhere(
  workload: Workload,
  findings: Findings,
  {
    seed = 1,
    on = ['sync', 'write'],
    kinds = ['EIO', 'ENOSPC', 'EDQUOT', 'short'],
    states = 8,
    stride = 1,
  }: FaultOptions = {},
): Promise<void> {
  const recording = emptyDisk(workload);
  const clean = faultyDisk(recording);
  await workload.run(labOf(recording, seed, clean));
  for (const call of on) {
    for (const kind of kinds) {
      if (kind === 'short' && call !== 'write') continue;
      for (const times of ['once', 'ever'] as const) {
        for (let at = 0; at < clean.calls[call]; at += stride) {
          await failOnce(workload, { on: call, at, kind, times }, findings, seed, states);
        }
      }
    }
  }
}

async function failOnce(
  workload: Workload,
  plan: DiskFaultPlan,
  findings: Findings,
  seed: number,
  states: number,
): Promise<void> {
  const disk = emptyDisk(workload);
  const faulty = faultyDisk(disk, plan);
  const told = (what: string) => (): string =>
    `${plan.kind} on ${plan.on} ${plan.at} ${plan.times}: ${what}`;
  findings.faults++;
  try {
    await workload.run(labOf(disk, seed, faulty));
  } catch (error) {
    report(findings, workload, told(`the run threw ${String(error)}`)());
    return;
  }
  if (faulty.failures > 0) findings.faultsHit++;
  if (faulty.retriedSyncs > 0) report(findings, workload, told('a failed sync was retried')());
  const marks = marksOf(disk);
  const from = disk.recording.entries.length;
  await judge(workload, disk, marks, findings, told('reopened'));
  const left = [...crashStates(disk.recording, { seed, subsetsMax: 3, samples: states, from })];
  for (const { image, describe } of evenly(left, states)) {
    findings.states++;
    await check(workload, image, marks, findings, told(describe()));
  }
}

async function record(
  workload: Workload,
  findings: Findings,
  seed: number,
): Promise<RecordingDisk> {
  const disk = emptyDisk(workload);
  await workload.run(labOf(disk, seed));
  for (const mark of marksOf(disk)) {
    if (/^(fail|unsure|untyped)/.test(mark)) report(findings, workload, `without a fault: ${mark}`);
  }
  return disk;
}

/** Work on `through`, or on the disk itself, at uneven speed. */
function labOf(disk: RecordingDisk, seed: number, through: Disk = disk): Lab {
  return { disk: unevenDisk(through, seed), env: labEnv(seed), mark: disk.mark };
}

function emptyDisk({ image }: Workload): RecordingDisk {
  return recordingDisk({ env: quietEnv, ...(image && { image }) });
}

function marksOf({ recording }: RecordingDisk): string[] {
  return recording.entries.flatMap((entry) => (entry.kind === 'mark' ? [entry.label] : []));
}

async function check(
  workload: Workload,
  image: DiskImage,
  marks: readonly string[],
  findings: Findings,
  told: () => string,
): Promise<void> {
  await judge(workload, memoryDisk({ env: quietEnv, image }), marks, findings, told);
}

async function judge(
  workload: Workload,
  disk: Disk,
  marks: readonly string[],
  findings: Findings,
  told: () => string,
): Promise<void> {
  const untyped = marks.find((mark) => mark.startsWith('untyped'));
  if (untyped !== undefined) report(findings, workload, `${told()}: ${untyped}`);
  try {
    await workload.verify(disk, marks);
  } catch (error) {
    report(findings, workload, `${told()}: ${error instanceof Error ? error.message : 'threw'}`);
  }
}

function report(findings: Findings, workload: Workload, what: string): void {
  findings.violations.push(`${workload.name}: ${what}`);
}

/** Every file with its content. */
async function filesOf(disk: Disk, path = ''): Promise<[string, Uint8Array][]> {
  const files: [string, Uint8Array][] = [];
  for (const { name, kind } of await disk.list(path === '' ? '/' : path)) {
    const at = `${path}/${name}`;
    if (kind === 'directory') files.push(...(await filesOf(disk, at)));
    // A note of who opened it last.
    if (kind !== 'file' || name === 'owner') continue;
    const file = await disk.open(at, 'read');
    const bytes = new Uint8Array((await file.info()).size);
    await file.read(bytes, 0);
    await file.close();
    files.push([at, bytes]);
  }
  return files.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** `count` of the items, spread over all of them. */
function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, i) => items[Math.floor((i * items.length) / count)],
  ).filter((item): item is T => item !== undefined);
}
