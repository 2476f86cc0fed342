/** R21: damaged and hostile files of every persisted format end in a typed error, in time and in bounded memory. */
import { Worker } from 'node:worker_threads';
import type { Bar, BarContext } from '../../bench/harness.ts';
import { corruptedFormats } from '../corrupted/formats.ts';
import type { CorruptedReport, CorruptedRun } from '../corrupted/worker.ts';

const readMsMax = 1000;
const rssGrowthMax = 64 * 1024 * 1024;
/** No progress for this long is a hang: a thread that is stuck cannot report one itself. */
const hangMs = 10_000;

export const bar: Bar = {
  id: 'R21',
  title: 'corrupted and hostile files end in typed errors',
  async run({ release, seed, log }: BarContext) {
    const perFormat = release ? 20_000 : 600;
    let files = 0;
    let failures = 0;
    for (const { name } of corruptedFormats) {
      const report = await attacked({ format: name, seed, from: 0, to: perFormat });
      files += report.read;
      const problems = [...report.problems];
      if (report.slowestMs > readMsMax) problems.push(`one file took ${report.slowestMs} ms`);
      if (report.rssGrowth > rssGrowthMax)
        problems.push(`resident memory grew by ${report.rssGrowth} bytes`);
      failures += problems.length;
      log(
        `${name}: ${report.read} files, ${report.accepted} readable, refused ${JSON.stringify(report.refused)}, ` +
          `slowest ${report.slowestMs.toFixed(0)} ms (${report.slowest}), memory +${(report.rssGrowth / 2 ** 20).toFixed(0)} MiB`,
      );
      for (const problem of problems.slice(0, 10)) log(problem);
    }
    return {
      outcome: failures === 0 ? 'pass' : 'fail',
      figure: `${files} files ${failures} failures (bar 0)`,
    };
  },
};

function attacked(run: Omit<CorruptedRun, 'progress'>): Promise<CorruptedReport> {
  const progress = new SharedArrayBuffer(4);
  const counter = new Int32Array(progress);
  const worker = new Worker(new URL('../corrupted/worker.js', import.meta.url), {
    workerData: { ...run, progress } satisfies CorruptedRun,
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
  });
  return new Promise((resolve) => {
    let last = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(counter, 0);
      if (now === last) fail(`no progress for ${hangMs} ms`);
      last = now;
    }, hangMs);
    const fail = (problem: string): void => {
      clearInterval(watch);
      void worker.terminate();
      const at = Atomics.load(counter, 0);
      resolve({
        read: at,
        refused: {},
        accepted: 0,
        slowestMs: 0,
        slowest: '',
        rssGrowth: 0,
        problems: [`file #${at}: ${problem}`],
      });
    };
    worker.once('message', (report: CorruptedReport) => {
      clearInterval(watch);
      resolve(report);
    });
    worker.once('error', (error) => fail(error.stack ?? error.message));
  });
}
