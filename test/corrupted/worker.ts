/** Reads mutants one after another where a hang or an exhausted heap hurts nobody else. */
import { parentPort, workerData } from 'node:worker_threads';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isLodeError } from '../../src/errors.ts';
import { corruptedFormats } from './formats.ts';
import { dice } from './mutate.ts';

export interface CorruptedRun {
  readonly format: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** One 32-bit counter: the mutant being read. */
  readonly progress: SharedArrayBuffer;
}

export interface CorruptedReport {
  readonly read: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly slowestMs: number;
  readonly slowest: string;
  /** Of one read, or left behind by all of them. */
  readonly rssGrowth: number;
  readonly problems: readonly string[];
}

const warmUp = 400;
const settleEvery = 100;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const { format, seed, from, to, progress } = workerData as CorruptedRun;
const counter = new Int32Array(progress);

async function run(): Promise<CorruptedReport> {
  const target = corruptedFormats.find(({ name }) => name === format);
  if (target === undefined) throw new Error(`no format is called ${format}`);
  const goldens = await target.goldens();
  const refused: Record<string, number> = {};
  const problems: string[] = [];
  let accepted = 0;
  let slowestMs = 0;
  let slowest = '';
  let rssGrowth = 0;
  let rssSettled = 0;
  const prototype = prototypeFingerprint();
  for (let number = from; number < to; number++) {
    Atomics.store(counter, 0, number);
    const d = dice(seed + number * 7919);
    const mutation = target.mutations[number % target.mutations.length];
    const original = d.pick(goldens);
    const mutant = mutation?.apply(original, goldens, d) ?? original;
    const label = `${mutation?.name} #${number}`;
    const rss = process.memoryUsage.rss();
    const start = performance.now();
    try {
      await target.read(mutant, original);
      accepted++;
    } catch (error) {
      if (isLodeError(error)) refused[error.code] = (refused[error.code] ?? 0) + 1;
      else problems.push(`${label}: ${error instanceof Error ? error.stack : String(error)}`);
      if (isLodeError(error, 'LODE_INTERNAL')) problems.push(`${label}: ${error.message}`);
    }
    const ms = performance.now() - start;
    if (ms > slowestMs) [slowestMs, slowest] = [ms, label];
    rssGrowth = Math.max(rssGrowth, process.memoryUsage.rss() - rss);
    if (number % settleEvery !== 0) continue;
    collectGarbage();
    const settled = process.memoryUsage.rss();
    // The first rounds bring code and heap to their working size.
    if (rssSettled === 0 && number - from >= warmUp) rssSettled = settled;
    else if (rssSettled > 0) rssGrowth = Math.max(rssGrowth, settled - rssSettled);
  }
  if (prototypeFingerprint() !== prototype) problems.push('Object.prototype changed');
  return { read: to - from, refused, accepted, slowestMs, slowest, rssGrowth, problems };
}

function prototypeFingerprint(): string {
  return [Object.prototype, Array.prototype, String.prototype]
    .map((prototype) => Object.getOwnPropertyNames(prototype).join())
    .join(';');
}

parentPort?.postMessage(await run());
